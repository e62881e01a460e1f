"""The operator keeps his own programs in the portal: the secret is read once, and a revoked one is shut out."""

from __future__ import annotations

import re

from daicho.domain.access.models import ApiClient
from tests.world import World

AT = "/operator/api-clients/"


def test_a_program_is_made_shown_once_and_shut_out(world: World) -> None:
    browser = world.client(world.operator)
    assert browser.post(f"{AT}new/", {"name": "", "scopes": ["operator.orders"]}).status_code == 422
    asked = {"name": "ERP", "scopes": ["operator.orders"], "ends_on": "2199-12-31"}
    made = browser.post(f"{AT}new/", asked).content.decode()
    client = ApiClient.objects.get(name="ERP")
    bearer = re.search(rf"{client.uid}\.[\w-]{{20,}}", made)
    assert bearer is not None
    headers = {"Authorization": f"Bearer {bearer[0]}"}
    lots = "/api/v1/operator/accounts/aozora.example.co.jp/lots"
    assert world.client(None).get(lots, headers=headers).status_code == 200
    assert world.client(None).get("/api/v1/operator/api-clients", headers=headers).status_code in (403, 404)
    for page in (AT, f"{AT}{client.uid}/"):
        text = browser.get(page).content.decode()
        assert "ERP" in text
        assert bearer[0] not in text
    assert [one["name"] for one in browser.get("/api/v1/operator/api-clients").json()["items"]] == ["ERP"]
    assert browser.post(f"{AT}{client.uid}/revoke/").status_code == 302
    assert world.client(None).get(lots, headers=headers).status_code == 401
    assert "Revoked" in browser.get(f"{AT}{client.uid}/").content.decode()
    assert world.client(world.admin).get(f"{AT}{client.uid}/").status_code == 404
