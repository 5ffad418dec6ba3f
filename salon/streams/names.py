"""The names of streams: `KIND` or `KIND/KEY`."""

PERSON = "person"
OWN = "me"


def parse(name: str) -> tuple[str, str]:
    """(kind, key); the key is empty for a stream there is one of."""
    kind, _, key = name.partition("/")
    return kind, key


def person_stream(person: str) -> str:
    """How a person's own stream is stored and travels on the bus. Clients know only their own, as `person/me`."""
    return f"{PERSON}/{person}"


def watched_name(name: str) -> str:
    """The name under which clients watch the stream `name`."""
    return f"{PERSON}/{OWN}" if parse(name)[0] == PERSON else name
