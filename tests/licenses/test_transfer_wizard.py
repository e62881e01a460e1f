"""From the license table to licenses moved (S25): selected, aimed, checked, done; and back by one more press."""

from __future__ import annotations

import re
import uuid

from django.test import Client

from daicho.domain.access.models import Draft
from daicho.domain.ledger.models import Entry, TransferRequest
from tests.licenses.conftest import A, Stocked, use


def hidden(client: Client, address: str) -> dict[str, str]:
    """The hidden fields of the page, as a browser would send them."""
    text = client.get(address).content.decode()
    fields = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', text)
    return {name: value for name, value in fields if name in ("request_id", "seen")}


def start(stocked: Stocked, client: Client, pool_uid: str) -> str:
    answer = client.post(f"{A}/transfers/start/", {"row": pool_uid})
    assert answer.status_code == 302
    return answer["Location"]


def aim(stocked: Stocked, client: Client, draft: str, pool_uid: str, quantity: str, **more: str):  # type: ignore[no-untyped-def]
    data = {
        "row": pool_uid, "line": pool_uid, "target": stocked.world.osaka.uid, f"n-{pool_uid}-0": quantity, "act": "check",
    }  # fmt: skip
    return client.post(draft, data | more)


def test_six_interactions_move_licenses_and_one_more_brings_them_back(stocked: Stocked) -> None:
    """Tick, press, choose the target, type, check, move; undo. No identifier is typed."""
    world = stocked.world
    client, pool = world.client(world.admin), world.pool(world.tokyo, world.advantage)
    draft = start(stocked, client, pool.uid)  # 1 tick, 2 press
    answer = aim(stocked, client, draft, pool.uid, "３", memo="稟議-42")  # 3 target, 4 quantity (full width), 5 check
    assert answer.status_code == 302
    check = answer["Location"]
    text = client.get(check).content.decode()
    assert "Transfer 3 licenses" in text
    assert "+97" in text
    assert "+18" in text
    done = client.post(check, hidden(client, check))  # 6 move
    assert done.status_code == 302
    assert world.pool(world.tokyo, world.advantage).balance == 97
    assert world.pool(world.osaka, world.advantage).balance == 18
    entry = Entry.objects.get(kind="transfer")
    assert entry.memo == "稟議-42"
    assert "3 licenses transferred" in client.get(done["Location"]).content.decode()
    assert not Draft.objects.exists()
    undone = client.post(f"{A}/transfers/{entry.uid}/undo/")  # and back
    assert undone.status_code == 302
    assert world.pool(world.tokyo, world.advantage).balance == 100
    assert "Undone" in client.get(f"{A}/transfers/").content.decode()


def test_a_double_click_moves_once(stocked: Stocked) -> None:
    world = stocked.world
    client, pool = world.client(world.admin), world.pool(world.tokyo, world.advantage)
    draft = start(stocked, client, pool.uid)
    check = aim(stocked, client, draft, pool.uid, "3")["Location"]
    form = hidden(client, check)
    first, second = client.post(check, form), client.post(check, form)
    assert first["Location"] == second["Location"]
    assert Entry.objects.filter(kind="transfer").count() == 1


def test_the_shortest_target_and_its_need_are_filled_in(stocked: Stocked) -> None:
    world = stocked.world
    pool = world.pool(world.tokyo, world.advantage)
    use(world, stocked.router, adv=15)
    from daicho.domain.ledger.models import Pool

    needy = world.pool(world.osaka, world.advantage)
    assert needy.balance == 0
    link = f"{A}/transfers/start/?row={pool.uid}&target={world.osaka.uid}&quantity=4"
    text = world.client(world.admin).get(link).content.decode()
    assert f'value="{world.osaka.uid}" selected' in text
    assert 'value="4"' in text
    assert Pool.objects.count() == Pool.objects.count()


