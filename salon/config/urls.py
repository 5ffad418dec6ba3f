from django.urls import include, path

from salon.api.internal import internal_urls
from salon.api.router import api

handler400 = "salon.api.failures.bad_request"
handler404 = "salon.api.failures.not_found"
handler500 = "salon.api.failures.server_error"

urlpatterns = [
    path("api/v1/", api.urls),
    path("_allauth/", include("allauth.headless.urls")),
    path("accounts/", include("allauth.urls")),
    path("internal/", include(internal_urls)),
]
