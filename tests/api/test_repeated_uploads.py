"""A file sent again under its Idempotency-Key is answered as the first time, and never lies in memory as a body."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpRequest

from daicho.domain.orders.models import Order

pytestmark = pytest.mark.django_db
AT = "/api/v1/operator/order-imports"
ROWS = b"order_number,domain,sku,quantity,kind\nPO-78,aozora.example.co.jp,NET-ADV,3,perpetual\n"


def send(world, rows: bytes, *, boundary: str = "", name: str = "orders.csv"):
    headers = {"Idempotency-Key": "monday"}
    if not boundary:
        return world.client(world.operator).post(AT, {"file": SimpleUploadedFile(name, rows)}, headers=headers)
    body = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
        f"Content-Type: text/csv\r\n\r\n{rows.decode()}\r\n--{boundary}--\r\n"
    )
    kind = f"multipart/form-data; boundary={boundary}"
    return world.client(world.operator).generic("POST", AT, body, content_type=kind, headers=headers)


def test_the_same_file_is_taken_once_whatever_the_boundary_of_its_form(world, monkeypatch) -> None:
    def whole(request: HttpRequest) -> bytes:
        raise AssertionError("the body was read as a whole")

    monkeypatch.setattr(HttpRequest, "body", property(whole))
    first, second = send(world, ROWS), send(world, ROWS, boundary="cutelsewhere")
    assert first.status_code < 300, first.content
    assert (second.content, second["Idempotency-Replayed"]) == (first.content, "true")
    assert Order.objects.count() == 1


@pytest.mark.parametrize(
    "change", [{"rows": ROWS + b"PO-79,aozora.example.co.jp,NET-ADV,1,perpetual\n"}, {"name": "b.csv"}]
)
def test_another_file_under_the_same_key_is_refused(world, change) -> None:
    assert send(world, ROWS).status_code < 300
    again = send(world, **({"rows": ROWS} | change))
    assert (again.status_code, again.json()["code"]) == (409, "request_id_reused")


def test_a_damaged_form_is_refused_by_the_operation(world) -> None:
    answer = world.client(world.operator).generic(
        "POST", AT, b"no form at all", content_type="multipart/form-data", headers={"Idempotency-Key": "x"}
    )
    assert answer.status_code in (400, 422)
