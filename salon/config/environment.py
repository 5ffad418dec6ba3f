"""Everything Salon reads from its environment, in one typed place.

No Django here: the gateway, the media process and the supervisor read the same settings without it.
Nothing else in Salon touches `os.environ`. Each option is documented in docs/hosting/configuration.md.
"""

import hashlib
import hmac
import os
import secrets
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

E = TypeVar("E", bound=StrEnum)

# A Unix socket's path is limited to 107 bytes (unix(7)); PostgreSQL appends "/.s.PGSQL.5432".
_LONGEST_SOCKET_FOLDER = 90
_KEY_WRITTEN_SECS = 1.0
_SHORTEST_KEY = 32
# A conversation has two at least; beyond a million it is a typing error.
_FEWEST_PEOPLE, _MOST_PEOPLE = 2, 1_000_000
_MOST_DAYS = 365


class ConfigurationError(Exception):
    """A setting is missing or makes no sense; the message says which one and what to write instead."""


class Mode(StrEnum):
    DEVELOPMENT = "development"
    PRODUCTION = "production"


class SignUpPolicy(StrEnum):
    INVITE = "invite"
    WAITLIST = "waitlist"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Environment:
    """The settings of one installation. Every process of it must see the same values."""

    mode: Mode
    data_dir: Path
    """Holds the private database, the secret key, uploads and sockets."""
    public_url: str
    """What people type, without a trailing slash."""
    host: str
    port: int
    """Where the gateway listens: the front door for pages, API and WebSocket."""
    web_port: int
    """Where Django listens, on loopback, behind the gateway."""
    media_control_port: int
    """Where the media process takes sessions and policies from web, on loopback, guarded by `internal_secret`."""
    media_port: int
    """The one port of sound: UDP, and TCP for networks that let no UDP out."""
    media_addresses: tuple[str, ...]
    """IP addresses put into ICE candidates; what a listener's browser can reach."""
    media_threads: int
    """Of the engine, 1 to 64."""
    media_listeners_at_home: int
    """Listeners of a room on the thread where it began, before other threads take more of them."""
    media_bypass: str | None
    """An interface over which sound leaves around the kernel's UDP stack."""
    media_long_packets_from: int
    """Listeners in a room's audience from which on it gets three frames of speech in a packet; 0: never."""
    media_realtime: bool
    """Whether the engine's threads run before everything in normal scheduling, where they may."""
    media_tcp_ports: tuple[int, ...]
    """Further TCP ports put there, such as 443, from which a proxy hands connections on to `media_port`."""
    operator_port: int
    """`GET /metrics`, on loopback."""
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...]
    """Where a reverse proxy may stand: only from these is `X-Forwarded-For` believed."""
    secret_key: str
    database_url: str
    nats_url: str | None
    sign_up_policy: SignUpPolicy
    anonymous_listening: bool
    room_capacity: int
    """How many may be in any one room; beyond it there is a line."""
    quality_days: int
    """How long it is kept how people's sound was; 0: not at all."""
    demo: bool
    smtp_url: str | None
    mail_from: str
    default_language: str

    @property
    def is_development(self) -> bool:
        return self.mode is Mode.DEVELOPMENT

    @property
    def internal_secret(self) -> str:
        """What Salon's own processes show each other; never leaves the machine."""
        return derived_secret(self.secret_key, "internal")


def derived_secret(secret_key: str, purpose: str) -> str:
    """A key for one purpose, so that leaking it leaks nothing else (HKDF-like, one HMAC-SHA256)."""
    return hmac.new(secret_key.encode(), purpose.encode(), hashlib.sha256).hexdigest()


def private_cluster_folder(data_dir: Path) -> Path:
    """Where `salon serve` keeps the PostgreSQL cluster that it makes when no database is named.

    In the data folder; but PostgreSQL refuses to run as root, and the user it runs as then cannot walk into a home like
    root's own. Rather than open that home to everybody, the cluster goes where system services keep theirs. A cluster that
    exists already stays where it is, whatever becomes of the folders above it.
    """
    beside = data_dir / "postgresql"
    apart = Path("/var/lib/salon") / hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16] / "postgresql"
    if os.geteuid() != 0 or beside.exists():
        return beside
    if apart.exists() or not all(_is_open(folder) for folder in data_dir.parents):
        return apart
    return beside


def _is_open(folder: Path) -> bool:
    """Whether everybody may walk through `folder`; one that does not exist yet will be made so."""
    try:
        return bool(folder.stat().st_mode & 0o001)
    except FileNotFoundError:
        return True


def socket_folder(cluster: Path) -> Path:
    """Beside the data where the path is short enough, else a folder in the temporary directory named after it."""
    beside = cluster.parent / "run"
    if len(os.fsencode(beside)) <= _LONGEST_SOCKET_FOLDER:
        return beside
    return Path(tempfile.gettempdir()) / f"salon-{hashlib.sha256(os.fsencode(cluster)).hexdigest()[:16]}"


