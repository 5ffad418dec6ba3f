"""LiveKit: its server, built from the Go module that pinned/livekit names, as one node without Redis."""

import shutil
import subprocess
import sys

from bench.peers.server import OtherServer, first_line
from bench.ports import free_ports
from bench.programs import BUILT, FOLDER, BenchFailed

_MODULE = "github.com/livekit/livekit-server"
_PINNED = FOLDER / "peers" / "pinned" / "livekit"
_BINARY = BUILT / "livekit-server"
_BUILD_PATIENCE_SECS = 20 * 60
_KEY, _SECRET = "bench", "a secret that signs tokens of this bench alone"


class LiveKit(OtherServer):
    name = "livekit"
    protocol = "livekit"
    title = "LiveKit (defaults)"
    rtc = ""  # further lines of its configuration

    def __init__(self) -> None:
        super().__init__()
        self._port = 0

    def prepare(self) -> None:
        if shutil.which("go") is None:
            raise BenchFailed("go is missing: it builds LiveKit's server")
        BUILT.mkdir(parents=True, exist_ok=True)
        command = ["go", "build", "-trimpath", "-o", str(_BINARY), f"{_MODULE}/cmd/server"]
        try:
            result = subprocess.run(command, cwd=_PINNED, stdout=sys.stderr, check=False, timeout=_BUILD_PATIENCE_SECS)
        except subprocess.TimeoutExpired as error:
            raise BenchFailed(f"LiveKit's server could not be built: {error}") from error
        if result.returncode != 0:
            raise BenchFailed("LiveKit's server could not be built; what go said stands above")

    def command(self) -> list[str]:
        self._port = free_ports(3)  # signalling, sound, sound over TCP
        configuration = self.folder / "livekit.yaml"
        configuration.write_text(
            f"port: {self._port}\n"
            "bind_addresses: [127.0.0.1]\n"
            "rtc:\n"
            f"  udp_port: {self._port + 1}\n"
            f"  tcp_port: {self._port + 2}\n"
            "  use_external_ip: false\n"
            "  node_ip: 127.0.0.1\n"
            "  enable_loopback_candidate: true\n"
            f"{self.rtc}"
            "keys:\n"
            f"  {_KEY}: {_SECRET}\n"
            "logging:\n"
            "  level: error\n"
        )
        return [str(_BINARY), "--config", str(configuration)]

    def port(self) -> int:
        return self._port

    def version(self) -> str:
        return first_line(["go", "-C", str(_PINNED), "list", "-m", "-f", "{{.Version}}", _MODULE]).removeprefix("v")

    def client_options(self) -> dict[str, str]:
        return {"address": f"http://127.0.0.1:{self._port}", "key": _KEY, "secret": _SECRET}


class LiveKitBatched(LiveKit):
    """With the batches of system calls that its sample configuration describes and leaves off, at the size written there."""

    name = "livekit_batch_io"
    title = "LiveKit with batch_io"
    rtc = "  batch_io:\n    batch_size: 128\n    max_flush_interval: 2ms\n"
