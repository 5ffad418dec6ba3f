from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from salon.gateway import limits
from salon.gateway.messages.fields import Fields, Number
from salon.gateway.stream_names import HALLWAY, StreamUnknown, stream_name
from salon.gateway.web import WebRefused

if TYPE_CHECKING:
    from salon.gateway.client import Client
    from salon.gateway.gateway import Gateway


@dataclass(frozen=True, slots=True)
class Watch:
    id: Number
    stream: str
    """As the client calls it."""
    after: int | None

    @classmethod
    def parse(cls, fields: Fields) -> Self:
        return cls(fields.number("id"), fields.text("stream"), fields.optional_count("after"))

    async def handle(self, client: "Client", gateway: "Gateway") -> None:
        try:
            name = stream_name(self.stream, client.identity)
        except StreamUnknown as error:
            return client.refuse(self.id, error.code)
        if len(client.watches) >= limits.WATCHES_PER_SOCKET and name not in client.watches:
            return client.refuse(self.id, "too_many_requests")
        try:
            if name == HALLWAY:
                await gateway.blocks.learn(client)
            await gateway.streams.watch(client, name, reply_to=self.id, after=self.after)
        except WebRefused as error:
            client.send_message({"type": "error", "reply_to": self.id, **error.body(client.language)})
        return None
