"""A transfer from a file: template out, file in; UTF-8 with BOM and Shift_JIS are both good, bad rows are named."""

from __future__ import annotations

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from daicho.domain.ledger.models import Entry
from tests.licenses.conftest import A, Stocked


def send(client: Client, content: bytes, **more: str):  # type: ignore[no-untyped-def]
    file = SimpleUploadedFile("moves.csv", content, content_type="text/csv")
    return client.post(f"{A}/transfers/csv/", {"file": file, "choice": "soonest_end", "memo": "", **more})


def confirm(client: Client, check: str):  # type: ignore[no-untyped-def]
    text = client.get(check).content.decode()
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', text))
    return client.post(check, {"request_id": fields["request_id"], "seen": fields["seen"]})


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-8", "cp932", "utf-16"])
def test_a_file_moves_licenses_in_whatever_encoding_excel_wrote_it(stocked: Stocked, encoding: str) -> None:
    world = stocked.world
    world.osaka.name, world.osaka.name_key = "大阪支店", "大阪支店"
    world.osaka.save()
    text = '移管元,移管先,SKU,数量\r\nAOZORA Tokyo,大阪支店,net-adv,１２\r\n大阪支店,DEFAULT,NET-PREM,"1,0"\r\n'
    answer = send(world.client(world.admin), text.replace('"1,0"', "10").encode(encoding))
    assert answer.status_code == 302, answer.content.decode()
    assert confirm(world.client(world.admin), answer["Location"]).status_code == 302
    assert world.pool(world.osaka, world.advantage).balance == 27
    assert world.pool(world.default, world.premier).balance == 10


def test_the_template_filled_in_is_taken(stocked: Stocked) -> None:
    world = stocked.world
    client = world.client(world.admin)
    lines = b"".join(client.get(f"{A}/transfers/template.csv").streaming_content).decode("utf-8-sig").splitlines()
    assert lines[0] == "sku,name,source,spare,target,quantity,lot"
    filled = [line.replace(",100,,,", ",100,Osaka,4,") if "AOZORA Tokyo,100" in line else line for line in lines]
    answer = send(client, "\r\n".join(filled).encode("utf-8-sig"))
    assert answer.status_code == 302
    assert confirm(client, answer["Location"]).status_code == 302
    assert world.pool(world.osaka, world.advantage).balance == 19


def test_every_bad_row_is_named_and_nothing_is_written(stocked: Stocked) -> None:
    world = stocked.world
    rows = [
        "AOZORA Tokyo,Nowhere,NET-ADV,1",
        "AOZORA Tokyo,Osaka,NO-SUCH,1",
        "AOZORA Tokyo,Osaka,NET-ADV,-4",
        "AOZORA Tokyo,Osaka,NET-ADV,99999999999999999999",
        "AOZORA Tokyo,AOZORA Tokyo,NET-ADV,1",
        "AOZORA Tokyo,Osaka,<b>&😀,1",
    ]
    answer = send(world.client(world.admin), ("source,target,sku,quantity\n" + "\n".join(rows)).encode(), memo="kept")
    text = answer.content.decode()
    assert answer.status_code == 422
    for number in range(2, 8):
        assert f'<th scope="row" class="num">{number}</th>' in text
    assert "&lt;b&gt;" in text
    assert "<b>&😀" not in text
    assert 'value="kept"' in text
    assert not Entry.objects.filter(kind="transfer").exists()


@pytest.mark.parametrize(
    "content", [b"", b"\x00\x01\x02", b"sku,quantity\nNET-ADV,1\n", b"source,target,sku,quantity\n"]
)
def test_a_file_that_is_no_transfer_is_refused_with_a_reason(stocked: Stocked, content: bytes) -> None:
    world = stocked.world
    assert send(world.client(world.admin), content).status_code == 422


def test_a_partner_cannot_find_out_names_by_a_file(stocked: Stocked) -> None:
    world = stocked.world
    partner = world.client(world.partner)
    told = []
    for name in ("AOZORA Tokyo", "Never was"):
        answer = send(partner, f"source,target,sku,quantity\nOsaka,{name},NET-ADV,1\n".encode())
        assert answer.status_code == 422
        told.append(
            re.sub(
                r"[0-9a-f-]{36}|csrf\w+", "", re.search(r"<tbody>.*?</tbody>", answer.content.decode(), re.S)[0]
            ).replace(name, "NAME")
        )  # type: ignore[index]
    assert told[0] == told[1]
    for sku in ("STO-STD", "NEVER-WAS"):
        answer = send(partner, f"source,target,sku,quantity\nOsaka,Osaka,{sku},1\n".encode())
        assert "There is no license with the SKU" in answer.content.decode()
