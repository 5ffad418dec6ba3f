"""What rooms do at the news of the apps below them."""

import logging

from django.db.models import Exists, OuterRef
from django.dispatch import receiver

from salon.accounts.models import Person
from salon.accounts.signals import person_cut
from salon.bus import publish_on_commit
from salon.common.errors import SalonError
from salon.rooms.access import IN, MODERATES
from salon.rooms.actions.attendance import cut_off
from salon.rooms.actions.remove_person import remove_blocked
from salon.rooms.enums import Phase
from salon.rooms.models import Place, Room
from salon.social.blocking import on_block, on_unblock
from salon.social.relations import who_blocked

logger = logging.getLogger(__name__)


@receiver(person_cut)
def silence_whoever_was_cut(sender: object, person: str, **kwargs: object) -> None:
    somebody = Person.objects.get(id=person)
    # Places outside too: somebody may be on the way in, with a grant made and sound not connected yet.
    for room in Room.objects.filter(phase=Phase.LIVE, places__person=somebody).order_by("id"):
        cut_off(room, somebody)


def put_out_whom_a_moderator_blocked(blocker: Person, blocked: Person) -> None:
    """Out of every room that the blocker is in and moderates. Whoever may not be moved by them, a host or another moderator, stays."""
    here = Place.objects.filter(IN, room=OuterRef("pk"))
    rooms = Room.objects.filter(Exists(here.filter(MODERATES, person=blocker)), Exists(here.filter(person=blocked)), phase=Phase.LIVE)
    for room in rooms.order_by("id"):
        try:
            remove_blocked(room, blocker, blocked)
        except SalonError as refusal:
            logger.info("Somebody blocked stays.", extra={"action": "blocked_stays", "room": room.id, "code": refusal.code})


def tell_gateways_by_whom(blocker: Person, blocked: Person) -> None:
    """The hallway of somebody who was blocked, or is no more, has changed."""
    publish_on_commit(f"blocks.{blocked.id}", {"blocked_by": sorted(who_blocked(blocked.id))})


def register_blocking() -> None:
    on_block(put_out_whom_a_moderator_blocked)
    on_block(tell_gateways_by_whom)
    on_unblock(tell_gateways_by_whom)
