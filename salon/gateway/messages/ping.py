from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from salon.gateway.messages.fields import Fields, Number

if TYPE_CHECKING:
    from salon.gateway.client import Client
    from salon.gateway.gateway import Gateway


@dataclass(frozen=True, slots=True)
class Ping:
    id: Number

    @classmethod
    def parse(cls, fields: Fields) -> Self:
        return cls(fields.number("id"))

    async def handle(self, client: "Client", gateway: "Gateway") -> None:
        client.send_message({"type": "pong", "reply_to": self.id})
