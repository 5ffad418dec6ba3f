"""The operator's pages: Django's admin, entered by the same sign-in as everything else."""

from django.contrib import admin
from django.contrib.staticfiles.views import serve
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import cache_control

admin.site.site_header = admin.site.site_title = _("Salon staff")
admin.site.index_title = _("People and rooms")


def login(request: HttpRequest, extra_context: object = None) -> HttpResponse:
    """There is no password form: staff sign in as they do everywhere, then come back."""
    if admin.site.has_permission(request):
        return redirect("admin:index")
    return render(request, "staff/login.html", {"signed_in": request.user.is_authenticated}, status=403)


@cache_control(public=True, max_age=3600)
def static_file(request: HttpRequest, name: str) -> HttpResponseBase:
    """The admin's own files, found in the installed packages: few files for few people, so no collecting step and no file server."""
    return serve(request, name, insecure=True)


admin.site.login = login  # type: ignore[method-assign]  # the documented place to hook another sign-in

staff_urls = [path("staff/", admin.site.urls), path("static/<path:name>", static_file)]
