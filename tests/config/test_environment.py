import os
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from salon.config.environment import (
    ConfigurationError,
    Mode,
    SignUpPolicy,
    derived_secret,
    private_cluster_folder,
    read_environment,
    socket_folder,
)

KEY = "k" * 32
PRODUCTION = {
    "SALON_MODE": "production",
    "SALON_PUBLIC_URL": "https://salon.example.org/",
    "SALON_SECRET_KEY": KEY,
    "SALON_SMTP_URL": "smtp://mail.example.org",
}


def refusal(**env: str) -> str:
    with pytest.raises(ConfigurationError) as refused:
        read_environment({"SALON_SECRET_KEY": KEY} | env)
    return str(refused.value)


def test_nothing_set_suits_development(tmp_path: Path) -> None:
    settings = read_environment({"SALON_DATA_DIR": str(tmp_path)})

    assert (settings.mode, settings.is_development, settings.demo) == (Mode.DEVELOPMENT, True, True)
    assert (settings.public_url, settings.host) == ("http://localhost:8000", "127.0.0.1")
    assert settings.sign_up_policy is SignUpPolicy.OPEN
    assert (settings.smtp_url, settings.nats_url) == (None, None)


def test_ports_follow_the_first() -> None:
    settings = read_environment({"SALON_SECRET_KEY": KEY, "SALON_PORT": "9000", "SALON_MEDIA_PORT": "5000"})

    assert (settings.port, settings.web_port, settings.media_control_port, settings.operator_port) == (9000, 9001, 9002, 9003)
    assert (settings.media_port, settings.public_url) == (5000, "http://localhost:9000")


def test_long_packets_may_begin_anywhere_or_never() -> None:
    name = "SALON_MEDIA_LONG_PACKETS_FROM"

    read = [read_environment({"SALON_SECRET_KEY": KEY} | env).media_long_packets_from for env in ({}, {name: "0"}, {name: "1"})]

    assert read == [200, 0, 1]
    for wrong in ("-1", "many", "1000001"):
        assert refusal(**{name: wrong}) == f"{name} must be a number of listeners from 0 to 1000000, not {wrong!r}."


def test_sound_comes_first_unless_told_otherwise() -> None:
    environments: list[dict[str, str]] = [{}, {"SALON_MEDIA_REALTIME": "0"}]

    assert [read_environment({"SALON_SECRET_KEY": KEY} | env).media_realtime for env in environments] == [True, False]


def test_audience_may_be_spread_from_the_first_listener_on() -> None:
    name = "SALON_MEDIA_LISTENERS_AT_HOME"

    read = [read_environment({"SALON_SECRET_KEY": KEY} | env).media_listeners_at_home for env in ({}, {name: "0"})]

    assert read == [256, 0]
    assert refusal(**{name: "some"}) == f"{name} must be a number of listeners from 0 to 1000000, not 'some'."


def test_secret_key_is_made_once_and_kept_from_others(tmp_path: Path) -> None:
    env = {"SALON_DATA_DIR": str(tmp_path / "new")}

    first, second = read_environment(env), read_environment(env)

    assert first.secret_key == second.secret_key
    assert len(first.secret_key) == 64
    assert (tmp_path / "new" / "secret-key").stat().st_mode & 0o777 == 0o600


def test_secret_key_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"{KEY}\n")

    assert read_environment({"SALON_SECRET_KEY_FILE": str(tmp_path / "key")}).secret_key == KEY
    with pytest.raises(ConfigurationError, match=r"SALON_SECRET_KEY_FILE: .*gone cannot be read: No such file or directory\."):
        read_environment({"SALON_SECRET_KEY_FILE": str(tmp_path / "gone")})


@pytest.mark.parametrize(
    ("content", "fault"),
    [(b"", "is shorter than 32 characters"), (b"k" * 31 + b"\n", "is shorter than 32 characters"), (b"\xff" * 40, "is not text")],
    ids=["empty", "short", "binary"],
)
def test_file_without_a_good_secret_key_is_refused(tmp_path: Path, content: bytes, fault: str) -> None:
    path = tmp_path / "key"
    path.write_bytes(content)

    with pytest.raises(ConfigurationError, match=rf"^SALON_SECRET_KEY_FILE: .*{fault}\. Make .* with: openssl rand -hex 32$"):
        read_environment({"SALON_SECRET_KEY_FILE": str(path)})


def test_empty_secret_key_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret-key").touch()

    with pytest.raises(ConfigurationError, match=r"secret-key is empty\. Delete it"):
        read_environment({"SALON_DATA_DIR": str(tmp_path)})


def test_each_purpose_has_a_secret_of_its_own() -> None:
    secrets = {derived_secret(KEY, purpose) for purpose in ("internal", "ticket", "grant", "django")}

    assert len(secrets | {KEY}) == 5
    assert derived_secret(KEY, "ticket") == derived_secret(KEY, "ticket")


def test_production_with_what_it_needs() -> None:
    settings = read_environment(PRODUCTION)

    assert (settings.public_url, settings.demo, settings.sign_up_policy) == ("https://salon.example.org", False, SignUpPolicy.INVITE)


