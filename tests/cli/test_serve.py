"""`salon serve`, really started: it starts, survives its parts, refuses a second one, stops, and finds its data again.

One installation for the whole module, in the order of the tests: a start takes seconds.
"""

import asyncio
import json
import os
import signal
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from aiortc.mediastreams import AudioStreamTrack

from bench.ports import free_ports
from salon.config.environment import derived_secret, private_cluster_folder, private_database_url
from salon.demo.client import Api, Whep, Whip
from tests.cli.salon_process import Installation, is_alive
from tests.scheduling import may_come_first

PARTS = {"web": "ready", "database": "ready", "gateway": "ready", "media": "ready", "worker": "ready"}
NAMES = {"postgres", "web", "gateway", "media", "worker"}

PRODUCTION = {
    "SALON_MODE": "production",
    "SALON_PUBLIC_URL": "https://salon.test",
    "SALON_SECRET_KEY": "k" * 32,
    "SALON_SMTP_URL": "smtp://mail.salon.test",
}

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def installation() -> Iterator[Installation]:
    # Not pytest's own folder, which only its user may walk through: PostgreSQL, which does not run as root, has to.
    with tempfile.TemporaryDirectory(prefix="salon-serve-") as folder:
        Path(folder).chmod(0o711)
        installation = Installation(Path(folder) / "data", free_ports(5))
        yield installation
        installation.clean_up()


@pytest.fixture(scope="module")
def running(installation: Installation) -> Installation:
    installation.start()
    return installation


@pytest.fixture(scope="module")
def token(running: Installation) -> str:
    return running.salon("token", "zoe", "--create").stdout.strip()


def test_everything_gets_ready_and_the_address_is_shown(running: Installation) -> None:
    assert running.health() == (200, PARTS)
    assert running.children().keys() == NAMES
    assert f"Salon is open: http://localhost:{running.port}" in running.said()
    assert "\x1b" not in running.said()  # colours are for terminals


def test_token_prints_the_token_alone_and_it_works(running: Installation, token: str) -> None:
    status, body = running.get("/api/v1/me", Authorization=f"Bearer {token}")

    assert (status, json.loads(body)["person"]["handle"]) == (200, "zoe")
    assert (len(token.split()), running.get("/api/v1/me", Authorization=f"Bearer {token}x")[0]) == (1, 401)


def test_token_for_nobody_is_one_sentence(running: Installation) -> None:
    done = running.salon("token", "nobody")

    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, "", 1)


@pytest.mark.parametrize("mode", [{}, PRODUCTION], ids=["development", "production"])
def test_staff_makes_somebody_staff(running: Installation, token: str, mode: dict[str, str]) -> None:
    database = private_database_url(private_cluster_folder(running.data_dir))
    with psycopg.connect(database) as connection:
        connection.execute("update accounts_person set is_staff = false, is_superuser = false")

    done = running.salon("staff", "zoe", **mode)

    assert (done.returncode, done.stdout) == (0, "@zoe is staff now. The operator's pages are under /staff/.\n"), done.stderr
    with psycopg.connect(database) as connection:
        staff = connection.execute("select handle, is_superuser from accounts_person where is_staff").fetchall()
    assert staff == [("zoe", True)]


def test_nobody_cannot_be_staff(running: Installation) -> None:
    done = running.salon("staff", "nobody")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "Nobody has the handle 'nobody'. Sign up in the browser first, then say this again.\n"


def test_help_names_no_command_that_makes_accounts_nobody_can_use(running: Installation) -> None:
    text = running.salon("--help").stdout

    assert ("createsuperuser" in text, "staff" in text) == (False, True)


def test_metrics_are_on_the_operators_port(running: Installation) -> None:
    operator = Installation(running.data_dir, running.port + 3)
    status, body = operator.get("/metrics")

    names = {line.split()[0].split("{")[0] for line in body.decode().splitlines() if not line.startswith("#")}
    assert status == 200
    assert {"salon_gateway_sockets", "salon_media_sessions"} <= names
    assert running.get("/metrics")[1] != body


def test_sound_comes_before_everything_else_where_the_system_allows_it(running: Installation) -> None:
    _, metrics = Installation(running.data_dir, running.port + 3).get("/metrics")

    assert f'salon_media_thread_realtime{{thread="0"}} {int(may_come_first())}' in metrics.decode().splitlines()


def test_second_serve_on_the_same_folder_is_refused(running: Installation) -> None:
    done = running.salon("serve", SALON_PORT=str(free_ports(5)))

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"Salon is already running on {running.data_dir} (process {running.pid}, http://localhost:{running.port}). "
        "Stop it first, or choose another folder with SALON_DATA_DIR.\n"
    )


def test_taken_port_is_one_sentence(running: Installation) -> None:
    done = running.salon("serve", SALON_DATA_DIR=f"{running.data_dir}-other")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"Port {running.port} is taken by another program. Stop it, or choose another with SALON_PORT={running.port + 100}.\n"
    )


def test_taken_sound_port_is_named_by_its_own_setting(running: Installation) -> None:
    port = free_ports(5)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("", port + 4))
        done = running.salon("serve", SALON_DATA_DIR=f"{running.data_dir}-other", SALON_PORT=str(port))

    assert (done.returncode, done.stderr) == (
        1,
        f"Port {port + 4} is taken by another program. Stop it, or choose another with SALON_MEDIA_PORT={port + 104}.\n",
    )


