"""How many values JSON from outside may hold. Its length says little: 256 KiB are a text of that length, or twenty thousand members.

Each value that does not fit a schema costs the making of a sentence about it, 8 microseconds and more than a kilobyte.
"""

MOST_VALUES = 1_000
"""Ten times what the longest request of Salon's own client holds."""


def holds_too_many_values(parsed: object) -> bool:
    """parsed: what a JSON reader made."""
    left, waiting = MOST_VALUES, [parsed]
    while waiting:
        value = waiting.pop()
        if not isinstance(value, dict | list):
            continue
        left -= len(value)
        if left < 0:
            return True
        waiting.extend(value.values() if isinstance(value, dict) else value)
    return False
