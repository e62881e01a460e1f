"""The operator's pages for lots: what they preview is what they do, twice pressed is done once."""

from __future__ import annotations

import html
import re
import uuid
from typing import Any
from zoneinfo import ZoneInfo

from daicho.core.clock import today
from daicho.domain.ledger.commands.correct import right_lot
from daicho.domain.ledger.commands.previews import preview_correction, preview_revocation
from daicho.domain.ledger.models import Entry, Lot
from daicho.domain.ledger.queries.exchanged import exchanged_for
from daicho.domain.mailbox.models import Mail
from tests.ledger.conftest import Ledger
from tests.ledger.test_co_term import DAY, ZONE, until
from tests.ledger.test_operator_lots import hold

AT = "/operator/accounts/aozora.example.co.jp/lots/"


def page(ledger: Ledger, path: str = "", body: dict[str, Any] | None = None, status: int = 200) -> str:
    browser = ledger.world.client(ledger.world.operator)
    answer = browser.get(AT + path) if body is None else browser.post(AT + path, body)
    assert answer.status_code == status, answer.content.decode()
    return str(answer.content.decode()) if status != 302 else answer["Location"]


def hidden(text: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', text)
    assert found is not None, name
    return html.unescape(found[1])


def test_lots_are_listed_and_found(ledger: Ledger) -> None:
    world = ledger.world
    now = world.deposit(world.advantage, 10, world.tokyo, order_number="PO-1")
    later = world.deposit(world.storage, 7919, world.osaka, start=until(5))
    assert now.uid in page(ledger)
    assert later.uid in page(ledger)
    for query, found in (("q=po-1", now), ("state=not_started", later), ("q=STO", later), (f"q={now.uid}", now)):
        text = page(ledger, f"?{query}")
        assert (now.uid in text, later.uid in text) == (found == now, found == later), query
    assert "Osaka" not in page(ledger)
    assert "AOZORA Tokyo" not in page(ledger, f"{now.uid}/")


def test_a_revocation_is_shown_before_it_is_done_and_done_once(ledger: Ledger) -> None:
    world = ledger.world
    lot = world.deposit(world.storage, 10, world.tokyo)
    hold(ledger, lot, 3)
    ledger.assign(world.unit(world.tokyo), world.storage, 5)
    shown = page(ledger, f"{lot.uid}/revoke/")
    assert "Revoke 7 licenses" in shown
    assert "5 uses of this customer become short" in shown
    sent = {"seen": hidden(shown, "seen"), "reason": "not paid", "request_id": str(uuid.uuid4())}
    page(ledger, f"{lot.uid}/revoke/", sent | {"reason": ""}, 422)
    page(ledger, f"{lot.uid}/revoke/", sent | {"seen": "older"}, 409)
    assert not Entry.objects.filter(kind="revoke").exists()
    for _time in range(2):
        assert page(ledger, f"{lot.uid}/revoke/", sent, 302).endswith(f"/{lot.uid}/")
    assert Entry.objects.get(kind="revoke").memo == "not paid"
    assert "Nothing of this lot is left" in page(ledger, f"{lot.uid}/revoke/")
    assert "Revoke" not in page(ledger, f"{lot.uid}/").partition("<h1")[2].partition("</header>")[0]


def test_a_correction_is_shown_before_it_is_done_and_the_old_lot_points_to_the_right_one(ledger: Ledger) -> None:
    world = ledger.world
    lot = world.deposit(world.storage, 10, world.tokyo, end=until(30))
    end_on = today(ZONE) + 60 * DAY
    wanted = {
        "quantity": "12", "kind": "term", "billing": "prepaid", "start_on": "2026-04-01", "end_on": end_on.isoformat(),
        "reason": "typed wrongly", "request_id": str(uuid.uuid4()),
    }  # fmt: skip
    assert 'value="10"' in page(ledger, f"{lot.uid}/correct/")
    shown = page(ledger, f"{lot.uid}/correct/", wanted | {"act": "preview"})
    assert "2 of them will be unassigned" in shown
    assert "end date" in page(ledger, f"{lot.uid}/correct/", wanted | {"act": "preview", "kind": "perpetual"}, 422)
    started = lot.start_at.astimezone(ZoneInfo(ZONE)).date().isoformat()
    same = {"quantity": "10", "act": "preview", "start_on": started, "end_on": (today(ZONE) + 30 * DAY).isoformat()}
    assert "Nothing is changed" in page(ledger, f"{lot.uid}/correct/", wanted | same, 422)
    act = wanted | {"act": "correct", "seen": hidden(shown, "seen")}
    page(ledger, f"{lot.uid}/correct/", act | {"quantity": "13"}, 409)
    first, again = (page(ledger, f"{lot.uid}/correct/", act, 302) for _time in range(2))
    right = Lot.objects.exclude(pk=lot.pk).get()
    assert first == again == f"{AT}{right.uid}/"
    assert f"{AT}{right.uid}/" in page(ledger, f"{lot.uid}/")
    assert Mail.objects.filter(template="license_changed", to=world.admin.email).count() == 1


def test_several_lots_get_a_common_end_as_it_was_shown(ledger: Ledger) -> None:
    world = ledger.world
    lots = [world.deposit(world.storage, 10, world.tokyo, end=until(days)) for days in (31, 61)]
    rows: dict[str, Any] = {"row": [lot.uid for lot in lots]}
    shown = page(ledger, "co-term/", rows)
    even = today(ZONE) + 46 * DAY
    assert hidden(shown, "day") == even.isoformat()
    other = even + 10 * DAY
    worked = page(ledger, "co-term/", rows | {"act": "preview", "ends_on": other.isoformat(), "reason": ""})
    assert hidden(worked, "day") == other.isoformat()
    assert "+200" in worked
    act = rows | {name: hidden(shown, name) for name in ("quantity", "day", "asked")}
    act |= {"act": "do", "reason": "renewal", "request_id": str(uuid.uuid4())}
    page(ledger, "co-term/", act | {"ends_on": other.isoformat()}, 409)
    page(ledger, "co-term/", act | {"quantity": "19"}, 409)
    page(ledger, "co-term/", act | {"reason": ""}, 422)
    first, again = (page(ledger, "co-term/", act, 302) for _time in range(2))
    made = Lot.objects.exclude(pk__in=[lot.pk for lot in lots]).get()
    assert first == again == f"{AT}{made.uid}/"
    assert {one.lot for one in exchanged_for(lot.pk for lot in lots).values()} == {made}
    everything = page(ledger, "co-term/?q=STO", {"all": "1"}, 422)
    assert "Choose at least two lots" in everything
    assert page(ledger, "co-term/", {}, 302) == AT


def test_previews_write_nothing_and_follow_exchanges_to_their_end(ledger: Ledger) -> None:
    world, operator = ledger.world, ledger.world.as_(ledger.world.operator)
    lot = world.deposit(world.storage, 10, world.tokyo)
    ledger.assign(world.unit(world.tokyo), world.storage, 4)
    right = right_lot(lot, quantity=3, kind="perpetual", end_on=None)
    found = preview_correction(operator, account=world.account, lot=lot, right=right)
    assert (found.before, found.after, found.unassigned, found.newly_short) == (10, 3, 0, 1)
    assert preview_revocation(operator, account=world.account, lot=lot).newly_short == 4
    assert ledger.figures(world.tokyo, world.storage) == (10, 4, 6)
    assert Entry.objects.filter(kind__in=["revoke", "correct"]).count() == Mail.objects.count() == 0
    assert exchanged_for([lot.pk]) == {}