def private_database_url(cluster: Path, database: str = "salon") -> str:
    return f"postgresql://postgres@/{database}?host={quote(str(socket_folder(cluster)), safe='')}"


@cache
def environment() -> Environment:
    """The installation's settings, read once per process."""
    return read_environment(os.environ)


def read_environment(env: Mapping[str, str]) -> Environment:
    """Parse settings, filling in defaults that suit a development installation.

    Raises ConfigurationError naming the variable. Writes one file: the secret key of a development
    installation, made on first use in the data directory.
    """
    mode = _choice(env, "SALON_MODE", Mode, Mode.DEVELOPMENT)
    data_dir = Path(env.get("SALON_DATA_DIR", ".salon")).absolute()
    port = _integer(env, "SALON_PORT", 8000)
    demo = _boolean(env, "SALON_DEMO", default=mode is Mode.DEVELOPMENT)
    if demo and mode is Mode.PRODUCTION:
        raise ConfigurationError(
            "SALON_DEMO=1 is for trying Salon out; a production installation refuses to start with it. Set SALON_DEMO=0."
        )
    public_url = env.get("SALON_PUBLIC_URL", f"http://localhost:{port}").rstrip("/")
    if mode is Mode.PRODUCTION:
        if "SALON_PUBLIC_URL" not in env:
            raise ConfigurationError("SALON_PUBLIC_URL is not set. Write the address people type, such as https://salon.example.org.")
        if not public_url.startswith("https://"):
            raise ConfigurationError("SALON_PUBLIC_URL must begin with https:// in production: browsers give no microphone to plain http.")
    return Environment(
        mode=mode,
        data_dir=data_dir,
        public_url=public_url,
        host=env.get("SALON_HOST", "127.0.0.1"),
        port=port,
        web_port=_integer(env, "SALON_WEB_PORT", port + 1),
        media_control_port=_integer(env, "SALON_MEDIA_CONTROL_PORT", port + 2),
        operator_port=_integer(env, "SALON_OPERATOR_PORT", port + 3),
        media_port=_integer(env, "SALON_MEDIA_PORT", port + 4),
        media_addresses=_addresses(env, "SALON_MEDIA_ADDRESSES", "127.0.0.1"),
        media_threads=_integer(env, "SALON_MEDIA_THREADS", 1),
        media_listeners_at_home=_listeners(env, "SALON_MEDIA_LISTENERS_AT_HOME", 256),
        media_bypass=env.get("SALON_MEDIA_BYPASS") or None,
        media_long_packets_from=_listeners(env, "SALON_MEDIA_LONG_PACKETS_FROM", 200),
        media_realtime=_boolean(env, "SALON_MEDIA_REALTIME", default=True),
        media_tcp_ports=_ports(env, "SALON_MEDIA_TCP_PORTS"),
        trusted_proxies=_networks(env, "SALON_TRUSTED_PROXIES", "127.0.0.1,::1"),
        secret_key=_secret_key(env, mode, data_dir),
        database_url=env.get("SALON_DATABASE_URL") or private_database_url(private_cluster_folder(data_dir)),
        nats_url=env.get("SALON_NATS_URL") or None,
        sign_up_policy=_choice(env, "SALON_SIGN_UP", SignUpPolicy, SignUpPolicy.OPEN if mode is Mode.DEVELOPMENT else SignUpPolicy.INVITE),
        anonymous_listening=_boolean(env, "SALON_ANONYMOUS_LISTENING", default=True),
        room_capacity=_people(env, "SALON_ROOM_CAPACITY", 5000),
        quality_days=_days(env, "SALON_QUALITY_DAYS", 30),
        demo=demo,
        smtp_url=_smtp_url(env, mode),
        mail_from=env.get("SALON_MAIL_FROM", "Salon <salon@localhost>"),
        default_language=env.get("SALON_DEFAULT_LANGUAGE", "en"),
    )


def _smtp_url(env: Mapping[str, str], mode: Mode) -> str | None:
    url = env.get("SALON_SMTP_URL") or None
    if url is None and mode is Mode.PRODUCTION:
        raise ConfigurationError("SALON_SMTP_URL is not set, so no sign-in code could be sent. Write smtp://user:password@host:587.")
    return url


