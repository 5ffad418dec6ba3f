from django.http import HttpRequest, HttpResponse
from django.urls import include, path, re_path

from salon.accounts.mailbox import mailbox_page
from salon.accounts.verification import verify_email
from salon.api.failures import not_found
from salon.api.internal import internal_urls
from salon.api.router import api
from salon.api.staff import staff_urls
from salon.api.uploads import upload_urls

handler400 = "salon.api.failures.bad_request"
handler403 = "salon.api.failures.forbidden"
handler404 = "salon.api.failures.not_found"
handler500 = "salon.api.failures.server_error"


def no_passwords(request: HttpRequest, rest: str) -> HttpResponse:
    return not_found(request)


urlpatterns = [
    path("api/v1/", api.urls),
    # allauth's headless API has these also where sign-up asks for no password; here nobody shall ever come to have one.
    re_path(r"^_allauth/browser/v1/(?P<rest>auth/login|auth/password/.*|auth/reauthenticate|account/password/.*)$", no_passwords),
    path("_allauth/browser/v1/auth/email/verify", verify_email),
    path("_allauth/", include("allauth.headless.urls")),
    path("uploads/", include(upload_urls)),
    path("development/mailbox", mailbox_page),
    path("internal/", include(internal_urls)),
    *staff_urls,
]
