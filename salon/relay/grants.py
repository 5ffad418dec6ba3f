"""Permission for one session, signed by web: 60 s old at most, taken once, of no older epoch than the newest policy's."""

from salon.common.signing import Grant, SignatureRefused, read_grant
from salon.relay.policies import PolicyBook


class GrantRefused(Exception):
    """args[0] says why, for the log; the one who asked learns only that it was refused."""


class GrantDesk:
    """Remembers taken grants until they expire."""

    def __init__(self, secret_key: str) -> None:
        self._secret_key = secret_key
        self._taken: dict[str, int] = {}

    def admit(self, signed: str, policies: PolicyBook, *, now: float) -> Grant:
        """Take the grant. The policy that came with it must be in the book by now. now: Unix seconds. Raises GrantRefused."""
        try:
            grant = read_grant(signed, self._secret_key, now=now)
        except SignatureRefused as error:
            raise GrantRefused(type(error).__name__) from error
        self._forget_expired(now)
        if grant["id"] in self._taken:
            raise GrantRefused("taken before")
        self._taken[grant["id"]] = grant["expires"]
        self._check(grant, policies)
        return grant

    def _check(self, grant: Grant, policies: PolicyBook) -> None:
        policy = policies.get(grant["room"])
        if policy is None or not policy.is_live:
            raise GrantRefused("the room is not live")
        if grant["epoch"] < policies.epoch(grant["room"], grant["person"]):
            raise GrantRefused("an older epoch")
        if grant["direction"] not in ("listen", "speak"):
            raise GrantRefused("no such direction")
        if grant["direction"] == "speak" and not policy.is_on_stage(grant["person"]):
            raise GrantRefused("not on the stage")

    def _forget_expired(self, now: float) -> None:
        # All live equally long, so the order of taking is nearly the order of expiry: look only until the first that still lives.
        while self._taken:
            oldest = next(iter(self._taken))
            if self._taken[oldest] > now:
                break
            del self._taken[oldest]