def test_folder_that_cannot_be_written_is_one_sentence(running: Installation) -> None:
    in_the_way = running.data_dir.parent / "a-file"
    in_the_way.touch()
    done = running.salon("serve", SALON_DATA_DIR=str(in_the_way / "data"), SALON_PORT=str(free_ports(5)))

    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, "", 1)
    assert done.stderr.startswith(f"The data folder {in_the_way / 'data'} cannot be written: Not a directory.")


def test_wrong_setting_is_one_sentence(running: Installation) -> None:
    done = running.salon("serve", SALON_PORT="eighty")

    assert (done.returncode, done.stderr) == (1, "SALON_PORT must be a port number from 1 to 65535, not 'eighty'.\n")


def test_doctor_finds_a_running_installation_well(running: Installation) -> None:
    done = running.salon("doctor", "--json")

    findings = {finding["check"]: finding["verdict"] for finding in json.loads(done.stdout)["findings"]}
    assert {name: findings[name] for name in PARTS} == dict.fromkeys(PARTS, "good")
    assert (findings["engine"], findings["media addresses"]) == ("good", "notice")


@pytest.mark.parametrize("name", ["gateway", "media", "web", "worker", "postgres"])
def test_killed_process_is_started_again(running: Installation, name: str) -> None:
    running.wait_until(lambda: running.children().keys() == NAMES)
    before = running.children()

    os.kill(before[name], signal.SIGKILL)

    running.wait_until(lambda: running.children().get(name, before[name]) != before[name])
    running.wait_until(lambda: running.health() == (200, PARTS) and running.children().keys() == NAMES)
    after = running.children()
    # The worker holds a lock in the database: without it, it ends and begins anew.
    others = NAMES - {name} - ({"worker"} if name == "postgres" else set())
    assert {other: after[other] for other in others} == {other: before[other] for other in others}
    assert f"{name} was killed by SIGKILL; it starts again." in running.said()


def truth(running: Installation) -> dict[str, Any]:
    """The engine's, by session."""
    secret = derived_secret((running.data_dir / "secret-key").read_text().strip(), "internal")
    _, body = Installation(running.data_dir, running.port + 2).get("/truth", **{"X-Salon-Internal": secret})
    return {session["session"]: session for session in json.loads(body)["sessions"]}


def test_restart_media_goes_on_with_the_sessions_in_a_new_process(running: Installation, token: str) -> None:
    running.wait_until(lambda: running.children().keys() == NAMES)
    before = running.children()

    async def speak_over_a_restart() -> None:
        async with Api(f"http://127.0.0.1:{running.port}", token) as api:
            room = (await api.post("/api/v1/rooms", {"title": "Over a restart", "language": "en"}))["id"]
            ear, voice = Whep(api, room), Whip(api, room, AudioStreamTrack())
            await ear.connect()
            await voice.connect()
            sessions = {session.location.rpartition("/")[2] for session in (ear, voice) if session.location}
            assert truth(running).keys() == sessions

            done = await asyncio.to_thread(running.salon, "restart", "media")

            assert (done.returncode, done.stderr) == (0, "")
            assert done.stdout.startswith("media was handed over to a new process; sound was away for ")
            after = truth(running)
            assert {name: session["connected"] for name, session in after.items()} == dict.fromkeys(sessions, True)
            # The old keys still open what the speaker sends.
            speaks = next(name for name, session in after.items() if session["direction"] == "speak")
            await asyncio.to_thread(running.wait_until, lambda: truth(running)[speaks]["packets_in"] > after[speaks]["packets_in"])
            await voice.close()
            await ear.close()

    asyncio.run(speak_over_a_restart())

    now = running.children()
    assert {name: now[name] == before[name] for name in NAMES} == {name: name != "media" for name in NAMES}


def test_interrupt_stops_everything_cleanly(running: Installation) -> None:
    running.wait_until(lambda: running.children().keys() == NAMES)
    children = running.children()

    assert running.stop(signal.SIGINT) == 0

    assert [pid for pid in children.values() if is_alive(pid)] == []
    assert "database system is shut down" in (running.data_dir / "logs" / "postgres.log").read_text()
    assert running.health() == (0, {})


def test_second_start_finds_the_data_and_changes_no_schema(installation: Installation, token: str) -> None:
    schema_stamp = installation.data_dir / "schema"
    written_at = schema_stamp.stat().st_mtime_ns

    installation.start()

    assert installation.get("/api/v1/me", Authorization=f"Bearer {token}")[0] == 200
    assert schema_stamp.stat().st_mtime_ns == written_at


def test_killed_supervisor_leaves_nobody_behind(installation: Installation) -> None:
    children = installation.children()
    assert children.keys() == NAMES

    assert installation.stop(signal.SIGKILL) == -signal.SIGKILL

    deadline = 200
    while [pid for pid in children.values() if is_alive(pid)]:
        deadline -= 1
        assert deadline, "still running"
        signal.sigtimedwait([], 0.05)


def test_start_after_such_a_death_works(installation: Installation) -> None:
    installation.start()

    assert installation.health() == (200, PARTS)
    assert installation.stop(signal.SIGTERM) == 0
