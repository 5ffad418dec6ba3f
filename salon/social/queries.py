"""Reads of how people stand to each other. Each takes a fixed number of queries, however many people it answers for."""

from django.db.models import Exists, OuterRef, Q, QuerySet

from salon.accounts.faces import face_of
from salon.accounts.models import Person
from salon.social.cursors import Cursor
from salon.social.domain.shield import is_marked, most_independent
from salon.social.enums import ContestState
from salon.social.models import Block, Follow, PingMute, ShieldContest
from salon.social.relations import who_hides_from
from salon.social.shapes import Counts, People, PeoplePage, Relation, Shield

PAGE_LENGTH = 50
# More than one reads through. Somebody blocked longer ago than that is found by their profile, which a block does not hide from its maker.
_OWN_LIST_LENGTH = 1_000
# The newest, of whom some three will be independent if anybody is. Fewer than all can only mark fewer profiles.
_BLOCKS_WEIGHED = 500


def relation(asker: Person | None, person: Person) -> Relation:
    """asker: None for a visitor, who follows and blocks nobody."""
    counts: Counts = {
        "followers": _shown(Follow.objects.filter(followed=person), "follower", asker).count(),
        "following": _shown(Follow.objects.filter(follower=person), "followed", asker).count(),
    }
    if asker is None:
        return {**counts, "i_follow": False, "follows_me": False, "i_block": False, "pings_muted": False, "shielded": False}
    i_follow, follows_me, i_block, pings_muted = Person.objects.values_list(
        Exists(Follow.objects.filter(follower=asker, followed=OuterRef("pk"))),
        Exists(Follow.objects.filter(follower=OuterRef("pk"), followed=asker)),
        Exists(Block.objects.filter(blocker=asker, blocked=OuterRef("pk"))),
        Exists(PingMute.objects.filter(person=asker, sender=OuterRef("pk"))),
    ).get(pk=person.pk)
    return {
        **counts,
        "i_follow": i_follow,
        "follows_me": follows_me,
        "i_block": i_block,
        "pings_muted": pings_muted,
        "shielded": is_shielded_for(asker, person),
    }


def followers(asker: Person | None, person: Person, after: Cursor | None) -> PeoplePage:
    """Newest first, without who hides from the asker."""
    return _page(Follow.objects.filter(followed=person), "follower", asker, after)


def following(asker: Person | None, person: Person, after: Cursor | None) -> PeoplePage:
    """Newest first, without who hides from the asker."""
    return _page(Follow.objects.filter(follower=person), "followed", asker, after)


def blocks_of(person: Person) -> People:
    """Newest first. Those who have left Salon are not among them."""
    blocks = Block.objects.filter(blocker=person, blocked__is_active=True).select_related("blocked").order_by("-at", "-blocked_id")
    return {"people": [face_of(block.blocked) for block in blocks[:_OWN_LIST_LENGTH]]}


def ping_mutes_of(person: Person) -> People:
    """Newest first. Those who have left Salon are not among them."""
    mutes = PingMute.objects.filter(person=person, sender__is_active=True).select_related("sender").order_by("-at", "-sender_id")
    return {"people": [face_of(mute.sender) for mute in mutes[:_OWN_LIST_LENGTH]]}


def is_shielded_for(asker: Person, person: Person) -> bool:
    """Whether at least three people whom the asker follows, independent of each other, have blocked this person."""
    followed = Follow.objects.filter(follower=asker, followed=OuterRef("blocker_id"))
    return is_marked(_inviters(_counting_blocks(person).filter(Exists(followed))))


def is_shielded_for_anyone(person: Person) -> bool:
    """Whether somebody who follows the right people sees the mark."""
    return is_marked(_inviters(_counting_blocks(person)))


def independent_blocks(person: Person) -> int:
    return most_independent(_inviters(_counting_blocks(person)))


def shield_of(person: Person) -> Shield:
    contest = ShieldContest.objects.filter(person=person, state=ContestState.OPEN).first()
    return {"shielded": is_shielded_for_anyone(person), "contested_at": contest.at if contest else None}


def _counting_blocks(person: Person) -> QuerySet[Block]:
    """Those of people who are still here, made after the last accepted contest."""
    lifted = ShieldContest.objects.filter(person=person, state=ContestState.ACCEPTED, decided_at__gte=OuterRef("at"))
    return Block.objects.filter(~Exists(lifted), blocked=person, blocker__is_active=True)


def _inviters(blocks: QuerySet[Block]) -> dict[str, str | None]:
    """The inviter of each blocker, for salon.social.domain.shield."""
    return dict(blocks.order_by("-at").values_list("blocker_id", "blocker__inviter_id")[:_BLOCKS_WEIGHED])


def _shown(follows: QuerySet[Follow], side: str, asker: Person | None) -> QuerySet[Follow]:
    """side: `follower` or `followed`, whichever of the two the list is about."""
    shown = follows.filter(**{f"{side}__is_active": True, f"{side}__is_pending": False})
    return shown if asker is None else shown.exclude(who_hides_from(asker, f"{side}_id"))


def _page(follows: QuerySet[Follow], side: str, asker: Person | None, after: Cursor | None) -> PeoplePage:
    rows = _shown(follows, side, asker).select_related(side).order_by("-at", f"-{side}_id")
    if after is not None:
        rows = rows.filter(Q(at__lt=after.at) | Q(at=after.at, **{f"{side}_id__lt": after.person}))
    # One more than fits: it tells whether another page follows.
    found = list(rows[: PAGE_LENGTH + 1])
    shown = found[:PAGE_LENGTH]
    people = [getattr(row, side) for row in shown]
    is_last = len(found) == len(shown)
    return {"people": [face_of(person) for person in people], "next": None if is_last else Cursor(shown[-1].at, people[-1].id).encode()}
