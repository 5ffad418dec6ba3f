from django.urls import include, path

from salon.api.router import api
from salon.api.internal import internal_urls

urlpatterns = [
    path("api/v1/", api.urls),
    path("_allauth/", include("allauth.headless.urls")),
    path("accounts/", include("allauth.urls")),
    path("internal/", include(internal_urls)),
]
