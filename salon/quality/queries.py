from salon.accounts.models import Person
from salon.quality.domain.steps import SCALES
from salon.quality.models import SoundQuality
from salon.quality.shapes import OwnQuality, OwnQualityPage

_MOST = 1_000


def own_quality(person: Person) -> OwnQualityPage:
    """All that is kept of one's sound, newest first; at most a thousand. One query."""
    return {"quality": [_shown(row) for row in SoundQuality.objects.filter(person=person).order_by("-at", "-id")[:_MOST]]}


def _shown(row: SoundQuality) -> OwnQuality:
    ranges = {name: None if (step := getattr(row, name)) is None else scale.range_of(step) for name, scale in SCALES.items()}
    return {
        "room": row.room_id,
        "at": row.at,
        "direction": row.direction,
        "reports": row.reports,
        "transport": row.transport or None,
        "lost_share": ranges["lost"],
        "concealed_share": ranges["concealed"],
        "jitter_ms": ranges["jitter"],
        "delay_ms": ranges["delay"],
        "round_trip_ms": ranges["round_trip"],
    }
