"""Where things stand in a checkout and in an installed wheel."""

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent
CLIENT_DIST = PACKAGE / "web" / "client"
"""The built browser client: `make` puts it there, the wheel carries it."""
