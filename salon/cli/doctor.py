"""`salon doctor`: is this machine fit for Salon, and is this installation all right? Plain sentences, and what to do."""

import importlib
import json
import os
import resource
import shutil
import socket
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path

from salon.cli.failures import Failure
from salon.cli.ports import ports_of
from salon.cli.postgres import PostgresMissing, find_binaries
from salon.common.paths import CLIENT_DIST
from salon.config.environment import Environment, environment, private_cluster_folder, private_database_url, socket_folder

_LEAST_DISK_BYTES = 1 << 30
_LEAST_FILES = 4096


class Verdict(StrEnum):
    GOOD = "good"
    NOTICE = "notice"
    """Works, but somebody should know."""
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Finding:
    check: str
    verdict: Verdict
    sentence: str


def report(*, as_json: bool) -> int:
    """Print every finding; 1 when one is bad."""
    settings = environment()
    findings = list(examine(settings))
    if as_json:
        print(json.dumps({"findings": [asdict(finding) for finding in findings]}, ensure_ascii=False))
    else:
        marks = {Verdict.GOOD: "✓", Verdict.NOTICE: "•", Verdict.BAD: "✗"}
        for finding in findings:
            print(f"  {marks[finding.verdict]} {finding.sentence}")
    return 1 if any(finding.verdict is Verdict.BAD for finding in findings) else 0


def examine(settings: Environment) -> Iterator[Finding]:
    """Every check, the machine's first; a check that fails by itself is a bad finding, not a crash."""
    health = _health(settings)
    yield _attempt("python", _python)
    yield _attempt("engine", _engine)
    yield _attempt("client", _client)
    yield _attempt("postgresql", lambda: _postgresql(settings))
    yield _attempt("data folder", lambda: _data_folder(settings.data_dir))
    yield _attempt("open files", _open_files)
    yield _attempt("media addresses", lambda: _media_addresses(settings))
    yield _attempt("mode", lambda: _mode(settings))
    if health is None:
        yield from _ports(settings)
        yield Finding("running", Verdict.NOTICE, "Salon is not running here. Start it with: salon serve")
    else:
        yield from _parts(health)
        yield _attempt("database", lambda: _migrations(settings))


def _attempt(check: str, examine_one: Callable[[], Finding]) -> Finding:
    try:
        return examine_one()
    except Failure as failure:
        return Finding(check, Verdict.BAD, str(failure))
    except Exception as error:  # a doctor reports what it cannot examine, whatever it is
        return Finding(check, Verdict.BAD, f"The check “{check}” failed by itself: {type(error).__name__}: {error}")


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < (3, 11):  # noqa: UP036  (this is what is being examined)
        raise Failure(f"Python {version} is too old: Salon needs 3.11 or newer.")
    return Finding("python", Verdict.GOOD, f"Python {version}.")


def _engine() -> Finding:
    try:
        importlib.import_module("salon.relay._engine")
    except ImportError as error:
        raise Failure(f"The media engine cannot be loaded ({error}). In a checkout, build it with: make build") from error
    return Finding("engine", Verdict.GOOD, "The media engine is built and loads.")


def _client() -> Finding:
    if not (CLIENT_DIST / "index.html").exists():
        raise Failure("The browser client is not built. In a checkout, build it with: make build")
    return Finding("client", Verdict.GOOD, "The browser client is built.")


def _postgresql(settings: Environment) -> Finding:
    cluster = private_cluster_folder(settings.data_dir)
    if settings.database_url != private_database_url(cluster):
        return Finding("postgresql", Verdict.GOOD, "PostgreSQL is the one that SALON_DATABASE_URL names.")
    try:
        folder = find_binaries()
    except PostgresMissing as missing:
        raise Failure(str(missing)) from missing
    sentence = f"PostgreSQL's programs are in {folder}, the database is in {cluster}, its socket in {socket_folder(cluster)}."
    return Finding("postgresql", Verdict.GOOD, sentence)


def _data_folder(folder: Path) -> Finding:
    existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
    try:
        with tempfile.TemporaryFile(dir=existing):
            pass
    except OSError as error:
        raise Failure(f"The data folder {folder} cannot be written: {error.strerror}. Choose another with SALON_DATA_DIR.") from error
    free = shutil.disk_usage(existing).free
    if free < _LEAST_DISK_BYTES:
        raise Failure(f"Only {free >> 20} MiB are free where the data lies ({existing}); Salon wants 1 GiB at least.")
    return Finding("data folder", Verdict.GOOD, f"The data folder {folder} can be written, {free >> 30} GiB are free.")


