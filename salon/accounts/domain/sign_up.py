"""Who may sign up, by the installation's policy."""

from salon.config.environment import SignUpPolicy


def may_sign_up(policy: SignUpPolicy, *, invited: bool, admitted: bool) -> bool:
    """invited: shows an invitation that can still be spent. admitted: their address was let in from the waiting list.

    Both keep their worth under every policy, so that switching it loses nobody.
    """
    return policy is SignUpPolicy.OPEN or invited or admitted


def takes_waiting_list(policy: SignUpPolicy) -> bool:
    return policy is SignUpPolicy.WAITLIST


def budget_left(allowance: int, taken: int) -> int:
    """taken: uses of one's invitations that happened or can still happen."""
    return max(0, allowance - taken)
