"""One private PostgreSQL cluster for the whole run, and settings that no machine's environment can bend."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import django
import pytest

_FOLDER = tempfile.TemporaryDirectory(prefix="salon-tests-")
DATA_DIR = Path(_FOLDER.name)
for _name in [name for name in os.environ if name.startswith("SALON_")]:
    del os.environ[_name]
os.environ |= {
    "SALON_DATA_DIR": str(DATA_DIR),
    "SALON_SECRET_KEY": "only-for-tests-only-for-tests-only-for-tests",
    "SALON_DEMO": "0",
    "DJANGO_SETTINGS_MODULE": "salon.config.settings",
}

from salon.cli.postgres import PrivateCluster, database_url  # noqa: E402  (settings first)

os.environ["SALON_DATABASE_URL"] = database_url(DATA_DIR / "postgresql")
django.setup()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes() -> None:
    """Of several processes each has a folder and a cluster of its own; what it inherited would already name this one's."""
    for name in [name for name in os.environ if name.startswith("SALON_") or name == "DJANGO_SETTINGS_MODULE"]:
        del os.environ[name]


@pytest.fixture(scope="session")
def cluster() -> Iterator[PrivateCluster]:
    # Durability off: these clusters are thrown away, and fsync is most of a small test's time.
    cluster = PrivateCluster(DATA_DIR / "postgresql", {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"})
    cluster.start()
    try:
        yield cluster
    finally:
        cluster.stop()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(cluster: PrivateCluster) -> None:
    """pytest-django asks for this just before it makes the test database: the cluster must run by then."""
