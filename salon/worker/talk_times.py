"""How long each on the stage has talked: what media nodes count becomes what rooms remember.

A node says totals since it started. With each place stands how much of each node's total it has got already, so a total that is said
again, or that a new keeper hears first, counts once; and a node that starts anew is another one.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import connection

from salon.bus import publish_on_commit
from salon.rooms.enums import Phase
from salon.rooms.models import Place

COUNT_SECS = 5.0
# Gateways that have just started know none; rooms where nobody talks any more are told again too.
REPEAT_SECS = 30.0
SPOKEN_MS = 1000
"""Who has talked for this long has spoken. Less is a cough, or a microphone being tried."""

# Without waiting for a place that somebody is changing: its total is said again. So this never stands in a circle of waiting transactions.
_COUNT = """
    WITH told AS (
        SELECT * FROM unnest(%(rooms)s::text[], %(people)s::text[], %(totals)s::bigint[]) AS told (room, person, total)
    ), free AS (
        SELECT place.id, told.total, told.total - COALESCE((place.talk_counted ->> %(source)s)::bigint, 0) AS news
        FROM rooms_place AS place JOIN told ON place.room_id = told.room AND place.person_id = told.person
        WHERE place.on_stage_since IS NOT NULL AND told.total > COALESCE((place.talk_counted ->> %(source)s)::bigint, 0)
        FOR NO KEY UPDATE OF place SKIP LOCKED
    )
    UPDATE rooms_place AS place
    SET talked_ms = place.talked_ms + free.news,
        has_spoken = place.has_spoken OR place.talked_ms + free.news >= %(spoken_ms)s,
        talk_counted = COALESCE(place.talk_counted, '{}') || jsonb_build_object(%(source)s::text, free.total)
    FROM free WHERE place.id = free.id
    RETURNING place.room_id
"""


class TalkTimes:
    """now, everywhere: monotonic seconds."""

    def __init__(self) -> None:
        self._told: dict[str, dict[tuple[str, str], int]] = {}
        """By node and start, then by (room, person): the newest total, in milliseconds."""
        self._counted_at = self._repeated_at = float("-inf")

    def hear(self, room: str, message: Mapping[str, Any]) -> None:
        """One message of `talk.<room>`; docs/subsystems/processes.md."""
        told = self._told.setdefault(f"{message['node']} {message['started_at']}", {})
        for person, total_ms in message["talked_ms"].items():
            told[room, person] = int(total_ms)

    def forget_heard(self) -> None:
        self._told.clear()

    def round(self, now: float) -> None:
        """Count what was heard and tell the gateways, if it is time."""
        if now - self._counted_at < COUNT_SECS:
            return
        self._counted_at = now
        rooms = self._count()
        if now - self._repeated_at >= REPEAT_SECS:
            self._repeated_at = now
            tell_talked(None)
        elif rooms:
            tell_talked(rooms)

    def _count(self) -> set[str]:
        """The rooms in which that changed something."""
        rooms: set[str] = set()
        for source in list(self._told):
            rooms |= count_talk(source, self._told[source])
            del self._told[source]
        return rooms


def count_talk(source: str, totals_ms: Mapping[tuple[str, str], int]) -> set[str]:
    """Add what is new in the totals of one node to the places it is about, and say in which rooms there was something new.

    source: the node and when it started. Only people on the stage: an entry in the hand queue must not change without an event. What they
    said last before they left it is added when they come back.
    """
    if not totals_ms:
        return set()
    rooms, people = zip(*totals_ms, strict=True)
    with connection.cursor() as cursor:
        told = {"rooms": list(rooms), "people": list(people), "totals": list(totals_ms.values())}
        cursor.execute(_COUNT, {**told, "source": source, "spoken_ms": SPOKEN_MS})
        return {room for (room,) in cursor.fetchall()}


def tell_talked(rooms: Iterable[str] | None) -> None:
    """Tell the gateways for how many whole seconds each on the stage has talked. rooms: None for every live room where somebody has."""
    stage = Place.objects.filter(room__phase=Phase.LIVE, on_stage_since__isnull=False)
    if rooms is not None:
        stage = stage.filter(room__in=rooms)
    talked: dict[str, dict[str, int]] = {}
    for room, person, talked_ms in stage.order_by("room", "person").values_list("room_id", "person_id", "talked_ms"):
        talked.setdefault(room, {})[person] = talked_ms // 1000
    for room, by_person in talked.items():
        if rooms is not None or any(by_person.values()):
            publish_on_commit(f"talked.{room}", {"talked": by_person})
