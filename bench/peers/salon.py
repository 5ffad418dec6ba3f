"""Salon itself: `salon serve` as it starts for anybody. What counts is the media process, as for `media.us_per_packet`."""

import tomllib
from types import TracebackType
from typing import Self

from bench.installation import ROOT, Installation
from bench.peers.server import Server, processor_secs
from bench.processes import cpu_secs


class Salon(Server):
    name = "salon"
    protocol = "salon"
    title = "Salon (media process)"

    def __init__(self) -> None:
        self._installation = Installation()
        self._media_pid = 0

    def __enter__(self) -> Self:
        self._installation.__enter__()
        try:
            self._installation.start()
            self._media_pid = self._installation.media_pid()
        except BaseException:
            self._installation.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._installation.__exit__(kind, error, trace)

    def version(self) -> str:
        return str(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"])

    def pids(self) -> list[int]:
        return [self._media_pid]

    def cpu_secs(self) -> dict[int, float]:
        """Raises ProcessGone: a media process that was replaced would look like one that costs nothing."""
        return {self._media_pid: cpu_secs(self._media_pid)}

    def everything_cpu_secs(self) -> dict[int, float]:
        """Processor time of all that Salon runs: web, gateway, worker, supervisor, media and the private PostgreSQL."""
        return processor_secs(self._installation.pids() + self._installation.postgres_pids())

    def client_options(self) -> dict[str, str]:
        return {"address": self._installation.base, "tokens": str(self._installation.tokens(1))}
