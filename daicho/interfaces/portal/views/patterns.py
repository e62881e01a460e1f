"""Every part of the kit in all its states, with made-up data: what axe and screenshots look at.

`?theme=light|dark`, `?language=ja|en`; a list of 240 licenses shows what `lists.ListPage` gives.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from daicho.core import clock
from daicho.interfaces.portal import components as kit
from daicho.interfaces.portal import words
from daicho.interfaces.portal.lists import (
    BulkAct,
    ChoiceFilter,
    Column,
    DateFilter,
    Empty,
    FlagFilter,
    ListPage,
    ListQuery,
    Page,
)

LONG = "情報システム本部 デジタル基盤統括部 ネットワーク運用第二グループ"
STATES = ("in_compliance", "short", "ending", "ended", "reserved", "evaluation", "waiting", "neutral")


@dataclass
class Sample:
    """A made-up pool of licenses."""

    number: int
    name: str
    place: str
    purchased: int
    used: int
    reserved: int
    ends: dt.datetime | None
    tags: list[str] = field(default_factory=list)

    @property
    def balance(self) -> int:
        return self.purchased - self.used - self.reserved

    @property
    def state(self) -> str | tuple[str, int]:
        return (
            ("short", -self.balance)
            if self.balance < 0
            else STATES[self.number % 8]
            if self.number % 3
            else "in_compliance"
        )


def samples(count: int = 240) -> list[Sample]:
    places = ("東京本社", "大阪支店", LONG, "Nagoya <b>plant</b> 🏭")
    return [
        Sample(
            i, ("NET-ADV", "NET-ESS", "SEC-PLUS", "VPN-100")[i % 4] + (f"-{i // 4}" if i > 3 else ""), places[i % 4], 20 + i * 7 % 90, 23 + i * 5 % 80,
            i % 9, clock.now() + dt.timedelta(days=i * 3 - 30) if i % 5 else None, ["core", "更新対象"][: i % 3],
        )
        for i in range(count)
    ]  # fmt: skip


class SampleList(ListPage):
    key = "samples"
    title = _("Licenses")
    columns = (
        Column("name", _("License"), link=lambda row: f"#{row.number}", sort=True),
        Column("place", _("Virtual account"), sort=True),
        Column("state", _("State"), kind="state", sort=True),
        Column("purchased", _("Purchased"), kind="num", total=True, sort=True),
        Column("used", _("In use"), kind="num", total=True),
        Column("reserved", _("Reserved"), kind="num", total=True),
        Column("balance", _("Balance"), kind="balance", total=True, sort=True),
        Column("ends", _("Next end"), kind="until", sort=True),
        Column("tags", _("Tags"), kind="tags", optional=True),
    )
    filters = (
        ChoiceFilter("state", _("State"), [(code, words.STATES[code].word) for code in STATES]),
        ChoiceFilter(
            "place", _("Virtual account"), [("東京本社", "東京本社"), ("大阪支店", "大阪支店")], multiple=True
        ),
        DateFilter("until", _("Ends by")),
        FlagFilter("spare", _("Only spare ones")),
    )
    text_label = _("Filter by name or SKU")
    default_sort = "name"
    bulk = (BulkAct("transfer", _("Transfer"), "/_patterns/list/"),)
    row_id = "number"
    stamps = True
    empty = Empty(_("No licenses yet"), _("Licenses arrive here when an order names this account."))

    def fetch(self, q: ListQuery) -> Page:
        rows = samples()
        if state := q.filters.get("state"):
            rows = [r for r in rows if (r.state if isinstance(r.state, str) else r.state[0]) == state]
        if places := q.filters.get("place"):
            rows = [r for r in rows if r.place in places]
        if day := q.filters.get("until"):
            rows = [r for r in rows if r.ends and r.ends.date() <= day]
        if q.filters.get("spare"):
            rows = [r for r in rows if r.balance > 0]
        return Page.of(rows, q, self.columns)

    def row_menu(self, row: Sample) -> Sequence[kit.MenuItem]:
        return [
            kit.MenuItem(_("Transfer"), f"#{row.number}", "arrows-exchange"),
            kit.MenuItem(_("Event log"), "#", "history"),
        ]


class SampleForm(forms.Form):
    """Every kind of field."""

    name = forms.CharField(label=_("Account name"), max_length=100, help_text=_("The company's official name"))
    quantity = forms.IntegerField(label=_("Quantity"), widget=kit.Quantity(), min_value=1)
    day = forms.DateField(label=_("End date"), widget=kit.DateInput(), required=False)
    target = forms.ChoiceField(
        label=_("Target"), widget=kit.Combobox(), choices=[("", "—"), ("1", "東京本社"), ("2", "大阪支店"), ("3", LONG)]
    )
    other = forms.ChoiceField(label=_("License"), widget=kit.Combobox(source="/_patterns/options/"), required=False)
    kind = forms.ChoiceField(
        label=_("Kind"), choices=[("perpetual", _("Perpetual")), ("term", _("Term"))], required=False
    )
    order = forms.ChoiceField(
        label=_("Choice of lots"), widget=forms.RadioSelect,
        choices=[("soonest", _("Those that end first")), ("longest", _("Those that end last"))],
    )  # fmt: skip
    memo = forms.CharField(
        label=_("Memo (approval number, etc.)"), widget=forms.Textarea(attrs={"rows": 3}), required=False
    )
    agreed = forms.BooleanField(label=_("I am authorized to represent my company"))
    fixed = forms.CharField(label=_("Domain identifier"), initial="example.co.jp", disabled=True, required=False)
    file = forms.FileField(label=_("File"), required=False)


def _frame(request: HttpRequest) -> dict[str, Any]:
    """The account frame as it is around real pages, with made-up scope."""
    groups = (
        ((_("Home"), "home", None),),
        ((_("Licenses"), "license", None), (_("Ending"), "calendar-due", 5), (_("Transfers"), "arrows-exchange", None)),
        ((_("Devices"), "device-desktop", None), (_("Orders"), "shopping-cart", 2)),
        ((_("Virtual accounts"), "sitemap", None), (_("Users"), "users", None), (_("Partners"), "building", None)),
        ((_("Account agreement"), "certificate", None), (_("Alerts"), "bell", 3), (_("Event log"), "history", None), (_("Settings"), "settings", None)),
    )  # fmt: skip
    return {
        "nav": [
            kit.NavGroup([kit.NavItem("/_patterns/list/" if icon == "license" else "/_patterns/", label, icon, icon == "license", count) for label, icon, count in group])
            for group in groups
        ],
        "account": {"name": "株式会社サンプル", "domain": "example.co.jp"},
        "accounts": [kit.Choice("株式会社サンプル", "#", "example.co.jp", True), kit.Choice("Sample Holdings", "#", "sample.com")],
        "va": "",
        "va_choices": [
            kit.Choice(_("All virtual accounts"), "#", current=True),
            kit.Choice("東京本社", "#", count=3),
            kit.Choice("ネットワーク運用第二グループ", "#", "東京本社 / 情報システム本部", depth=1),
            kit.Choice("大阪支店", "#", count=1),
        ],
        "search_url": "/_patterns/", "alerts_url": "/_patterns/", "alerts_count": 3, "help_url": "/_patterns/",
        "notice": kit.Banner("caution", _("A new account agreement must be accepted."), "#", _("Check the content"), True),
    }  # fmt: skip


def _in(request: HttpRequest) -> Any:
    language = request.GET.get("language", "")
    return translation.override(language if language in ("ja", "en") else translation.get_language())


def _person(request: HttpRequest) -> SimpleNamespace:
    return SimpleNamespace(
        is_authenticated=True,
        name="山田 太郎",
        email="taro.yamada@example.co.jp",
        theme=request.GET.get("theme", "system"),
    )


def parts(request: HttpRequest) -> HttpResponse:
    """All parts on one page."""
    with _in(request):
        now = clock.now()
        filled = SampleForm({"name": "", "quantity": "x", "target": "", "order": "soonest", "fixed": "x"}, prefix="bad")
        filled.is_valid()
        context = {
            **_frame(request), "user": _person(request), "title": _("Pattern library"),
            "states": STATES, "icons": sorted(kit.ICONS), "now": now, "soon": now + dt.timedelta(days=12), "past": now - dt.timedelta(days=3),
            "unsaved": SampleForm(prefix="new", initial={"order": "soonest"}), "bad": filled,
            "crumbs": [kit.Crumb(_("Licenses"), "#"), kit.Crumb("NET-ADV")],
            "acts": [
                kit.MenuItem(_("Print"), "#", "printer"), kit.MenuItem(_("Undo"), "#", "arrow-back-up", post=True),
                kit.MenuItem(_("Remove the device"), "", "trash", dialog="remove-sample", danger=True),
                kit.MenuItem(_("Transfer"), "", "arrows-exchange", unavailable=_("No spare licenses.")),
            ],
            "tabs": [kit.Tab(_("Lots"), "#", True, 3), kit.Tab(_("Devices"), "#", count=0), kit.Tab(_("Event log"), "#")],
            "steps": [kit.Step(_("Company"), "done", "#"), kit.Step(_("Authority"), "done", "#"), kit.Step(_("Account"), "current"), kit.Step(_("Address")), kit.Step(_("Check"))],
            "facts": [(_("Account name"), "株式会社サンプル"), kit.Fact(_("Domain identifier"), "example.co.jp", _("Cannot be changed later.")), (_("Virtual account"), LONG), (_("Department"), "")],
            "effects": [kit.Effect("大阪支店 NET-ADV", -3, 0, "in_compliance"), kit.Effect("東京本社 NET-ADV", 12, 9, "in_compliance")],
            "events": [kit.Event(now - dt.timedelta(hours=3), "佐藤 花子", _("Quantity changed"), "12", "9", "#"), kit.Event(now - dt.timedelta(days=40), "山田 太郎", _("Transfers"))],
            "running": kit.Progress(40, 200, 0, True), "partly": kit.Progress(200, 200, 3, False, "#", "#"),
            "nodes": [kit.Node("東京本社", "#", count=3, state="short", children=[kit.Node("情報システム本部", "#", children=[kit.Node(LONG, "#", "NET-ADV")])]), kit.Node("大阪支店", "#")],
            "bars": [("大阪支店", -3, "#"), (LONG, 0, "#"), ("東京本社", 12, "#"), ("名古屋", 27, "#")], "days": [now.date() - dt.timedelta(days=7 * (11 - i)) for i in range(12)],
            "series": [(_("Purchased"), [20] * 6 + [30] * 6), (_("In use"), [3, 5, 4, 8, 9, 12, 11, 14, 18, 17, 20, 23])],
            "use": [3, 5, 4, 8, 9, 12, 11, 14, 18, 17, 20, 23],
            "row_problems": [kit.RowError(3, "quantity", _("Enter a whole number.")), kit.RowError(17, "sku", _("No license with this SKU."))],
            "samples": samples(5), "card": [(_("Domain identifier"), "example.co.jp"), (_("Virtual account"), "DEFAULT")],
            "old": "第1条 目的\n第2条 範囲\n第3条 期間 1年", "new": "第1条 目的\n第2条 範囲\n第3条 期間 2年\n第4条 連絡先",
        }  # fmt: skip
        return render(request, "patterns/parts.html", context)


def sample_list(request: HttpRequest) -> HttpResponseBase:
    """A list as `ListPage` gives it; `?none=1` shows it without rows."""
    with _in(request):
        page = (
            SampleList(request, fetch=lambda q: Page([], count=0)) if request.GET.get("none") else SampleList(request)
        )
        primary = kit.Action("#", _("Transfer"))
        return page.response(
            {
                **_frame(request),
                "user": _person(request),
                "primary": primary,
                "actions": [kit.MenuItem(_("Print"), "#")],
            }
        )


def options(request: HttpRequest) -> JsonResponse:
    """Choices for the remote combobox."""
    wanted = request.GET.get("q", "").casefold()
    found = [s for s in samples(40) if wanted in s.name.casefold()]
    lines = [{"value": str(s.number), "label": s.name, "hint": s.place} for s in found[:20]]
    return JsonResponse({"options": lines, "more": len(found) > 20})
