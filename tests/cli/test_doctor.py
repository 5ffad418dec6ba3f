"""What `salon doctor` finds in an installation's settings."""

from dataclasses import replace
from pathlib import Path

import pytest

from salon.cli import doctor
from salon.cli.doctor import Verdict, examine
from salon.config.environment import Environment, private_cluster_folder, read_environment, socket_folder

PRODUCTION = {
    "SALON_HOST": "0.0.0.0",  # noqa: S104  (nothing listens)
    "SALON_MODE": "production",
    "SALON_PUBLIC_URL": "https://salon.example.org",
    "SALON_SMTP_URL": "smtp://mail.example.org",
}


def settings_of(data_dir: Path, **env: str) -> Environment:
    return read_environment({"SALON_DATA_DIR": str(data_dir), "SALON_SECRET_KEY": "k" * 32, "SALON_PORT": "1024"} | env)


@pytest.fixture(autouse=True)
def not_running(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is asked for its health at the addresses named here."""
    monkeypatch.setattr(doctor, "_health", lambda settings: None)


def found(settings: Environment, check: str) -> tuple[Verdict, str]:
    [finding] = [finding for finding in examine(settings) if finding.check == check]
    return finding.verdict, finding.sentence


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "203.0.113.7", "salon.invalid", ""])  # noqa: S104
def test_development_that_others_reach_is_bad(tmp_path: Path, host: str) -> None:
    verdict, sentence = found(replace(settings_of(tmp_path), host=host), "mode")

    assert (verdict, "/development/mailbox" in sentence) == (Verdict.BAD, True)


@pytest.mark.parametrize("env", [{}, {"SALON_HOST": "::1"}, {"SALON_HOST": "localhost"}, PRODUCTION])
def test_development_for_oneself_and_production_are_good(tmp_path: Path, env: dict[str, str]) -> None:
    assert found(settings_of(tmp_path, **env), "mode")[0] is Verdict.GOOD


def test_doctor_tells_where_the_private_database_is(tmp_path: Path) -> None:
    cluster = private_cluster_folder(tmp_path)

    verdict, sentence = found(settings_of(tmp_path), "postgresql")

    assert verdict is Verdict.GOOD
    assert sentence.endswith(f"the database is in {cluster}, its socket in {socket_folder(cluster)}.")


def test_address_that_is_not_this_machines_is_a_finding_and_ends_nothing(tmp_path: Path) -> None:
    settings = replace(settings_of(tmp_path), host="203.0.113.7")

    verdict, sentence = found(settings, "port 1024")

    assert (verdict, sentence.startswith("Port 1024 on 203.0.113.7 cannot be used")) == (Verdict.BAD, True)
    assert found(settings, "running")[0] is Verdict.NOTICE
