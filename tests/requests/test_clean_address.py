"""A NUL character in an address is refused before anybody is asked for it."""

from __future__ import annotations

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("address", ["/a/x%00y/", "/help/?q=%00", "/api/v1/postal-codes/%00"])
def test_a_nul_character_is_a_bad_address(client: Client, address: str) -> None:
    assert client.get(address).status_code == 400
