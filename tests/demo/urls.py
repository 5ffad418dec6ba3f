"""The demo's API alone: tests run with SALON_DEMO=0, so the product's own router leaves it out."""

from django.urls import path
from ninja import NinjaAPI

from salon.api import failures
from salon.api.router import identify
from salon.demo.api import router

api = NinjaAPI(urls_namespace="demo-tests", auth=identify, docs_url=None)
failures.install(api)
api.add_router("", router)
urlpatterns = [path("api/v1/", api.urls)]
