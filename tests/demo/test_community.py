"""What is committed is whole: every word has its sound, and every face its picture."""

import av
import pytest
from PIL import Image

from salon.demo.community import FOLDER, Character, Script, characters, quiet_handles, scripts
from salon.demo.speech import read_speech

_MOST_BYTES = 3_000_000


@pytest.mark.parametrize("script", scripts(), ids=lambda script: script.name)
def test_script_has_two_or_three_known_speakers_and_its_host_among_them(script: Script) -> None:
    assert len(script.speakers) in (2, 3)
    assert set(script.speakers) <= {character.handle for character in characters()}
    assert script.speakers[0] == script.host
    assert script.host in {turn.speaker for turn in script.turns}


@pytest.mark.parametrize("script", scripts(), ids=lambda script: script.name)
def test_every_turn_is_opus_in_packets_of_20_ms_about_as_long_as_its_text(script: Script) -> None:
    for turn in script.turns:
        with av.open(str(turn.speech)) as container:
            stream = container.streams.audio[0]
            assert (stream.codec_context.name, stream.codec_context.channels, stream.codec_context.sample_rate) == ("opus", 1, 48_000)
            whole = [packet.duration * packet.time_base for packet in container.demux(stream) if packet.size][1:-1]
        assert all(round(float(seconds), 4) == 0.02 for seconds in whole)
        words = len(turn.text.split())
        assert 1.2 < words / read_speech(turn.speech).seconds < 5, turn.speech.name


def test_what_is_written_is_by_the_speakers_and_in_both_languages() -> None:
    writing = [script for script in scripts() if script.chat]
    assert sorted(script.language for script in writing) == ["en", "fr"]
    for script in writing:
        assert {line.writer for line in script.chat} <= set(script.speakers)
        assert all(0 < len(line.text) <= 500 for line in script.chat)
        assert script.question is not None and len(script.question.text) <= 300
        assert {script.question.writer, *script.question.voters} <= set(script.speakers)
        assert script.question.writer not in script.question.voters  # nobody votes for their own


def test_speech_is_small_and_none_is_left_over() -> None:
    used = {turn.speech for script in scripts() for turn in script.turns}
    assert used == set((FOLDER / "speech").glob("*.opus"))
    assert sum(path.stat().st_size for path in used) < _MOST_BYTES


def test_rooms_talk_in_english_and_in_french() -> None:
    assert sorted(script.language for script in scripts()) == ["en", "en", "fr", "fr"]


def test_nobody_speaks_in_two_rooms_at_once() -> None:
    speaking = [handle for script in scripts() for handle in script.speakers]
    assert len(speaking) == len(set(speaking))


def test_some_people_only_listen_and_can_be_a_newcomer() -> None:
    assert len(quiet_handles()) >= 3
    assert not set(quiet_handles()) & {handle for script in scripts() for handle in script.speakers}


def test_everybody_follows_three_to_eight_others_and_is_followed() -> None:
    handles = {character.handle for character in characters()}
    for character in characters():
        assert 3 <= len(character.follows) == len(set(character.follows)) <= 8
        assert set(character.follows) <= handles - {character.handle}
    assert {followed for character in characters() for followed in character.follows} == handles


@pytest.mark.parametrize("handle", quiet_handles())
def test_quiet_people_are_followed_by_the_speakers_of_one_room_and_not_of_another(handle: str) -> None:
    followers = {character.handle for character in characters() if handle in character.follows}
    rooms = [bool(followers & set(script.speakers)) for script in scripts()]
    assert True in rooms and False in rooms


@pytest.mark.parametrize("character", characters(), ids=lambda character: character.handle)
def test_character_fits_a_profile_and_has_a_small_portrait(character: Character) -> None:
    assert 3 <= len(character.handle) <= 24 and len(character.name) <= 60 and 20 <= len(character.bio) <= 1000
    assert set(character.languages) <= {"en", "fr"} and character.languages
    with Image.open(character.portrait) as portrait:
        assert (portrait.format, portrait.size) == ("WEBP", (320, 320))
    assert character.portrait.stat().st_size < 20_000
