"""PUT and DELETE of follow, block and ping-mute: 204, whether or not it was so before."""

from collections.abc import Callable

from django.http import HttpRequest
from ninja import Router, Status

from salon.accounts.access import access_person_by_handle
from salon.accounts.callers import caller_of, person_of
from salon.accounts.models import Person
from salon.common.rate_limits import RateLimit
from salon.common.wire import refusals
from salon.social import queries
from salon.social.actions.blocks import block, unblock
from salon.social.actions.follows import follow, unfollow
from salon.social.actions.ping_mutes import mute_pings, unmute_pings
from salon.social.rate_limits import BLOCKS, FOLLOWS, PING_MUTES
from salon.social.shapes import Relation

router = Router()

Change = Callable[[Person, str], None]


@router.get("/people/{handle}/relation", operation_id="relation", response={200: Relation, **refusals(404)})
def get_relation(request: HttpRequest, handle: str) -> Relation:
    """How many follow somebody, whom they follow, and how one stands to them oneself."""
    asker = caller_of(request).person
    return queries.relation(asker, access_person_by_handle(asker, handle))


def _add(method: str, name: str, change: Change, limit: RateLimit, summary: str) -> None:
    def operation(request: HttpRequest, handle: str) -> Status[None]:
        person = person_of(request)
        limit.take(person.id)
        change(person, handle)
        return Status(204, None)

    router.api_operation(
        [method],
        f"/people/{{handle}}/{name}",
        response={204: None, **refusals(404, 409, 429)},
        operation_id=change.__name__,
        summary=summary,
    )(operation)


_add("PUT", "follow", follow, FOLLOWS, "Follow somebody")
_add("DELETE", "follow", unfollow, FOLLOWS, "Follow somebody no longer")
_add("PUT", "block", block, BLOCKS, "Block somebody; nobody follows the other then, and they are not told")
_add("DELETE", "block", unblock, BLOCKS, "Block somebody no longer")
_add("PUT", "ping-mute", mute_pings, PING_MUTES, "Want no pings from somebody, who is not told")
_add("DELETE", "ping-mute", unmute_pings, PING_MUTES, "Want pings from somebody again")
