"""Whether the blocks of several people say something about whom they blocked.

A crowd of accounts that one person let in says no more than that person. Two people are *independent* if neither invited the other and
no one person invited both. A profile is marked from three on, each independent of each.

To count them, draw the invitation that let each one in as a line from inviter to invited (whoever came without one has a line of their
own). Two people are independent exactly if their lines share no end, so the largest set of independent people is a maximum matching. And
invitations are a forest, where taking lines from the leaves inwards finds one: a line at a leaf is in some maximum matching (R. M. Karp and
M. Sipser, "Maximum matchings in sparse random graphs", FOCS 1981).
"""

from collections.abc import Mapping

INDEPENDENT_BLOCKS = 3


def is_marked(inviter_of: Mapping[str, str | None]) -> bool:
    """inviter_of: the inviter, where there is one, of each person who blocked somebody."""
    return most_independent(inviter_of) >= INDEPENDENT_BLOCKS


def most_independent(inviter_of: Mapping[str, str | None]) -> int:
    """The size of the largest set of people who are independent, each of each."""
    taken: set[str] = set()
    count = 0
    for person in sorted(inviter_of, key=lambda person: _depth(person, inviter_of), reverse=True):
        ends = {person, inviter_of[person] or person}
        if taken.isdisjoint(ends):
            taken |= ends
            count += 1
    return count


def _depth(person: str, inviter_of: Mapping[str, str | None]) -> int:
    """How many of the people lie between them and the first inviter beyond them. Data that runs in a circle ends the count."""
    seen = {person}
    while (inviter := inviter_of.get(person)) is not None and inviter not in seen:
        seen.add(inviter)
        person = inviter
    return len(seen)