def test_too_many_are_refused_where_they_were_typed_and_the_input_is_kept(stocked: Stocked) -> None:
    world = stocked.world
    client, pool = world.client(world.admin), world.pool(world.tokyo, world.advantage)
    draft = start(stocked, client, pool.uid)
    for typed, told in (
        ("101", "1 too few"),
        ("-3", "whole number"),
        ("abc", "whole number"),
        ("9" * 17, "whole number"),
    ):
        answer = aim(stocked, client, draft, pool.uid, typed)
        text = answer.content.decode()
        assert answer.status_code == 422, typed
        assert told in text
        assert f'value="{typed}"' in text
        assert 'aria-invalid="true"' in text
    assert aim(stocked, client, draft, pool.uid, "").status_code == 422
    assert aim(stocked, client, draft, pool.uid, "1", target="").status_code == 422
    assert Entry.objects.filter(kind="transfer").count() == 0


def test_figures_that_changed_in_the_meantime_are_explained(stocked: Stocked) -> None:
    world = stocked.world
    client, pool = world.client(world.admin), world.pool(world.tokyo, world.advantage)
    draft = start(stocked, client, pool.uid)
    check = aim(stocked, client, draft, pool.uid, "3")["Location"]
    form = hidden(client, check)
    use(world, stocked.switch, adv=1)
    answer = client.post(check, form)
    assert answer.status_code == 409
    assert "after you opened this page" in answer.content.decode()
    assert Entry.objects.filter(kind="transfer").count() == 0
    again = re.search(r'name="seen" value="([^"]*)"', answer.content.decode())
    assert again is not None
    assert client.post(check, form | {"seen": again[1]}).status_code == 302


def test_several_licenses_go_to_several_targets_in_one_act(stocked: Stocked) -> None:
    world = stocked.world
    client = world.client(world.admin)
    tokyo, osaka = world.pool(world.tokyo, world.advantage), world.pool(world.osaka, world.premier)
    draft = client.post(f"{A}/transfers/start/", {"row": [tokyo.uid, osaka.uid]})["Location"]
    page = client.post(draft, {"row": [tokyo.uid, osaka.uid], "target": world.osaka.uid, "act": "add_target"})
    assert page.status_code == 302
    data = {
        "row": [tokyo.uid, osaka.uid], "line": [tokyo.uid, osaka.uid],
        "target": [world.osaka.uid, world.default.uid], f"n-{tokyo.uid}-0": "2", f"n-{tokyo.uid}-1": "5",
        f"n-{osaka.uid}-1": "10", "choice": "longest_term", "act": "check",
    }  # fmt: skip
    check = client.post(draft, data)["Location"]
    assert "Transfer 17 licenses of 2 kinds" in client.get(check).content.decode()
    assert client.post(check, hidden(client, check)).status_code == 302
    assert world.pool(world.tokyo, world.advantage).balance == 93
    assert world.pool(world.default, world.advantage).balance == 5
    assert world.pool(world.default, world.premier).balance == 10
    assert Entry.objects.filter(kind="transfer").count() == 1


def test_lots_are_chosen_by_hand(stocked: Stocked) -> None:
    world = stocked.world
    lot = world.deposit(world.advantage, 8, world.tokyo)
    client, pool = world.client(world.admin), world.pool(world.tokyo, world.advantage)
    draft = start(stocked, client, pool.uid)
    assert aim(stocked, client, draft, pool.uid, "1", choice="by_hand").status_code == 302
    assert lot.uid in client.get(draft).content.decode()
    line = f"{pool.uid}-{lot.uid}"
    data = {
        "row": pool.uid, "line": line, "target": world.osaka.uid, f"n-{line}-0": "8", "choice": "by_hand", "act": "check",
    }  # fmt: skip
    check = client.post(draft, data)["Location"]
    assert client.post(check, hidden(client, check)).status_code == 302
    posting = Entry.objects.get(kind="transfer").postings.get()
    assert (posting.lot_id, posting.quantity) == (lot.pk, 8)


