"""Janus from Debian, its VideoRoom plugin, which forwards without mixing: as it comes, and with one event loop for all sessions."""

import shutil
from pathlib import Path

from bench.peers.server import OtherServer, first_line
from bench.ports import free_ports
from bench.programs import BenchFailed

_LIBRARY = "/usr/lib/*-linux-gnu/janus"
_PLUGIN = "libjanus_videoroom.so"
_TRANSPORT = "libjanus_websockets.so"


class Janus(OtherServer):
    name = "janus"
    protocol = "janus"
    title = "Janus (as Debian ships it)"
    media = ""  # further lines of its configuration

    def __init__(self) -> None:
        super().__init__()
        self._port = 0

    def command(self) -> list[str]:
        libraries = list(Path("/").glob(_LIBRARY.lstrip("/")))
        if shutil.which("janus") is None or not libraries:
            raise BenchFailed("janus is not installed: scripts/install-debian janus")
        self._port = free_ports(1)
        main = self.folder / "janus.jcfg"
        plugins, transports = libraries[0] / "plugins", libraries[0] / "transports"
        main.write_text(
            "general: {\n"
            f'  configs_folder = "{self.folder}"\n'
            f'  plugins_folder = "{plugins}"\n'
            f'  transports_folder = "{transports}"\n'
            "  debug_level = 2\n"
            f"  {self.media}\n"
            "}\n"
            # Only what a room needs: the others would open ports and log what they miss.
            f'plugins: {{ disable = "{_all_but(plugins, _PLUGIN)}" }}\n'
            f'transports: {{ disable = "{_all_but(transports, _TRANSPORT)}" }}\n'
        )
        (self.folder / "janus.transport.websockets.jcfg").write_text(
            f'general: {{ ws = true\n ws_ip = "127.0.0.1"\n ws_port = {self._port}\n wss = false\n}}\n'
        )
        return ["janus", "--configs-folder", str(self.folder), "--config", str(main)]

    def port(self) -> int:
        return self._port

    def version(self) -> str:
        return first_line(["janus", "--version"], "Janus version").partition("(")[2].strip(")") or "unknown"

    def client_options(self) -> dict[str, str]:
        return {"address": f"ws://127.0.0.1:{self._port}"}


class JanusEventLoop(Janus):
    name = "janus_event_loop"
    title = "Janus with one event loop"
    media = "event_loops = 1"


def _all_but(folder: Path, kept: str) -> str:
    return ",".join(sorted(path.name for path in folder.glob("*.so") if path.name != kept))
