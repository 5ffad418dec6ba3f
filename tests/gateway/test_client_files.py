import aiohttp
import pytest
from yarl import URL

PAGE = "<!doctype html><title>Salon</title>"


@pytest.mark.parametrize("path", ["/", "/room/abcdefghijklmnopqrstuvwxyz", "/@zoe", "/settings/"])
async def test_every_page_is_the_client(http: aiohttp.ClientSession, path: str) -> None:
    async with http.get(path) as response:
        assert (response.status, await response.text()) == (200, PAGE)
        assert response.headers["Content-Type"] == "text/html; charset=utf-8"
        assert response.headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize(
    ("path", "content_type", "caching"),
    [
        ("/assets/app-3f2a.js", "text/javascript; charset=utf-8", "public, max-age=31536000, immutable"),
        ("/service-worker.js", "text/javascript; charset=utf-8", "no-cache"),
        ("/manifest.webmanifest", "application/manifest+json", "no-cache"),
    ],
)
async def test_files_are_typed_and_cached(http: aiohttp.ClientSession, path: str, content_type: str, caching: str) -> None:
    async with http.get(path, headers={"Accept-Encoding": "identity"}) as response:
        assert (response.headers["Content-Type"], response.headers["Cache-Control"]) == (content_type, caching)


async def test_compressed_twin_goes_to_who_takes_it(http: aiohttp.ClientSession) -> None:
    async with http.get("/assets/app-3f2a.js", headers={"Accept-Encoding": "br"}, auto_decompress=False) as response:
        assert (response.headers["Content-Encoding"], await response.read()) == ("br", b"brotli")
        assert response.headers["Content-Type"] == "text/javascript; charset=utf-8"
    async with http.get("/assets/app-3f2a.js", headers={"Accept-Encoding": "identity"}) as response:
        assert ("Content-Encoding" in response.headers, await response.text()) == (False, "console.log(1)")


async def test_unchanged_file_is_not_sent_again(http: aiohttp.ClientSession) -> None:
    async with http.get("/") as first:
        etag = first.headers["ETag"]
    async with http.get("/", headers={"If-None-Match": etag}) as second:
        assert second.status == 304


@pytest.mark.parametrize(
    "path", ["/assets/gone-1.js", "/favicon.png", "/../secret.txt", "/..%2fsecret.txt", "/assets/%2e%2e/%2e%2e/secret.txt"]
)
async def test_file_that_is_not_the_clients_is_not_found(http: aiohttp.ClientSession, path: str) -> None:

    async with http.get(URL(path, encoded=True)) as response:
        assert (response.status, (await response.json())["code"]) == (404, "not_found")


async def test_pages_allow_nothing_of_third_parties(http: aiohttp.ClientSession) -> None:
    async with http.get("/") as response:
        policy = dict(part.split(" ", 1) for part in response.headers["Content-Security-Policy"].split("; "))
        assert policy["default-src"] == policy["script-src"] == "'self'"
        assert policy["connect-src"] == "'self' ws://salon.test"
        assert not any("http" in sources or "*" in sources for sources in policy.values())
        assert response.headers["Permissions-Policy"].startswith("microphone=(self), camera=()")
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Referrer-Policy"] == "same-origin"
        assert response.headers["X-Frame-Options"] == "DENY"
        assert "Server" not in response.headers
