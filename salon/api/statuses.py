"""The one table from an error's stable code to its HTTP status; docs/protocol.md section 8."""

_CODES = {
    400: ("invalid", "invalid_sdp"),
    401: ("sign_in_required", "token_invalid"),
    403: (
        "not_a_moderator", "only_host", "not_on_stage", "not_invited", "hands_not_allowed", "mute_held", "room_locked", "cannot_ping",
        "silenced", "switched_off", "csrf_failed", "sign_up_closed", "not_yours",
    ),
    404: ("not_found",),
    405: ("method_not_allowed",),
    409: (
        "hand_already_raised", "hand_not_raised", "already_on_stage", "already_invited", "not_in_room", "already_muted", "not_muted",
        "cannot_act_on_moderator", "cannot_act_on_oneself", "cannot_come_up", "stage_locked", "stage_is_open", "stage_not_open", "no_hands",
        "nobody_to_invite", "nobody_to_mute", "not_held", "not_removed", "already_moderator", "not_moderating", "cannot_narrow",
        "needs_second_moderator", "already_requested", "too_many_links", "too_many_questions", "poll_open", "poll_closed", "already_voted",
        "not_voted", "already_taken", "unblock_first", "not_shielded", "handle_taken", "idempotency_mismatch", "no_invitations_left",
        "too_many_tokens",
    ),
    410: ("room_ended",),
    412: ("precondition_failed",),
    413: ("too_large",),
    415: ("unsupported_media_type",),
    428: ("precondition_required",),
    429: ("too_many_requests", "room_full", "slow_mode"),
    500: ("internal",),
    503: ("media_unavailable", "message_undelivered", "starting"),
}  # fmt: skip

STATUS_BY_CODE = {code: status for status, codes in _CODES.items() for code in codes}


def status_of(code: str) -> int:
    """Raises KeyError for a code the table lacks: an error without a status is our bug and must be seen."""
    return STATUS_BY_CODE[code]
