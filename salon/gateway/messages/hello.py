import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from salon.gateway import limits
from salon.gateway.close_codes import CloseCode
from salon.gateway.messages.fields import Fields, Number
from salon.gateway.people import TooManySockets
from salon.gateway.tickets import TicketRefused

if TYPE_CHECKING:
    from salon.gateway.client import Client
    from salon.gateway.gateway import Gateway


@dataclass(frozen=True, slots=True)
class Hello:
    id: Number
    ticket: str

    @classmethod
    def parse(cls, fields: Fields) -> Self:
        return cls(fields.number("id"), fields.text("ticket", longest=8192))

    async def handle(self, client: "Client", gateway: "Gateway") -> None:
        try:
            admitted = gateway.tickets.admit(self.ticket, now=time.time())
            gateway.people.add(admitted.identity, client)
        except TicketRefused:
            return client.close(CloseCode.TICKET_REFUSED)
        except TooManySockets:
            return client.close(CloseCode.TOO_MANY_MESSAGES)
        client.greeted(admitted.identity, admitted.language)
        client.send_message(
            {"type": "welcome", "reply_to": self.id, "person": admitted.identity.person, "heartbeat_secs": limits.HEARTBEAT_SECS}
        )
        return None
