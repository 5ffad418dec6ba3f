from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from salon.gateway.messages.fields import Fields, Number
from salon.gateway.stream_names import StreamUnknown, stream_name

if TYPE_CHECKING:
    from salon.gateway.client import Client
    from salon.gateway.gateway import Gateway


@dataclass(frozen=True, slots=True)
class Unwatch:
    id: Number
    stream: str

    @classmethod
    def parse(cls, fields: Fields) -> Self:
        return cls(fields.number("id"), fields.text("stream"))

    async def handle(self, client: "Client", gateway: "Gateway") -> None:
        """Unwatching what one does not watch is done already."""
        try:
            name = stream_name(self.stream, client.identity)
        except StreamUnknown as error:
            return client.refuse(self.id, error.code)
        gateway.streams.unwatch(client, name)
        client.send_message({"type": "done", "reply_to": self.id})
        return None
