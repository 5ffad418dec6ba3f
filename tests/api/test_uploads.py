import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

NAME = "a" * 26 + ".webp"


@pytest.fixture
def picture():
    default_storage.save(f"pictures/{NAME}", ContentFile(b"RIFF....WEBP"))
    default_storage.save("secret.webp", ContentFile(b"secret"))
    yield f"/uploads/pictures/{NAME}"
    default_storage.delete(f"pictures/{NAME}")
    default_storage.delete("secret.webp")


def test_picture_is_served_as_what_it_is_and_nothing_else(client, picture):
    response = client.get(picture)
    assert (response.status_code, b"".join(response.streaming_content)) == (200, b"RIFF....WEBP")
    assert {name: response[name] for name in ("Content-Type", "X-Content-Type-Options", "Cache-Control", "Content-Security-Policy")} == {
        "Content-Type": "image/webp",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "public, max-age=31536000, immutable",
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }


@pytest.mark.parametrize(
    "path",
    [
        "/uploads/secret.webp",
        "/uploads/pictures/../secret.webp",
        "/uploads/pictures/%2e%2e/secret.webp",
        "/uploads/pictures/..%2fsecret.webp",
        "/uploads/pictures/%00.webp",
        f"/uploads/pictures/{'b' * 26}.webp",
        f"/uploads/pictures/{NAME}/",
        "/uploads/pictures/",
        "/uploads/",
        "/uploads//etc/passwd",
    ],
)
def test_nothing_else_is_served(client, picture, path):
    response = client.get(path)
    assert (response.status_code, response.json()["code"]) == (404, "not_found")


def test_pictures_are_only_read(client, picture):
    assert client.post(picture).status_code == 405
