from pathlib import Path

import pytest

from salon.cli.output import Output


def shown(capsys: pytest.CaptureFixture[str], output: Output, *lines: str) -> list[str]:
    for line in lines:
        output.write(line)
    return capsys.readouterr().err.splitlines()


def test_everything_is_in_the_file_and_only_trouble_on_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = Output("web", tmp_path)
    lines = [
        "2026-11-23 05:00:00,123 INFO salon.rooms A room opened.",
        "2026-11-23 05:00:00,124 WARNING salon.rooms Somebody should look.",
        "[WARNING] granian speaks so",
        "2026-11-23 05:00:00.125 UTC [7] FATAL:  PostgreSQL speaks so",
        "2026-11-23 05:00:00.126 UTC [7] LOG:  or so",
        "2026-11-23 05:00:00,127 INFO salon.rooms Said of an ERROR is not one.",
    ]

    assert shown(capsys, output, *lines) == [f"web: {line}" for line in lines[1:4]]
    assert (tmp_path / "web.log").read_text().splitlines() == lines


def test_traceback_is_shown_whole_and_ends_with_the_next_record(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    traceback = ["Traceback (most recent call last):", '  File "x.py", line 1', "ValueError: no"]

    said = shown(capsys, Output("web", tmp_path), "plain", *traceback, "2026-11-23 05:00:00,1 INFO salon All is well.", "plain again")

    assert said == [f"web: {line}" for line in traceback]


def test_quiet_one_only_writes_its_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = Output("postgres", tmp_path, quiet=True)

    assert shown(capsys, output, "2026-11-23 05:00:00.125 UTC [7] FATAL:  the database system is starting up") == []
    output.is_quiet = False
    assert len(shown(capsys, output, "2026-11-23 05:00:00.125 UTC [7] FATAL:  another")) == 1


def test_endless_complaints_are_cut_short(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = shown(capsys, Output("web", tmp_path), *["[ERROR] again"] * 100)

    assert said == ["web: [ERROR] again"] * 30 + [f"web: … and more, in {tmp_path / 'web.log'}"]


def test_last_words_of_a_crash_are_shown_unless_they_were_already(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    silent, loud = Output("a", tmp_path), Output("b", tmp_path)
    shown(capsys, silent, "last", "words")
    shown(capsys, loud, "Traceback (most recent call last):", "ValueError")

    silent.show_last()
    loud.show_last()

    assert capsys.readouterr().err.splitlines() == ["    last", "    words"]
