import asyncio
import itertools
from pathlib import Path

import pytest

from salon.demo.community import scripts
from salon.demo.speech import SILENCE, SILENT_DBOV, Speech, SpeechTrack, read_speech

SHORT = Speech(packets=(b"\x78one", b"\x78two", b"\x78three"), levels_dbov=(-30, -20, -25))


async def test_say_sends_every_packet_in_order_with_its_level() -> None:
    track = SpeechTrack()
    saying = asyncio.create_task(track.say(SHORT))
    await asyncio.sleep(0)
    sent = []
    for _ in SHORT.packets:
        packet = await track.recv()
        sent.append((bytes(packet), track.level_dbov))
    await saying
    # The first call finds the track silent and the speech begun: it starts at once.
    assert sent == list(zip(SHORT.packets, SHORT.levels_dbov, strict=True))


async def test_recv_between_turns_is_silence_on_the_same_clock() -> None:
    track = SpeechTrack()
    saying = asyncio.create_task(track.say(SHORT))
    await asyncio.sleep(0)
    spoken = [await track.recv() for _ in SHORT.packets]
    await saying
    silent = await track.recv()
    assert (bytes(silent), track.level_dbov) == (SILENCE, SILENT_DBOV)
    assert [packet.pts % 960 for packet in (*spoken, silent)] == [0, 0, 0, 0]
    assert [later.pts - earlier.pts for earlier, later in itertools.pairwise(spoken)] == [960, 960]
    assert silent.pts > spoken[-1].pts


async def test_say_cancelled_falls_silent() -> None:
    track = SpeechTrack()
    saying = asyncio.create_task(track.say(SHORT))
    await asyncio.sleep(0)
    await track.recv()
    saying.cancel()
    with pytest.raises(asyncio.CancelledError):
        await saying
    assert bytes(await track.recv()) == SILENCE


def test_read_speech_measures_levels_as_rfc_6464_does() -> None:
    speech = read_speech(scripts()[0].turns[0].speech)
    assert len(speech.levels_dbov) == len(speech.packets)
    assert max(speech.levels_dbov) > -25 and min(speech.levels_dbov) < -40
    assert all(SILENT_DBOV <= level <= 0 for level in speech.levels_dbov)


def test_read_speech_of_a_missing_file_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        read_speech(tmp_path / "nobody.opus")