@pytest.mark.parametrize("name", ["SALON_PUBLIC_URL", "SALON_SECRET_KEY", "SALON_SMTP_URL"])
def test_production_without_what_it_needs(name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^{name} is not set"):
        read_environment({key: value for key, value in PRODUCTION.items() if key != name})


def test_production_refuses_the_demo_and_plain_http() -> None:
    assert refusal(**PRODUCTION | {"SALON_DEMO": "1"}).startswith("SALON_DEMO=1 is for trying Salon out")
    assert refusal(**PRODUCTION | {"SALON_PUBLIC_URL": "http://salon.example.org"}).startswith("SALON_PUBLIC_URL must begin with https://")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SALON_PORT", "0"),
        ("SALON_PORT", "65536"),
        ("SALON_WEB_PORT", "+1"),
        ("SALON_MEDIA_PORT", "٣"),
        ("SALON_MODE", "live"),
        ("SALON_SIGN_UP", "nobody"),
        ("SALON_ANONYMOUS_LISTENING", "perhaps"),
        ("SALON_ROOM_CAPACITY", "1"),
        ("SALON_ROOM_CAPACITY", "1000001"),
        ("SALON_ROOM_CAPACITY", "many"),
        ("SALON_MEDIA_ADDRESSES", "salon.example.org"),
        ("SALON_MEDIA_ADDRESSES", " , "),
        ("SALON_TRUSTED_PROXIES", "10.0.0.1/8"),
        ("SALON_SECRET_KEY", "short"),
    ],
)
def test_refusal_names_the_setting(name: str, value: str) -> None:
    assert refusal(**{name: value}).startswith(name)


@pytest.mark.parametrize(("text", "value"), [("1", True), ("TRUE", True), ("on", True), ("0", False), ("no", False), ("", False)])
def test_yes_and_no(text: str, value: bool) -> None:
    assert read_environment({"SALON_SECRET_KEY": KEY, "SALON_ANONYMOUS_LISTENING": text}).anonymous_listening is value


@pytest.mark.parametrize(
    ("env", "people"), [({}, 5000), ({"SALON_ROOM_CAPACITY": "2"}, 2), ({"SALON_ROOM_CAPACITY": "1000000"}, 1_000_000)]
)
def test_room_capacity(env: dict[str, str], people: int) -> None:
    assert read_environment({"SALON_SECRET_KEY": KEY} | env).room_capacity == people


def test_addresses_and_networks() -> None:
    settings = read_environment(
        {"SALON_SECRET_KEY": KEY, "SALON_MEDIA_ADDRESSES": "203.0.113.7, 2001:DB8::7", "SALON_TRUSTED_PROXIES": "10.0.0.0/8,::1"}
    )

    assert settings.media_addresses == ("203.0.113.7", "2001:db8::7")
    assert settings.trusted_proxies == (ip_network("10.0.0.0/8"), ip_network("::1"))


@pytest.mark.parametrize(("value", "ports"), [("", ()), ("443", (443,)), (" 443, 80 ", (443, 80))])
def test_media_tcp_ports(value: str, ports: tuple[int, ...]) -> None:
    assert read_environment({"SALON_SECRET_KEY": KEY, "SALON_MEDIA_TCP_PORTS": value}).media_tcp_ports == ports


@pytest.mark.parametrize("value", ["0", "65536", "-1", "https", "443;80", "٤٤٣"])
def test_media_tcp_ports_that_are_none(value: str) -> None:
    with pytest.raises(ConfigurationError, match="SALON_MEDIA_TCP_PORTS"):
        read_environment({"SALON_SECRET_KEY": KEY, "SALON_MEDIA_TCP_PORTS": value})


def test_default_database_is_the_private_clusters(tmp_path: Path) -> None:
    settings = read_environment({"SALON_SECRET_KEY": KEY, "SALON_DATA_DIR": str(tmp_path)})

    url = urlsplit(settings.database_url)
    assert (url.scheme, url.path) == ("postgresql", "/salon")
    assert parse_qs(url.query) == {"host": [str(socket_folder(private_cluster_folder(tmp_path)))]}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's PostgreSQL runs as somebody else")
def test_cluster_of_root_stays_out_of_a_closed_home_and_where_it_once_was(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    data_dir = home / "data"

    assert private_cluster_folder(data_dir).parent.parent == Path("/var/lib/salon")
    (data_dir / "postgresql").mkdir(parents=True)
    assert private_cluster_folder(data_dir) == data_dir / "postgresql"


def test_socket_folder_moves_where_the_path_would_be_too_long(tmp_path: Path) -> None:
    short, long = Path("/srv/salon/postgresql"), Path("/srv") / ("long" * 30) / "postgresql"

    assert socket_folder(short) == Path("/srv/salon/run")
    assert len(str(socket_folder(long))) < 90
    assert socket_folder(long) == socket_folder(long) != socket_folder(long.parent / "other")


def test_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(ConfigurationError) as refused:
        read_environment({"SALON_DATA_DIR": str(tmp_path / "file" / "data")})
    assert str(refused.value) == (
        f"The data folder {tmp_path}/file/data cannot be written: Not a directory. Make it writable, or name another with SALON_DATA_DIR."
    )
