"""What clients report of their sound, counted: of sessions that are here, by their owners."""

import asyncio
from typing import Any

from salon.common.ids import new_id
from salon.common.sound_quality import SUBJECT
from tests.relay.conftest import SECS, Media, policy

ROOM = new_id()


def report(session: str, owner: str, **measures: Any) -> dict[str, Any]:
    return {"session": session, "owner": owner, "lost_share": 0.0, "concealed_share": 0.0, "transport": "udp", **measures}


async def heard(media: Media, *reports: dict[str, Any], until: int) -> None:
    await media.bus.publish(SUBJECT, {"reports": list(reports)})
    async with asyncio.timeout(SECS):
        while sum(media.relay.quality.reports.values()) < until:  # noqa: ASYNC110  (nothing is told when a report is counted)
            await asyncio.sleep(0.005)


def figures(media: Media) -> dict[str, int]:
    return {"/".join(value for _, value in labels): count for labels, count in media.relay.quality.reports.items() if count}


async def test_reports_are_counted_by_direction_and_transport(media: Media) -> None:
    stage = policy(ROOM, speakers=("ann",))
    zoe, ann = await media.open(ROOM, "zoe", with_policy=stage), await media.open(ROOM, "ann", "speak", with_policy=stage)

    await heard(
        media,
        report(zoe, "zoe", concealed_share=0.07, lost_share=0.3),
        report(zoe, "zoe", concealed_share=None, lost_share=None, transport="tcp"),
        report(ann, "ann", concealed_share=None, lost_share=0.01, transport=None),
        until=3,
    )

    quality = media.relay.quality
    assert figures(media) == {"listen/udp": 1, "listen/tcp": 1, "speak/unknown": 1}
    assert (quality.concealed.counts, quality.concealed.sum) == ([0, 0, 0, 1, 0, 0], 0.07)
    assert quality.lost[(("direction", "listen"),)].counts == [0, 0, 0, 0, 0, 1]
    assert quality.lost[(("direction", "speak"),)].counts == [0, 1, 0, 0, 0, 0]


async def test_forged_and_foreign_reports_count_nothing(media: Media) -> None:
    zoe, eve = await media.open(ROOM, "zoe"), await media.open(ROOM, "eve", connected=False)
    await heard(media, report(zoe, "eve"), report(eve, "eve"), report(new_id(), "zoe"), report(zoe, "zoe"), until=1)
    assert figures(media) == {"listen/udp": 1}


async def test_unreadable_reports_stop_nothing(media: Media) -> None:
    zoe = await media.open(ROOM, "zoe")
    await media.bus.publish(SUBJECT, {"reports": [{"session": zoe}]})
    await media.bus.publish(SUBJECT, {"nothing": 1})
    await heard(media, report(zoe, "zoe"), until=1)
    assert figures(media) == {"listen/udp": 1}