def _open_files() -> Finding:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < _LEAST_FILES:
        sentence = f"Only {hard} files may be open at once, so at most about {max(hard - 200, 0)} people. Raise it: ulimit -Hn 65536"
        return Finding("open files", Verdict.NOTICE, sentence)
    return Finding("open files", Verdict.GOOD, f"{hard} files may be open at once.")


def _media_addresses(settings: Environment) -> Finding:
    addresses = ", ".join(settings.media_addresses)
    if all(address.startswith("127.") or address == "::1" for address in settings.media_addresses):
        verdict = Verdict.NOTICE if settings.is_development else Verdict.BAD
        sentence = (
            f"Sound is offered on {addresses} only, which no other machine reaches. Name the public address in SALON_MEDIA_ADDRESSES."
        )
        return Finding("media addresses", verdict, sentence)
    return Finding("media addresses", Verdict.GOOD, f"Sound is offered on {addresses}, UDP port {settings.media_port}.")


def _mode(settings: Environment) -> Finding:
    if settings.is_development and not _is_loopback(settings.host):
        raise Failure(
            f"Salon is in development mode and listens on {settings.host or 'every address'}: everybody who reaches it reads all sign-in "
            "codes at /development/mailbox. Set SALON_MODE=production, or SALON_HOST=127.0.0.1."
        )
    return Finding("mode", Verdict.GOOD, f"Salon is in {settings.mode} mode and listens on {settings.host}.")


def _is_loopback(host: str) -> bool:
    """False for a name but localhost: where that leads is not known here."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _ports(settings: Environment) -> Iterable[Finding]:
    for port in ports_of(settings):
        kind = "UDP" if port.kind is socket.SOCK_DGRAM else "TCP"
        check = f"port {port.number}"
        try:
            is_free = port.is_free()
        except Failure as failure:
            yield Finding(check, Verdict.BAD, str(failure))
            continue
        if is_free:
            yield Finding(check, Verdict.GOOD, f"{kind} port {port.number} is free.")
        else:
            holder = _holder_of(port.number, port.kind)
            by = f" by {holder}" if holder else ""
            sentence = f"{kind} port {port.number} is taken{by}. Stop it, or choose another with {port.setting}."
            yield Finding(check, Verdict.BAD, sentence)


def _holder_of(number: int, kind: socket.SocketKind) -> str | None:
    """The program that holds a port, by Linux's /proc; None where that cannot be seen."""
    table = "udp" if kind is socket.SOCK_DGRAM else "tcp"
    inodes = set()
    for name in (table, f"{table}6"):
        path = Path("/proc/net") / name
        for line in path.read_text().splitlines()[1:] if path.exists() else ():
            fields = line.split()
            listening = kind is socket.SOCK_DGRAM or fields[3] == "0A"
            if listening and int(fields[1].rpartition(":")[2], 16) == number:
                inodes.add(f"socket:[{fields[9]}]")
    for descriptor in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            if os.readlink(descriptor) in inodes:  # noqa: PTH115  (Path.readlink would build a path of "socket:[…]")
                process = descriptor.parts[2]
                return f"{(Path('/proc') / process / 'comm').read_text().strip()} (process {process})"
        except OSError:
            continue  # ended meanwhile, or another user's
    return None


def _health(settings: Environment) -> dict[str, str] | None:
    """The running installation's parts; None when nothing of Salon answers."""
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "") else settings.host  # noqa: S104  (a comparison)
    try:
        with urllib.request.urlopen(f"http://{host}:{settings.port}/healthz", timeout=5) as answer:
            return dict(json.load(answer)["parts"])
    except urllib.error.HTTPError as refusal:
        try:
            return dict(json.load(refusal)["parts"])
        except (ValueError, KeyError):
            return None
    except (OSError, ValueError, KeyError):
        return None


def _parts(health: dict[str, str]) -> Iterable[Finding]:
    for part, state in health.items():
        ready = state == "ready"
        sentence = f"{part} is ready." if ready else f"{part} is not ready ({state}). Its log is in the data folder, under logs."
        yield Finding(part, Verdict.GOOD if ready else Verdict.BAD, sentence)


def _migrations(settings: Environment) -> Finding:
    import django  # noqa: PLC0415  (only this check needs it)

    django.setup()
    from django.db import connection  # noqa: PLC0415
    from django.db.migrations.executor import MigrationExecutor  # noqa: PLC0415

    try:
        executor = MigrationExecutor(connection)
        pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    finally:
        connection.close_pool()  # type: ignore[attr-defined]  # its threads would hold the exit up
    if pending:
        raise Failure(f"{len(pending)} changes of the database schema wait. Apply them with: salon manage migrate")
    return Finding("database", Verdict.GOOD, "The database answers and its schema is up to date.")
