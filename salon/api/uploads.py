"""Serves uploaded pictures: only names that Salon itself gave, only as what Salon itself encoded."""

from django.core.files.storage import default_storage
from django.http import FileResponse, HttpRequest, HttpResponseBase
from django.urls import path, register_converter
from django.views.decorators.http import require_safe

from salon.api import failures


class PictureName:
    """`<id>.webp`: no separator, no dot-dot, nothing to escape with."""

    regex = "[a-z2-7]{26}\\.webp"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(PictureName, "picture_name")


@require_safe
def picture(request: HttpRequest, name: str) -> HttpResponseBase:
    try:
        response = FileResponse(default_storage.open(f"pictures/{name}"), content_type="image/webp")
    except FileNotFoundError:
        return failures.not_found(request)
    # A changed picture has a new name, so a name's content never changes.
    response["Cache-Control"] = "public, max-age=31536000, immutable"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    return response


upload_urls = [path("pictures/<picture_name:name>", picture)]
