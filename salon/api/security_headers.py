"""What a browser may do with anything Django serves: nothing, unless it is one of our few pages."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

# Pages of the operator and of development: own files only, no inline script. Django's admin sets a few inline styles.
_PAGE = (
    "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; object-src 'none'; "
    "base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)
_DATA = "default-src 'none'; frame-ancestors 'none'"


class ContentSecurityMiddleware:
    """Adds Content-Security-Policy where a view set none. nosniff and the referrer policy are SecurityMiddleware's."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        is_page = response.get("Content-Type", "").startswith("text/html")
        response.headers.setdefault("Content-Security-Policy", _PAGE if is_page else _DATA)
        response.headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        return response
