"""The pages of virtual accounts, by every role."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from daicho.domain.access.models import User
from daicho.domain.tenancy.models import VirtualAccount
from daicho.interfaces.portal.views import people_parts
from tests.world import World

A = "/a/aozora.example.co.jp/virtual-accounts/"


def text(answer: Any) -> str:
    return str(answer.content.decode())


def post(world: World, who: User, path: str, **data: Any) -> Any:
    return world.client(who).post(path, {"request_id": str(uuid.uuid4())} | data)


@pytest.mark.parametrize(
    ("who", "status"),
    [("admin", 200), ("viewer", 200), ("user", 200), ("osaka_admin", 200), ("partner", 200), ("approver", 404),
     ("stranger", 404), ("operator", 404)],
)  # fmt: skip
def test_who_sees_the_tree(world: World, who: str, status: int) -> None:
    browser = world.client(getattr(world, who))
    assert browser.get(A).status_code == status
    assert browser.get(f"{A}{world.osaka.uid}/").status_code == status


@pytest.mark.parametrize("who", ["viewer", "user", "osaka_admin", "partner"])
def test_acts_are_left_out_and_refused_to_who_lacks_them(world: World, who: str) -> None:
    browser = world.client(getattr(world, who))
    assert f"{A}new/" not in text(browser.get(A))
    for page in (
        "new/",
        "import/",
        f"{world.osaka.uid}/edit/",
        f"{world.osaka.uid}/move/",
        f"{world.osaka.uid}/delete/",
    ):
        assert browser.get(f"{A}{page}").status_code in (403, 404), page


def test_another_virtual_account_is_not_there_for_a_partner(world: World) -> None:
    browser = world.client(world.partner)
    hidden, never = browser.get(f"{A}{world.tokyo.uid}/"), browser.get(f"{A}0000000000000/")
    assert (hidden.status_code, never.status_code) == (404, 404)
    assert world.tokyo.name not in text(browser.get(A))


def test_one_is_created_changed_nested_and_made_the_default(world: World) -> None:
    form = {
        "name": "R&D <b>",
        "parent": world.osaka.uid,
        "description": "x",
        "tags": "west, lab",
        "visibility": "private",
    }
    assert world.client(world.admin).get(f"{A}new/").status_code == 200
    assert post(world, world.admin, f"{A}new/", **form).status_code == 302
    made = VirtualAccount.objects.get(name="R&D <b>")
    detail = f"{A}{made.uid}/"
    page = text(world.client(world.admin).get(detail))
    assert "R&amp;D &lt;b&gt;" in page
    assert "<b>" not in page.replace("<b>AOZORA", "")
    post(world, world.admin, f"{detail}edit/", name="Lab", description="", tags="lab", visibility="public")
    post(world, world.admin, f"{detail}parent/", parent="")
    post(world, world.admin, f"{detail}default/")
    made.refresh_from_db()
    assert (made.name, made.visibility, made.depth, made.is_default) == ("Lab", "public", 1, True)


@pytest.mark.parametrize(
    ("change", "field"), [({"name": "OSAKA"}, "name"), ({"name": " "}, "name"), ({"tags": "x" * 60}, "tags")]
)
def test_what_is_wrong_stands_at_its_field(world: World, change: dict[str, str], field: str) -> None:
    form = {"name": "Nagoya", "parent": "", "description": "", "tags": "", "visibility": "private"} | change
    answer = post(world, world.admin, f"{A}new/", **form)
    assert answer.status_code == 422
    assert field in answer.context["form"].errors


def test_below_itself_is_not_among_the_choices_and_refused(world: World) -> None:
    url = f"{A}{world.osaka.uid}/parent/"
    assert world.osaka.uid not in [
        value for value, _label in world.client(world.admin).get(url).context["form"].fields["parent"].choices
    ]
    assert post(world, world.admin, url, parent=world.osaka.uid).status_code == 422


def test_where_there_are_many_they_are_found_by_typing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people_parts, "MANY", 2)
    page = text(world.client(world.admin).get(f"{A}new/"))
    assert f'data-combobox="{A}choices/?first=top"' in page
    assert world.tokyo.name not in page.split("<main")[1]
    form = {"name": "Nagoya", "parent": world.osaka.uid, "visibility": "private"}
    assert post(world, world.admin, f"{A}new/", **form).status_code == 302
    options = world.client(world.admin).get(f"{A}choices/?first=top").json()["options"]
    assert [option["label"] for option in options] == ["At the top", "AOZORA Tokyo", "DEFAULT", "Nagoya", "Osaka"]
    found = world.client(world.partner).get(f"{A}choices/?q=o").json()["options"]
    assert [option["label"] for option in found] == ["Osaka"]


def test_the_organization_is_imported_after_a_look(world: World) -> None:
    rows = "名称,親\n情報システム本部,\nネットワーク運用,情報システム本部\n"
    look = post(world, world.admin, f"{A}import/", file=SimpleUploadedFile("org.csv", rows.encode("cp932")))
    assert look.status_code == 200
    assert VirtualAccount.objects.count() == 4
    assert post(world, world.admin, f"{A}import/", content=look.context["content"]).status_code == 302
    assert VirtualAccount.objects.get(name="ネットワーク運用").depth == 2
    again = post(world, world.admin, f"{A}import/", file=SimpleUploadedFile("org.csv", rows.encode()))
    assert "The file changes nothing" in text(again)
    wrong = post(world, world.admin, f"{A}import/", file=SimpleUploadedFile("org.csv", b"name,parent\nA,Nowhere\n"))
    assert wrong.status_code == 422
    assert text(world.client(world.admin).get(f"{A}import/sample.csv")).startswith("\ufeffname,parent")


def test_the_sample_can_be_imported(world: World) -> None:
    content = world.client(world.admin).get(f"{A}import/sample.csv").content
    look = post(world, world.admin, f"{A}import/", file=SimpleUploadedFile("org.csv", content))
    assert (look.status_code, look.context["errors"]) == (200, [])


def test_everything_is_moved_after_a_look_and_then_it_is_deleted(world: World) -> None:
    world.deposit(world.advantage, 20, world.osaka)
    detail = f"{A}{world.osaka.uid}/"
    assert "not empty" in text(world.client(world.admin).get(f"{detail}delete/"))
    look = post(world, world.admin, f"{detail}move/", target=world.tokyo.uid, memo="")
    assert look.status_code == 200
    assert world.pool(world.osaka, world.advantage).on_hand == 20
    assert "+20" in text(look)
    done = post(world, world.admin, f"{detail}move/", target=world.tokyo.uid, memo="R-1", move="1")
    assert done.status_code == 302
    assert world.pool(world.tokyo, world.advantage).on_hand == 20
    wrong = post(world, world.admin, f"{detail}delete/", typed_name="Kyoto")
    assert "typed_name" in wrong.context["form"].errors
    assert post(world, world.admin, f"{detail}delete/", typed_name="Osaka").status_code == 302
    assert world.client(world.admin).get(detail).status_code == 404


def test_the_branch_totals_are_for_who_may_see_all_of_it(world: World) -> None:
    world.deposit(world.advantage, 7919, world.osaka)
    assert "7,919" in text(world.client(world.viewer).get(f"{A}{world.osaka.uid}/"))
    assert "Licenses in this branch" not in text(world.client(world.partner).get(f"{A}{world.osaka.uid}/"))
