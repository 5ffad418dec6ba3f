"""Who and what the demo community consists of, as its files say: people.json, portraits/, scripts/ and speech/."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True)
class Character:
    handle: str
    name: str
    bio: str
    languages: tuple[str, ...]
    follows: tuple[str, ...]
    """Handles, from the first they followed to the last."""

    @property
    def portrait(self) -> Path:
        return FOLDER / "portraits" / f"{self.handle}.webp"


@dataclass(frozen=True, slots=True)
class Turn:
    speaker: str
    """A handle."""
    text: str
    speech: Path
    """Ogg Opus, 48 kHz mono in packets of 20 ms."""


@dataclass(frozen=True, slots=True)
class ChatLine:
    writer: str
    """A handle."""
    text: str


@dataclass(frozen=True, slots=True)
class WrittenQuestion:
    writer: str
    text: str
    voters: tuple[str, ...]
    """Handles of others."""


@dataclass(frozen=True, slots=True)
class Script:
    name: str
    title: str
    topic: str
    language: str
    host: str
    turns: tuple[Turn, ...]
    chat: tuple[ChatLine, ...] = ()
    question: WrittenQuestion | None = None

    @property
    def speakers(self) -> tuple[str, ...]:
        """Handles, the host first, then in order of their first words."""
        return tuple(dict.fromkeys([self.host, *(turn.speaker for turn in self.turns)]))


@cache
def characters() -> tuple[Character, ...]:
    entries = json.loads((FOLDER / "people.json").read_text(encoding="utf-8"))
    return tuple(
        Character(entry["handle"], entry["name"], entry["bio"], tuple(entry["languages"]), tuple(entry["follows"])) for entry in entries
    )


@cache
def scripts() -> tuple[Script, ...]:
    return tuple(_script(path) for path in sorted((FOLDER / "scripts").glob("*.json")))


@cache
def quiet_handles() -> tuple[str, ...]:
    """Those who never speak, nor listen: a newcomer can be one of them and pushes nobody off the stage or out of a room."""
    speaking = {handle for script in scripts() for handle in script.speakers}
    return tuple(character.handle for character in characters() if character.handle not in speaking)


def _script(path: Path) -> Script:
    entry = json.loads(path.read_text(encoding="utf-8"))
    speech = (FOLDER / "speech" / f"{path.stem}-{number:02}.opus" for number in range(1, len(entry["turns"]) + 1))
    turns = tuple(Turn(turn["person"], turn["text"], file) for turn, file in zip(entry["turns"], speech, strict=True))
    chat = tuple(ChatLine(line["person"], line["text"]) for line in entry.get("chat", ()))
    asked = entry.get("question")
    question = WrittenQuestion(asked["person"], asked["text"], tuple(asked["votes"])) if asked else None
    return Script(path.stem, entry["title"], entry["topic"], entry["language"], entry["host"], turns, chat, question)
