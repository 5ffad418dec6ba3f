import pytest

from salon.common.ids import new_id
from salon.common.signing import Ticket, sign_grant, sign_ticket
from salon.gateway.identity import Identity
from salon.gateway.tickets import TicketDesk, TicketRefused

KEY = "k" * 40


def signed(*, person: str | None = None, visitor: str | None = None, expires: int = 60, key: str = KEY) -> str:
    ticket: Ticket = {"id": new_id(), "person": person, "visitor": visitor, "language": "fr", "expires": expires}
    return sign_ticket(ticket, key)


@pytest.fixture
def desk() -> TicketDesk:
    return TicketDesk(KEY)


def test_ticket_tells_who_comes(desk: TicketDesk) -> None:
    admitted = desk.admit(signed(person="host"), now=0)

    assert (admitted.identity, admitted.language) == (Identity("host", None), "fr")
    assert desk.admit(signed(visitor="v"), now=0).identity == Identity(None, "v")


def test_taken_ticket_is_refused_until_it_is_too_old_anyway(desk: TicketDesk) -> None:
    once = signed(person="host", expires=60)
    desk.admit(once, now=0)

    for now in (0, 59.9, 60, 1_000):
        with pytest.raises(TicketRefused):
            desk.admit(once, now=now)


def test_expired_tickets_take_no_memory(desk: TicketDesk) -> None:
    for number in range(100):
        desk.admit(signed(person="host", expires=number + 1), now=number)

    assert len(desk._taken) == 1


@pytest.mark.parametrize(
    "ticket",
    [
        "",
        "nonsense",
        signed(person="host", key="x" * 40),
        signed(person="host", visitor="v"),
        signed(),
        sign_grant(
            {"id": "g", "session": "s", "room": "r", "person": "p", "face": None, "direction": "listen", "epoch": 0, "expires": 60}, KEY
        ),
    ],
    ids=["empty", "nonsense", "another key", "both", "nobody", "a grant"],
)
def test_what_is_no_ticket_of_ours_is_refused(desk: TicketDesk, ticket: str) -> None:
    with pytest.raises(TicketRefused):
        desk.admit(ticket, now=0)


def test_ticket_from_before_a_cut_is_refused(desk: TicketDesk) -> None:
    before, same_second, after, other = (
        signed(person=who, expires=expires) for who, expires in (("a", 99), ("a", 100), ("a", 101), ("b", 99))
    )
    desk.cut("a", now=40.5)

    for old in (before, same_second):
        with pytest.raises(TicketRefused):
            desk.admit(old, now=41)
    assert desk.admit(after, now=41).identity == Identity("a", None)
    assert desk.admit(other, now=41).identity == Identity("b", None)


def test_cuts_are_forgotten_when_no_ticket_from_before_can_be_taken(desk: TicketDesk) -> None:
    for number in range(200):
        desk.cut(str(number), now=number)

    assert len(desk._cut_at) == 60
