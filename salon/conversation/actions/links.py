"""Pinning a link for everybody in the room, and taking it down."""

from salon.accounts.callers import Caller
from salon.common.errors import Invalid
from salon.common.text import clean_line
from salon.conversation.actions.standing import as_moderator
from salon.conversation.domain import links
from salon.conversation.domain.links import Address, parse_address
from salon.conversation.domain.participant import require_moderator
from salon.conversation.errors import LinkNotFound
from salon.conversation.events import tell
from salon.conversation.models import Link
from salon.conversation.models.link import TITLE_MAX, URL_MAX
from salon.conversation.shapes import link_shape
from salon.rooms.actions.acted import Acted
from salon.rooms.moderation import log_action


def pin_link(caller: Caller, room_id: str, url: str, title: str) -> Acted:
    """title: "" for the host's name. Raises what the door and domain.links.require_may_pin raise, and Invalid naming the field."""
    address = _address(url)
    # A host can be longer than a title; its end is what says whose it is.
    shown = clean_line(title, TITLE_MAX, field="title") or address.host[-TITLE_MAX:]
    with as_moderator(caller, room_id) as (at, _):
        links.require_may_pin(at.terms, at.participant, pinned=Link.objects.filter(room=at.room, unpinned_at=None).count())
        link = Link(room=at.room, by=at.person, url=address.url, title=shown, pinned_at=at.now)
        entry = log_action(at.room, "pin_link", actor=at.person, data={"link": link.id}, at=at.now)
        link.seq = tell(at.room.id, "link_pinned", {**link_shape(link)}, entry)
        link.save(force_insert=True)
        return Acted(link.seq, link.id)


def unpin_link(caller: Caller, room_id: str, link_id: str) -> int:
    """Returns the number of the conversation's stream. Raises what the door raises, RoomEnded, NotInRoom, NotAModerator, LinkNotFound."""
    with as_moderator(caller, room_id) as (at, _):
        require_moderator(at.terms, at.participant)
        link = Link.objects.filter(id=link_id, room=at.room, unpinned_at=None).first()
        if link is None:
            raise LinkNotFound(field="link")
        link.unpinned_at = at.now
        link.save(update_fields=["unpinned_at"])
        entry = log_action(at.room, "unpin_link", actor=at.person, data={"link": link.id}, at=at.now)
        return tell(at.room.id, "link_unpinned", {"link": link.id}, entry)


def _address(url: str) -> Address:
    """Raises Invalid."""
    address = parse_address(url) if len(url) <= URL_MAX else None
    # Measured again: what is not ASCII grows.
    if address is None or len(address.url) > URL_MAX:
        raise Invalid(field="url")
    return address
