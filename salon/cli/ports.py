"""Which ports Salon wants, and whether they are free."""

import errno
import socket
from dataclasses import dataclass

from salon.cli.failures import Failure
from salon.config.environment import Environment


@dataclass(frozen=True, slots=True)
class Port:
    """kind: socket.SOCK_STREAM or SOCK_DGRAM. setting: the variable that chooses another."""

    host: str
    number: int
    kind: socket.SocketKind
    setting: str

    def is_free(self) -> bool:
        with socket.socket(socket.AF_INET6 if ":" in self.host else socket.AF_INET, self.kind) as probe:
            if self.kind is socket.SOCK_STREAM:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a closed connection that lingers takes no port
            try:
                probe.bind((self.host, self.number))
            except PermissionError:
                sentence = f"Port {self.number} needs more rights than this user has. Choose one above 1023: {self.setting}=8000"
                raise Failure(sentence) from None
            except OSError as error:
                if error.errno == errno.EADDRINUSE:
                    return False
                sentence = f"Port {self.number} on {self.host} cannot be used: {error.strerror}. Check SALON_HOST and {self.setting}."
                raise Failure(sentence) from error
        return True


def ports_of(settings: Environment) -> list[Port]:
    loopback = "127.0.0.1"
    return [
        Port(settings.host, settings.port, socket.SOCK_STREAM, "SALON_PORT"),
        Port(loopback, settings.web_port, socket.SOCK_STREAM, "SALON_WEB_PORT"),
        Port(loopback, settings.media_control_port, socket.SOCK_STREAM, "SALON_MEDIA_CONTROL_PORT"),
        Port(loopback, settings.operator_port, socket.SOCK_STREAM, "SALON_OPERATOR_PORT"),
        Port("0.0.0.0", settings.media_port, socket.SOCK_DGRAM, "SALON_MEDIA_PORT"),  # noqa: S104  (a probe, closed at once)
    ]


def require_free_ports(settings: Environment) -> None:
    """Raises Failure naming the first taken port, and how to choose another."""
    for port in ports_of(settings):
        if not port.is_free():
            other = port.number + 100
            raise Failure(f"Port {port.number} is taken by another program. Stop it, or choose another with {port.setting}={other}.")
