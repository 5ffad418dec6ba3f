"""What a browser is told about everything Django serves."""

import pytest

from salon.accounts.models import Person

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("path", ["/api/v1/me", "/api/v1/nothing", "/nothing", "/_allauth/browser/v1/config", "/api/v1/openapi.json"])
def test_data_may_do_nothing_in_a_browser(client, path):
    response = client.get(path)
    assert response["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert (response["X-Content-Type-Options"], response["Referrer-Policy"]) == ("nosniff", "same-origin")
    assert (response["X-Frame-Options"], response["Cross-Origin-Opener-Policy"]) == ("DENY", "same-origin")


@pytest.mark.parametrize("path", ["/development/mailbox", "/staff/"])
def test_pages_use_their_own_origin_only(client, path):
    client.force_login(Person.objects.create_superuser("root_person"), backend="django.contrib.auth.backends.ModelBackend")
    response = client.get(path)
    assert response.status_code == 200
    assert response["Content-Security-Policy"].startswith("default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline';")
    assert "script-src" not in response["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in response["Content-Security-Policy"]
