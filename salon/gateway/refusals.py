"""The gateway's own refusals. Web's pass through as they are."""

from typing import Any

# Django's catalogues are out of reach here, and four sentences need none.
_SENTENCES = {
    "invalid": {"en": "This message is not understood.", "fr": "Ce message n’est pas compris."},
    "not_found": {"en": "There is no such thing here.", "fr": "Cela n’existe pas ici."},
    "sign_in_required": {"en": "Sign in first.", "fr": "Connectez-vous d’abord."},
    "starting": {"en": "Salon is starting. Try again in a moment.", "fr": "Salon démarre. Réessayez dans un instant."},
    "too_large": {"en": "This is too large.", "fr": "C’est trop volumineux."},
    "too_many_requests": {"en": "That was too much at once. Wait a moment.", "fr": "C’est trop à la fois. Patientez un instant."},
}


def refusal(code: str, language: str = "en", field: str | None = None) -> dict[str, Any]:
    """The body of docs/protocol.md section 8."""
    sentences = _SENTENCES[code]
    return {"code": code, "message": sentences.get(language.partition("-")[0], sentences["en"]), "field": field}
