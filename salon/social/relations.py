"""How people stand to each other, asked by id: one query each, for whoever above this app needs to know."""

from collections.abc import Iterable

from django.db.models import Exists, OuterRef, Q

from salon.accounts.models import Person
from salon.social.models import Block, Follow, PingMute


def who_follow(person: str, among: Iterable[str] | None = None) -> set[str]:
    """The ids of those (of `among`, or of everybody) who follow `person`."""
    follows = Follow.objects.filter(followed=person)
    return set((follows if among is None else follows.filter(follower__in=list(among))).values_list("follower_id", flat=True))


def who_blocked(person: str, among: Iterable[str] | None = None) -> set[str]:
    """The ids of those (of `among`, or of everybody) who have blocked `person`."""
    blocks = Block.objects.filter(blocked=person)
    return set((blocks if among is None else blocks.filter(blocker__in=list(among))).values_list("blocker_id", flat=True))


def blocked_by(person: str) -> set[str]:
    """The ids of those whom `person` has blocked."""
    return set(Block.objects.filter(blocker=person).values_list("blocked_id", flat=True))


def wants_no_pings(person: str, sender: str) -> bool:
    return PingMute.objects.filter(person=person, sender=sender).exists()


def who_hides_from(asker: Person, person: str = "pk") -> Q:
    """Whoever blocked the asker is not there for them: a condition on people, or on rows that name one in the column `person`."""
    return Q(Exists(Block.objects.filter(blocked=asker, blocker=OuterRef(person))))
