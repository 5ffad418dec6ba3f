"""Internal HTTP between Salon's own processes; docs/subsystems/processes.md. Never reachable through the gateway.

An app adds its views by a module `salon/<app>/api/internal.py` with

    internal_views: Mapping[str, Callable[[HttpRequest], HttpResponse]] = {"snapshot": snapshot, "command": command}

and a line in `_views` below. Each becomes /internal/<name>, guarded by the secret, exempt from CSRF, and a SalonError it raises becomes
the error body; so a view only parses `request.body`, calls one action, and answers.
"""

import functools
import hmac
from collections.abc import Callable, Mapping

from django.core.exceptions import RequestDataTooBig
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import URLPattern, path
from django.views.decorators.csrf import csrf_exempt

from salon.api import failures
from salon.common.errors import SalonError
from salon.config.environment import environment
from salon.rooms.api.internal import internal_views as room_views

InternalView = Callable[[HttpRequest], HttpResponse]
SECRET_HEADER = "X-Salon-Internal"  # noqa: S105


def internal_path(name: str, view: InternalView) -> URLPattern:
    """A guarded address. Without the right secret it does not exist: 404, as for any unknown address."""

    @csrf_exempt
    @functools.wraps(view)
    def guarded(request: HttpRequest) -> HttpResponse:
        shown = request.headers.get(SECRET_HEADER, "")
        if not hmac.compare_digest(shown.encode(), environment().internal_secret.encode()):
            return failures.not_found(request)
        try:
            return view(request)
        except SalonError as error:
            return failures.refusal_of(error)
        except RequestDataTooBig as error:
            return failures.bad_request(request, error)

    return path(name, guarded)


def health(request: HttpRequest) -> HttpResponse:
    """Ready means: this process answers and its database does. A database that does not is an exception, hence 500."""
    with connection.cursor() as cursor:
        cursor.execute("select 1")
    return JsonResponse({"status": "ready", "parts": {"web": "ready", "database": "ready"}})


_views: Mapping[str, InternalView] = {"health": health, **room_views}

internal_urls = [internal_path(name, view) for name, view in _views.items()]
