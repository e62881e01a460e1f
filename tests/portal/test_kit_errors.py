"""Error pages: what, why, code, number; drawn even without what usually surrounds a page."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.http import HttpRequest
from django.test import Client, RequestFactory
from django.urls import path

from daicho.core.errors import BusinessError
from daicho.interfaces.portal.views import errors
from daicho.interfaces.portal.web import refusal
from tests.portal import kit_urls

handler500 = "daicho.interfaces.portal.views.errors.server_error"


def broken(request: HttpRequest) -> Any:
    raise ZeroDivisionError


def refused(request: HttpRequest) -> Any:
    return refusal(request, BusinessError("stale_data", 409, "Somebody changed the quantity."))


urlpatterns = [*kit_urls.urlpatterns, path("broken/", broken), path("refused/", refused)]
pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]
TOKEN = re.compile(r"[A-Za-z0-9]{64}")  # the CSRF token, masked anew for each page
HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}


def page(address: str, **headers: str) -> Any:
    return Client(raise_request_exception=False).get(address, headers={"accept-language": "en", **headers})


def test_what_is_not_there_says_so_with_the_desk() -> None:
    response = page("/no/such/page/")
    assert response.status_code == 404
    assert "There is nothing at this address" in response.text
    assert "support@vendor.example" in response.text
    again = page("/no/such/page/").text
    assert TOKEN.sub("", again) == TOKEN.sub("", response.text)


def test_a_fault_names_the_number_that_is_in_the_log() -> None:
    response = page("/broken/")
    assert response.status_code == 500
    assert response["X-Request-ID"][:8].upper() in response.text
    assert "Nothing was saved" in response.text


def test_a_part_of_a_page_gets_a_line_not_a_page() -> None:
    for address, status in (("/no/such/page/", 404), ("/broken/", 500), ("/refused/", 409)):
        response = page(address, **HTMX)
        assert response.status_code == status
        assert "<html" not in response.text
        assert 'class="banner banner-error"' in response.text


def test_a_refusal_shows_its_sentence_and_code() -> None:
    response = page("/refused/")
    assert response.status_code == 409
    assert "Somebody changed the quantity." in response.text
    assert "stale_data" in response.text


def test_the_page_for_a_fault_needs_nothing_that_may_be_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: object) -> Any:
        raise ConnectionError

    monkeypatch.setattr("daicho.interfaces.portal.context.frame_context", fail)
    response = errors.server_error(RequestFactory().get("/"))
    assert response.status_code == 500
    assert "<h1" in response.text
