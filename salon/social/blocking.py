"""News of blocks for the apps above: what follows in rooms and elsewhere when one person blocks another.

A callback is called with (blocker, blocked) after the block, or its end, is committed, in the process that did it. It is called again
when the same block is asked for again, so it must bear that; a repeated request thereby mends what an earlier callback failed to do.
"""

import logging
from collections.abc import Callable
from functools import partial

from django.db import transaction

from salon.accounts.models import Person

logger = logging.getLogger(__name__)

BlockCallback = Callable[[Person, Person], None]
_on_block: list[BlockCallback] = []
_on_unblock: list[BlockCallback] = []


def on_block(callback: BlockCallback) -> None:
    """Call it whenever somebody has blocked somebody. From an AppConfig.ready()."""
    _on_block.append(callback)


def on_unblock(callback: BlockCallback) -> None:
    _on_unblock.append(callback)


def announce_block_on_commit(blocker: Person, blocked: Person) -> None:
    _announce_on_commit(_on_block, blocker, blocked)


def announce_unblock_on_commit(blocker: Person, blocked: Person) -> None:
    _announce_on_commit(_on_unblock, blocker, blocked)


def _announce_on_commit(callbacks: list[BlockCallback], blocker: Person, blocked: Person) -> None:
    for callback in callbacks:
        transaction.on_commit(partial(_call, callback, blocker, blocked))


def _call(callback: BlockCallback, blocker: Person, blocked: Person) -> None:
    """The block stands whatever a callback does: its failure is the log's, not the one's who blocks, and keeps no other from its work."""
    try:
        callback(blocker, blocked)
    except Exception:
        logger.exception(
            "Something that follows from a block failed.",
            extra={"action": "block_callback_failed", "callback": callback.__qualname__, "blocker": blocker.id, "blocked": blocked.id},
        )
