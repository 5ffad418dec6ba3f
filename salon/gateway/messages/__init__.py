"""What a client may say, one module per message: parse its fields, act, answer.

Each module has a frozen dataclass with `parse`, and `handle`, which acts and answers. A new message needs a module,
a line in `MESSAGES`, and its paragraph in docs/protocol.md section 6.
"""

from salon.gateway.messages.command import Command
from salon.gateway.messages.hello import Hello
from salon.gateway.messages.ping import Ping
from salon.gateway.messages.quality import Quality
from salon.gateway.messages.unwatch import Unwatch
from salon.gateway.messages.watch import Watch

Message = Hello | Watch | Unwatch | Command | Ping | Quality

MESSAGES: dict[str, type[Message]] = {
    "hello": Hello, "watch": Watch, "unwatch": Unwatch, "command": Command, "ping": Ping, "quality": Quality,
}  # fmt: skip
