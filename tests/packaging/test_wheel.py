"""The release wheel, installed where there is neither Rust nor Node nor a checkout, runs a whole Salon."""

import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.ports import free_ports

CHECKOUT = Path(__file__).resolve().parents[2]
START_WITHIN_SECS = 60

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    maturin = Path(sys.executable).with_name("maturin")
    subprocess.run([maturin, "build", "--quiet", "--release", "--locked", "--out", folder], cwd=CHECKOUT, check=True)
    [built] = folder.glob("salon-*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel and its pinned dependencies; returns its `bin`."""
    environment = tmp_path_factory.mktemp("bare") / "venv"
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    pip = [environment / "bin" / "python", "-m", "pip", "install", "--quiet"]
    subprocess.run([*pip, "--require-hashes", "-r", CHECKOUT / "requirements.txt"], check=True)
    subprocess.run([*pip, "--no-deps", wheel], check=True)
    return environment / "bin"


def test_wheel_carries_the_engine_the_client_and_the_translations(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert "salon/relay/_engine.abi3.so" in names
    assert "salon/web/client/index.html" in names
    assert "salon/locale/fr/LC_MESSAGES/django.mo" in names
    assert "salon/quality/static/quality/sound_quality.css" in names
    assert any(name.startswith("salon/demo/speech/") for name in names)
    assert not any("node_modules" in name or name.startswith("tests/") or name.endswith(".rs") for name in names)


def test_wheel_fits_every_python_from_3_11(wheel: Path) -> None:
    assert "-cp311-abi3-" in wheel.name


@pytest.fixture
def bare_path(installed: Path, tmp_path: Path) -> dict[str, str]:
    """An environment in which neither cargo nor node nor the checkout can be found."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for tool in ("sh", "env", "psql"):
        if found := shutil.which(tool):
            (tools / tool).symlink_to(found)
    return {"PATH": f"{installed}:{tools}:/usr/bin:/bin", "HOME": str(tmp_path), "LANG": "C.UTF-8"}


@pytest.fixture
def address(installed: Path, bare_path: dict[str, str], tmp_path: Path) -> Iterator[str]:
    port = free_ports(5)
    with tempfile.TemporaryDirectory(prefix="salon-wheel-") as data, (tmp_path / "output").open("wb") as output:
        Path(data).chmod(0o711)  # PostgreSQL, which does not run as root, walks through it to its own folder
        environment = bare_path | {"SALON_DATA_DIR": f"{data}/data", "SALON_PORT": str(port), "SALON_DEMO": "0"}
        serve = subprocess.Popen([installed / "salon", "serve"], env=environment, cwd=tmp_path, stdout=output, stderr=output)
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            serve.send_signal(signal.SIGINT)
            serve.wait(30)


def test_installed_wheel_serves_a_ready_salon_with_its_client(address: str, tmp_path: Path) -> None:
    health = _wait_until_ready(address, tmp_path / "output")
    assert health["status"] == "ready"
    with urllib.request.urlopen(address, timeout=10) as page:
        assert b'<script type="module"' in page.read()


def _wait_until_ready(address: str, output: Path) -> dict[str, object]:
    deadline = time.monotonic() + START_WITHIN_SECS
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{address}/healthz", timeout=5) as answer:
                health: dict[str, object] = json.load(answer)
                return health
        except OSError:
            time.sleep(0.2)
    raise AssertionError(f"not ready: {output.read_text()}")
