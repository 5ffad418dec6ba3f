from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from salon.gateway.messages.fields import Fields, Number
from salon.gateway.web import WebRefused

if TYPE_CHECKING:
    from salon.gateway.client import Client
    from salon.gateway.gateway import Gateway


@dataclass(frozen=True, slots=True)
class Command:
    """Web decides everything about it; see docs/protocol.md section 4."""

    id: Number
    room: str
    name: str
    data: dict[str, Any]
    key: str | None
    seq: int | None

    @classmethod
    def parse(cls, fields: Fields) -> Self:
        return cls(
            fields.number("id"),
            fields.text("room"),
            fields.text("name"),
            fields.mapping("data"),
            fields.optional_text("key"),
            fields.optional_count("seq"),
        )

    async def handle(self, client: "Client", gateway: "Gateway") -> None:
        if client.identity.person is None:
            return client.refuse(self.id, "sign_in_required")
        try:
            answer = await gateway.web.command(
                person=client.identity.person,
                room=self.room,
                name=self.name,
                data=self.data,
                key=self.key,
                seq=self.seq,
                language=client.language,
            )
        except WebRefused as error:
            client.send_message({"type": "error", "reply_to": self.id, **error.body(client.language)})
        else:
            client.send_message({"type": "reply", "reply_to": self.id, "data": answer})
        return None
