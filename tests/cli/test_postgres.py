"""The private cluster's folders: who may enter, and what is not taken for ours."""

import os
import pwd
import stat
import tempfile
from pathlib import Path

import psycopg
import pytest

from salon.cli.postgres import PostgresFailed, PrivateCluster

AS_ROOT = os.geteuid() == 0
OURS = pwd.getpwnam("postgres").pw_uid if AS_ROOT else os.geteuid()


@pytest.fixture
def socket_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the socket of a cluster with a long path goes; there is nothing yet."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return PrivateCluster(cluster_folder(tmp_path)).socket_folder


@pytest.fixture
def new_cluster(tmp_path: Path, socket_folder: Path, monkeypatch: pytest.MonkeyPatch) -> PrivateCluster:
    """Prepared without making a cluster in the folder, which is not the subject here."""
    monkeypatch.setattr(PrivateCluster, "_run", lambda *args, **kwargs: 0)
    return PrivateCluster(cluster_folder(tmp_path))


def cluster_folder(parent: Path) -> Path:
    return parent / ("long" * 25) / "postgresql"


def test_socket_folder_is_made_for_us_alone(new_cluster: PrivateCluster, socket_folder: Path) -> None:
    new_cluster.prepare()

    found = socket_folder.lstat()
    assert (stat.S_IMODE(found.st_mode), found.st_uid) == (0o700, OURS)


def test_socket_folder_of_ours_is_closed_where_it_stood_open(new_cluster: PrivateCluster, socket_folder: Path) -> None:
    socket_folder.mkdir()
    socket_folder.chmod(0o777)

    new_cluster.prepare()

    found = socket_folder.lstat()
    assert (stat.S_IMODE(found.st_mode), found.st_uid) == (0o700, OURS)


@pytest.mark.parametrize("what", ["file", "link", "dangling link"])
def test_what_is_no_folder_is_not_taken(new_cluster: PrivateCluster, socket_folder: Path, what: str) -> None:
    elsewhere = socket_folder.parent / "elsewhere"
    if what == "file":
        socket_folder.touch()
    else:
        socket_folder.symlink_to(elsewhere)
    if what == "link":
        elsewhere.mkdir(mode=0o755)

    with pytest.raises(PostgresFailed, match=f"^{socket_folder} is not a folder of our own"):
        new_cluster.prepare()
    if what == "link":
        assert (stat.S_IMODE(elsewhere.stat().st_mode), elsewhere.stat().st_uid) == (0o755, os.geteuid())


@pytest.mark.skipif(not AS_ROOT, reason="only root can make another's folder")
def test_another_users_folder_is_not_taken(new_cluster: PrivateCluster, socket_folder: Path) -> None:
    another = pwd.getpwnam("nobody").pw_uid
    socket_folder.mkdir(mode=0o700)
    os.chown(socket_folder, another, -1)

    with pytest.raises(PostgresFailed, match=f"^{socket_folder} is not a folder of our own"):
        new_cluster.prepare()
    assert socket_folder.stat().st_uid == another


def test_socket_itself_lets_nobody_else_in(cluster: PrivateCluster) -> None:
    with psycopg.connect(cluster.start()) as connection:
        assert connection.execute("show unix_socket_permissions").fetchone() == ("0700",)
    assert stat.S_IMODE((cluster.socket_folder / ".s.PGSQL.5432").stat().st_mode) == 0o700
