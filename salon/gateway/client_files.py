"""The built browser client."""

from pathlib import Path

from aiohttp import web

from salon.gateway.refusals import refusal

IMMUTABLE = "public, max-age=31536000, immutable"
REVALIDATED = "no-cache"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".mp3": "audio/mpeg",
    ".ogg": "audio/ogg",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}


class ClientFiles:
    """The client's files, and `index.html` for every page of it.

    A `.br` or `.gz` beside a file is sent instead to who accepts it (aiohttp's FileResponse does that, and ETag, ranges, 304).
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()

    def answer(self, path: str) -> web.StreamResponse:
        """path: decoded, beginning with a slash."""
        if file := _file_within(self._folder, path):
            return _file_response(file, IMMUTABLE if path.startswith("/assets/") else REVALIDATED)
        if "." in path.rpartition("/")[2]:  # a file that is not there, not a page
            return web.json_response(refusal("not_found"), status=404)
        index = self._folder / "index.html"
        if not index.is_file():
            return web.Response(status=503, text="The browser client is not built. Run: make build\n", headers={"Retry-After": "10"})
        return _file_response(index, REVALIDATED)


def _file_within(folder: Path, path: str) -> Path | None:
    """The file, if there is one and it lies in the folder, symbolic links followed."""
    if "\0" in path:
        return None
    file = (folder / path.lstrip("/")).resolve()
    return file if file.is_relative_to(folder) and file.is_file() else None


def _file_response(file: Path, caching: str) -> web.FileResponse:
    content_type = _TYPES.get(file.suffix, "application/octet-stream")
    return web.FileResponse(file, headers={"Content-Type": content_type, "Cache-Control": caching})
