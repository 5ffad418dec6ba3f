"""The one table from an error's stable code to its HTTP status; docs/protocol.md section 8."""

_CODES = {
    400: ("invalid", "invalid_sdp"),
    401: ("sign_in_required", "token_invalid"),
    403: ("not_a_moderator", "not_on_stage", "not_invited", "csrf_failed", "sign_up_closed", "not_yours"),
    404: ("not_found",),
    405: ("method_not_allowed",),
    409: (
        "hand_already_raised", "hand_not_raised", "already_on_stage", "already_invited", "not_in_room", "already_muted", "not_muted",
        "cannot_act_on_moderator", "handle_taken", "idempotency_mismatch", "no_invitations_left",
        "too_many_tokens",
    ),
    410: ("room_ended",),
    412: ("precondition_failed",),
    413: ("too_large",),
    415: ("unsupported_media_type",),
    428: ("precondition_required",),
    429: ("too_many_requests",),
    500: ("internal",),
    503: ("media_unavailable", "message_undelivered", "starting"),
}  # fmt: skip

STATUS_BY_CODE = {code: status for status, codes in _CODES.items() for code in codes}


def status_of(code: str) -> int:
    """Raises KeyError for a code the table lacks: an error without a status is our bug and must be seen."""
    return STATUS_BY_CODE[code]
