"""How a message travels in a PostgreSQL notification: the format both the publishers and the listener use.

Payload: `subject`, a newline, then either the JSON itself or `@` and the id of a row in `bus_message`, for what
is too long for a notification (PostgreSQL refuses 8,000 bytes and more). The table is unlogged, because a message
that a crash loses is repaired by asking again; it is not part of the product's data, so the bus makes it itself
where it is missing instead of a migration.
"""

CHANNEL = "salon"
LONGEST_PAYLOAD = 7_500
KEPT_SECS = 300
"""A listener that comes for a row later than this has lost far more than one message."""

TABLE_EXISTS = "select to_regclass('bus_message') is not null"
# Two processes that find it missing at once: the lock makes the second one find it there.
CREATE_TABLE = """
select pg_advisory_xact_lock(hashtext('bus_message'));
create unlogged table if not exists bus_message (
    id bigint generated always as identity primary key,
    body text not null,
    published_at timestamptz not null default now()
);
create index if not exists bus_message_published_at on bus_message (published_at);
"""
INSERT = "insert into bus_message (body) values (%s) returning id"
SELECT = "select body from bus_message where id = %s"
# Skipping locked rows: two long transactions that publish must not wait for each other's trimming.
TRIM = f"""
delete from bus_message where id in (
    select id from bus_message where published_at < now() - interval '{KEPT_SECS} seconds' order by id limit 100 for update skip locked
)
"""  # noqa: S608  (a constant)
NOTIFY_ALL = f"select pg_notify('{CHANNEL}', payload) from unnest(%s::text[]) as payload"  # noqa: S608  (a constant)


def inline_payload(subject: str, body: bytes) -> str | None:
    """None where the body needs a row."""
    if len(subject.encode()) + 1 + len(body) > LONGEST_PAYLOAD:
        return None
    return f"{subject}\n{body.decode()}"


def row_payload(subject: str, row: int) -> str:
    return f"{subject}\n@{row}"


def read_payload(payload: str) -> tuple[str, bytes | int]:
    """(subject, the JSON or the row's id). Raises ValueError for what no Salon process sent."""
    subject, newline, body = payload.partition("\n")
    if not newline:
        raise ValueError("a notification without a subject")
    if body.startswith("@"):
        return subject, int(body[1:])
    return subject, body.encode()