def _secret_key(env: Mapping[str, str], mode: Mode, data_dir: Path) -> str:
    if path := env.get("SALON_SECRET_KEY_FILE"):
        try:
            return _long_enough(Path(path).read_text(encoding="utf-8").strip(), f"SALON_SECRET_KEY_FILE: the key in {path}")
        except OSError as error:
            raise ConfigurationError(f"SALON_SECRET_KEY_FILE: {path} cannot be read: {error.strerror}.") from error
        except UnicodeDecodeError as error:
            raise ConfigurationError(f"SALON_SECRET_KEY_FILE: {path} is not text. Make a key with: openssl rand -hex 32") from error
    if key := env.get("SALON_SECRET_KEY"):
        return _long_enough(key, "SALON_SECRET_KEY")
    if mode is Mode.PRODUCTION:
        raise ConfigurationError("SALON_SECRET_KEY is not set. Make one with: openssl rand -hex 32")
    path_in_data = data_dir / "secret-key"
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        # Exclusive creation: of two processes that start at once, one makes the key and both read it.
        descriptor = os.open(path_in_data, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return _written_key(path_in_data)
    except OSError as error:
        raise ConfigurationError(
            f"The data folder {data_dir} cannot be written: {error.strerror}. Make it writable, or name another with SALON_DATA_DIR."
        ) from error
    key = secrets.token_hex(32)
    with os.fdopen(descriptor, "w") as file:
        file.write(key)
    return key


def _long_enough(key: str, what: str) -> str:
    if len(key) < _SHORTEST_KEY:
        raise ConfigurationError(f"{what} is shorter than {_SHORTEST_KEY} characters. Make one with: openssl rand -hex 32")
    return key


def _written_key(path: Path) -> str:
    """The key in the file, which another process may have created a moment ago and not yet written."""
    deadline = time.monotonic() + _KEY_WRITTEN_SECS
    while not (key := path.read_text().strip()):
        if time.monotonic() > deadline:
            raise ConfigurationError(f"{path} is empty. Delete it, and a new secret key is made; everyone then signs in again.")
        time.sleep(0.01)
    return key


def _integer(env: Mapping[str, str], name: str, default: int) -> int:
    text = env.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 65536:
        raise ConfigurationError(f"{name} must be a port number from 1 to 65535, not {text!r}.")
    return int(text)


def _people(env: Mapping[str, str], name: str, default: int) -> int:
    text = env.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or not _FEWEST_PEOPLE <= int(text) <= _MOST_PEOPLE:
        raise ConfigurationError(f"{name} must be a number of people from {_FEWEST_PEOPLE} to {_MOST_PEOPLE}, not {text!r}.")
    return int(text)


def _listeners(env: Mapping[str, str], name: str, default: int) -> int:
    text = env.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or int(text) > _MOST_PEOPLE:
        raise ConfigurationError(f"{name} must be a number of listeners from 0 to {_MOST_PEOPLE}, not {text!r}.")
    return int(text)


def _days(env: Mapping[str, str], name: str, default: int) -> int:
    text = env.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or int(text) > _MOST_DAYS:
        raise ConfigurationError(f"{name} must be a number of days from 0 to {_MOST_DAYS}, not {text!r}.")
    return int(text)


def _listed(env: Mapping[str, str], name: str, default: str) -> list[str]:
    return [part.strip() for part in env.get(name, default).split(",") if part.strip()]


def _addresses(env: Mapping[str, str], name: str, default: str) -> tuple[str, ...]:
    try:
        addresses = tuple(str(ip_address(part)) for part in _listed(env, name, default))
    except ValueError as error:
        raise ConfigurationError(f"{name} must be IP addresses separated by commas: {error}.") from None
    if not addresses:
        raise ConfigurationError(f"{name} is empty. Write the IP address that listeners reach this machine by.")
    return addresses


def _ports(env: Mapping[str, str], name: str) -> tuple[int, ...]:
    listed = _listed(env, name, "")
    if not all(text.isascii() and text.isdecimal() and 0 < int(text) < 2**16 for text in listed):
        raise ConfigurationError(f"{name} must be port numbers with commas between, such as 443, not {env.get(name)!r}.")
    return tuple(int(text) for text in listed)


def _networks(env: Mapping[str, str], name: str, default: str) -> tuple[IPv4Network | IPv6Network, ...]:
    try:
        return tuple(ip_network(part) for part in _listed(env, name, default))
    except ValueError as error:
        raise ConfigurationError(f"{name} must be IP addresses or networks separated by commas: {error}.") from None


def _boolean(env: Mapping[str, str], name: str, *, default: bool) -> bool:
    text = env.get(name)
    if text is None:
        return default
    if text.lower() in ("1", "true", "yes", "on"):
        return True
    if text.lower() in ("0", "false", "no", "off", ""):
        return False
    raise ConfigurationError(f"{name} must be 1 or 0, not {text!r}.")


def _choice(env: Mapping[str, str], name: str, kind: type[E], default: E) -> E:
    text = env.get(name)
    if text is None:
        return default
    try:
        return kind(text)
    except ValueError:
        raise ConfigurationError(f"{name} must be one of {', '.join(kind)}, not {text!r}.") from None
