"""Whom the server believes about where a request came from."""

from __future__ import annotations

import ipaddress

import pytest
from django.test import RequestFactory

from daicho.interfaces.portal.middleware import believe_trusted_proxies

PROXY, INNER_PROXY, CLIENT, ELSEWHERE = "10.0.0.5", "10.0.0.6", "203.0.113.9", "198.51.100.1"


@pytest.fixture
def origin(settings):
    settings.TRUSTED_PROXIES = (ipaddress.ip_network("10.0.0.0/24"),)

    def origin(peer: str, forwarded_for: str = "", proto: str = "") -> tuple[str, str]:
        headers = {"X-Forwarded-For": forwarded_for, "X-Forwarded-Proto": proto}
        given = {name: value for name, value in headers.items() if value}
        request = RequestFactory().get("/", headers=given, REMOTE_ADDR=peer)
        believe_trusted_proxies(request)
        return request.META["REMOTE_ADDR"], request.scheme

    return origin


def test_without_a_proxy_the_peer_is_the_client(origin) -> None:
    assert origin(CLIENT) == (CLIENT, "http")


def test_a_trusted_proxy_names_the_client_and_the_scheme(origin) -> None:
    assert origin(PROXY, CLIENT, "https") == (CLIENT, "https")


def test_through_two_proxies_the_last_untrusted_address_counts(origin) -> None:
    assert origin(PROXY, f"{CLIENT}, {INNER_PROXY}") == (CLIENT, "http")


def test_what_the_client_wrote_itself_counts_for_nothing(origin) -> None:
    assert origin(PROXY, f"{ELSEWHERE}, {CLIENT}") == (CLIENT, "http")


def test_a_stranger_who_plays_proxy_is_not_believed(origin) -> None:
    assert origin(CLIENT, ELSEWHERE, "https") == (CLIENT, "http")


def test_what_is_no_address_is_not_taken(origin) -> None:
    assert origin(PROXY, "unknown") == (PROXY, "http")
    assert origin(PROXY, "") == (PROXY, "http")