def test_all_that_match_may_be_chosen_at_once(stocked: Stocked) -> None:
    world = stocked.world
    client = world.client(world.admin)
    answer = client.post(f"{A}/transfers/start/?q=NET", {"all": "1"})
    rows = Draft.objects.get().data["rows"]
    assert len(rows) == 3
    assert client.get(answer["Location"]).status_code == 200


def test_where_the_account_wants_it_a_transfer_waits_for_the_source(stocked: Stocked) -> None:
    world = stocked.world
    world.account.transfers_need_approval = True
    world.account.save()
    client, pool = world.client(world.user), world.pool(world.tokyo, world.advantage)
    draft = start(stocked, client, pool.uid)
    check = aim(stocked, client, draft, pool.uid, "3")["Location"]
    assert "Request the transfer" in client.get(check).content.decode()
    done = client.post(check, hidden(client, check))
    assert done.status_code == 302
    waiting = TransferRequest.objects.get()
    assert "was requested" in client.get(done["Location"]).content.decode()
    assert world.pool(world.tokyo, world.advantage).balance == 100
    decide = f"{A}/transfers/requests/{waiting.uid}/decide/"
    assert client.post(decide, {"act": "approve"}).status_code == 403
    assert world.client(world.partner).get(f"{A}/transfers/requests/{waiting.uid}/").status_code == 404
    admin = world.client(world.admin)
    assert waiting.uid in admin.get(f"{A}/transfers/requests/").content.decode()
    assert "transfer waits for your approval" in admin.get(f"{A}/").content.decode()
    assert admin.post(decide, {"act": "approve"}).status_code == 302
    assert world.pool(world.tokyo, world.advantage).balance == 97
    assert admin.post(decide, {"act": "decline"}).status_code == 409


def test_a_partner_reads_the_other_side_as_another_virtual_account(stocked: Stocked) -> None:
    world = stocked.world
    client, pool = world.client(world.admin), world.pool(world.tokyo, world.advantage)
    draft = start(stocked, client, pool.uid)
    check = aim(stocked, client, draft, pool.uid, "3")["Location"]
    client.post(check, hidden(client, check))
    entry = Entry.objects.get(kind="transfer")
    partner = world.client(world.partner)
    for page in ("transfers/", f"transfers/{entry.uid}/", f"licenses/{world.advantage.uid}/history/"):
        text = partner.get(f"{stocked.osaka}/{page}").content.decode()
        assert "another virtual account" in text
        assert "AOZORA Tokyo" not in text
    assert partner.post(f"{A}/transfers/{entry.uid}/undo/").status_code in (403, 404)
    assert world.client(world.stranger).get(f"{A}/transfers/{entry.uid}/").status_code == 404


def test_a_target_out_of_sight_is_as_unknown_as_one_that_never_was(stocked: Stocked) -> None:
    world = stocked.world
    partner, pool = world.client(world.partner), world.pool(world.osaka, world.advantage)
    draft = start(stocked, partner, pool.uid)
    for uid in (world.tokyo.uid, "0000000000000"):
        answer = aim(stocked, partner, draft, pool.uid, "1", target=uid)
        assert answer.status_code == 422
        assert "AOZORA Tokyo" not in answer.content.decode()
    tokyo = world.pool(world.tokyo, world.advantage)
    text = partner.get(f"{A}/transfers/start/?row={tokyo.uid}").content.decode()
    assert "No license is chosen" in text


def test_a_draft_is_its_writers_own(stocked: Stocked) -> None:
    world = stocked.world
    pool = world.pool(world.tokyo, world.advantage)
    draft = start(stocked, world.client(world.admin), pool.uid)
    assert world.client(world.user).get(draft).status_code == 404
    assert world.client(world.admin).get(f"{A}/").content.decode().count("transfers/drafts/") == 1
    assert world.client(world.admin).post(draft + "discard/").status_code == 302
    assert world.client(world.admin).get(draft).status_code == 404
    assert world.client(world.admin).get(f"{A}/transfers/drafts/{uuid.uuid4().hex[:13]}/").status_code == 404
