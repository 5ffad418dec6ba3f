"""Where the one UDP port of sound listens."""

import socket
from collections.abc import Sequence


def bind_address(offered: Sequence[str]) -> str:
    """Where to listen: on the one address offered, if it is this machine's own, else on all.

    A socket on one address leaves nothing to be chosen; on all of them the engine has to say with each packet which one it leaves from,
    or a peer that asked another one must not accept it (RFC 8445 section 7.2.5.2.1). A machine behind address translation offers an
    address that is not its own. On all of IPv6 it is on all of IPv4 too.
    """
    if len(offered) != 1:
        return "::" if any(":" in address for address in offered) else "0.0.0.0"  # noqa: S104  (all of them are offered)
    with socket.socket(socket.AF_INET6 if ":" in offered[0] else socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((offered[0], 0))
        except OSError:
            return "0.0.0.0"  # noqa: S104  (the address is a translator's)
    return offered[0]
