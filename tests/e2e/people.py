"""The people of the journeys, signed up by code as anybody would be, through the API that the client uses."""

import re
from dataclasses import dataclass
from typing import Any

import aiohttp

from salon.demo.client import Api

_SIGN_IN = "/_allauth/browser/v1/auth"


@dataclass(frozen=True)
class Person:
    id: str
    handle: str
    name: str
    token: str
    """A personal access token, for clients that are no browsers."""
    cookies: dict[str, str]
    """A browser's session."""

    def cookies_at(self, origin: str) -> list[Any]:
        return [{"name": name, "value": value, "url": origin} for name, value in self.cookies.items()]

    def api(self, origin: str) -> Api:
        return Api(origin, self.token)


async def sign_up(origin: str, handle: str) -> Person:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:

        async def post(path: str, fields: dict[str, Any]) -> tuple[int, Any]:
            headers = {"X-CSRFToken": _cookies(http).get("csrftoken", ""), "Origin": origin}
            async with http.post(origin + path, json=fields, headers=headers) as answer:
                return answer.status, await answer.json()

        async with http.get(origin + "/api/v1/me"):
            pass  # sets the CSRF cookie
        email = f"{handle}@example.org"
        status, answer = await post(f"{_SIGN_IN}/signup", {"email": email, "handle": handle, "name": handle.title(), "languages": ["en"]})
        assert status == 401, answer  # the code is pending
        status, answer = await post(f"{_SIGN_IN}/email/verify", {"key": await newest_code(origin, email)})
        assert status == 200, answer
        status, token = await post("/api/v1/tokens", {"name": "journeys"})
        assert status == 201, token
        async with http.get(origin + "/api/v1/me") as me:
            person = (await me.json())["person"]
        return Person(person["id"], handle, person["name"], token["secret"], _cookies(http))


async def newest_code(origin: str, email: str) -> str:
    """The code in the newest message of the development mailbox to `email`."""
    async with aiohttp.ClientSession() as http, http.get(f"{origin}/api/v1/development/mailbox", params={"recipient": email}) as answer:
        message = (await answer.json())["messages"][0]
    found = re.search(r"\b(\d{6})\b", message["body"])
    assert found, message
    return found.group(1)


def _cookies(http: aiohttp.ClientSession) -> dict[str, str]:
    return {cookie.key: cookie.value for cookie in http.cookie_jar}
