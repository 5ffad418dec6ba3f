"""What the gateway asks web over internal HTTP; docs/subsystems/processes.md."""

from collections.abc import Mapping
from typing import Any

import aiohttp

from salon.gateway.identity import Identity
from salon.gateway.refusals import refusal

SECRET_HEADER = "X-Salon-Internal"  # noqa: S105
_TIMEOUT = aiohttp.ClientTimeout(total=10, sock_connect=2)


class WebRefused(Exception):
    """Web says no, with a body to hand on; or says nothing, and the body is ours."""

    def __init__(self, status: int, body: Mapping[str, Any] | None) -> None:
        super().__init__(status)
        self.status = status
        self._body = body

    def body(self, language: str) -> dict[str, Any]:
        return dict(self._body) if self._body is not None else refusal("starting", language)


class InternalWeb:
    def __init__(self, session: aiohttp.ClientSession, base_url: str, internal_secret: str) -> None:
        self._session = session
        self._base_url = base_url
        self._headers = {SECRET_HEADER: internal_secret}

    async def snapshot(self, stream: str, identity: Identity, after: int | None) -> dict[str, Any]:
        """`{"seq", "state"}`, or `{"seq", "events"}` where `after` is given and web still knows them; of a conversation with its "tally".

        Raises WebRefused.
        """
        return await self._post(
            "snapshot", {"stream": stream, "person": identity.person, "visitor": identity.visitor, "after": after}, language=None
        )

    async def command(
        self, *, person: str, room: str, name: str, data: Mapping[str, Any], key: str | None, seq: int | None, language: str
    ) -> dict[str, Any]:
        """`{"seq"}`. Raises WebRefused."""
        asked = {"person": person, "room": room, "name": name, "data": data, "key": key, "seq": seq}
        return await self._post("command", asked, language=language)

    async def blocked_by(self, person: str) -> frozenset[str]:
        """The ids of those who have blocked this person. Raises WebRefused."""
        answer = await self._post("blocks", {"person": person}, language=None)
        return frozenset(answer["blocked_by"])

    async def health(self) -> dict[str, str]:
        """The state of each part web knows of; empty while web does not answer."""
        try:
            async with self._session.get(
                f"{self._base_url}/internal/health", headers=self._headers, timeout=_TIMEOUT, middlewares=()
            ) as response:
                answer = await response.json()
                return dict(answer["parts"])
        except (aiohttp.ClientError, TimeoutError, ValueError, KeyError, TypeError):
            return {}

    async def _post(self, path: str, body: Mapping[str, Any], *, language: str | None) -> dict[str, Any]:
        headers = self._headers | ({"Accept-Language": language} if language else {})
        try:
            async with self._session.post(f"{self._base_url}/internal/{path}", json=body, headers=headers, timeout=_TIMEOUT) as response:
                answer = await response.json(content_type=None)
                status = response.status
        except (TimeoutError, aiohttp.ClientError, ValueError) as error:
            raise WebRefused(503, None) from error
        if status == 200 and isinstance(answer, dict):
            return answer
        is_refusal = isinstance(answer, dict) and answer.keys() >= {"code", "message", "field"}
        raise WebRefused(status, answer if is_refusal else None)
