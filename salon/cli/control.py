"""How other commands speak to a running `salon serve`: a socket in the data folder, one line each way."""

import asyncio
import contextlib
import os
import socket
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

from salon.cli.failures import Failure

_NAME = "serve.sock"
_LINE_BYTES = 4096
_ANSWER_SECS = 150.0


class ControlPort:
    """on_line: answers a line; a Failure that it raises is told to whoever asked."""

    def __init__(self, data_dir: Path, on_line: Callable[[str], Awaitable[str]]) -> None:
        self._path = data_dir / _NAME
        self._on_line = on_line
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        self._path.unlink(missing_ok=True)
        port = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        with _short(self._path) as path:
            port.bind(path)
        self._path.chmod(0o600)
        self._server = await asyncio.start_unix_server(self._answer, sock=port, limit=_LINE_BYTES)

    def close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._path.unlink(missing_ok=True)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            line = (await reader.readline()).decode(errors="replace").strip()
            try:
                answer = f"ok {await self._on_line(line)}"
            except Failure as failure:
                answer = f"failed {failure}"
            writer.write(f"{answer}\n".encode())
            await writer.drain()
        except (ConnectionError, ValueError):
            pass  # whoever asked has gone, or asked at too great length
        finally:
            writer.close()


def ask_supervisor(data_dir: Path, line: str) -> str:
    """The answer. Raises Failure with the supervisor's sentence, or if none runs on this folder."""
    path = data_dir / _NAME
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(_ANSWER_SECS)
        try:
            with _short(path) as short:
                connection.connect(short)
            connection.sendall(f"{line}\n".encode())
            answer = connection.makefile(encoding="utf-8").readline().strip()
        except OSError as error:
            raise Failure(f"No salon serve answers in {data_dir} ({error.strerror or error}). Is SALON_DATA_DIR its folder?") from error
    kind, _, sentence = answer.partition(" ")
    if kind != "ok":
        raise Failure(sentence or "salon serve ended before it answered.")
    return sentence


@contextlib.contextmanager
def _short(path: Path) -> Iterator[str]:
    """A Unix socket's path is limited to 107 bytes (unix(7)); that of its folder's descriptor is short."""
    folder = os.open(path.parent, os.O_PATH | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
