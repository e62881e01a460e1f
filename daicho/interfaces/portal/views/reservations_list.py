"""予約: what is locked to offline devices, what is unfinished, since when? One reservation: what is its next step?"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from daicho.core.errors import BusinessError
from daicho.domain.access.queries_drafts import open_drafts
from daicho.domain.access.queries_events import latest_events
from daicho.domain.access.rules import Permission
from daicho.domain.devices.queries.reservations import (
    STATES,
    ReservationRow,
    codes_of,
    get_reservation,
    list_reservations,
)
from daicho.domain.ledger.queries.sight import Sight, look
from daicho.interfaces.portal import components as kit
from daicho.interfaces.portal import words
from daicho.interfaces.portal.events_text import sentence, who
from daicho.interfaces.portal.lists import ChoiceFilter, Column, Empty, ListPage, ListQuery, Page
from daicho.interfaces.portal.views.licenses_parts import license_name
from daicho.interfaces.portal.views.reservations_parts import STATE_WORDS, crumbs, licenses_text, may_act, state_of
from daicho.interfaces.portal.web import Here, account_page

KIND = "reservation"


class ReservationList(ListPage):
    key = "reservations"
    title = gettext_lazy("Reservations")
    text_label = gettext_lazy("Filter by device, serial number or virtual account")
    filters = (
        ChoiceFilter(
            "state", gettext_lazy("State"),
            [("unfinished", gettext_lazy("Unfinished")), *((str(state), STATE_WORDS[str(state)]) for state in STATES)],
        ),
    )  # fmt: skip
    stamps = True
    here: Here
    sight: Sight

    def __init__(self, request: HttpRequest, **given: Any) -> None:
        super().__init__(request, **given)
        act = kit.Action(self.here.url("reservations-new"), gettext_lazy("Reserve")) if may_reserve(self.here) else None
        self.empty = Empty(
            gettext_lazy("No reservations"),
            gettext_lazy(
                "A device without network cannot draw licenses by itself. Reserve them for it by its request code, and carry the authorization code to it."
            ),
            act,
        )

    @property
    def columns(self) -> list[Column]:  # type: ignore[override]
        here = self.here
        columns = [
            Column("name", gettext_lazy("Device"), value=lambda r: r.device.name,
                   link=lambda r: here.url("reservations-detail", reservation=r.reservation.uid)),
            Column("serial", gettext_lazy("Serial number"), kind="code", value=lambda r: r.device.serial),
            Column("virtual_account", gettext_lazy("Virtual account"), value=lambda r: r.virtual_account.name, phone=True),
            Column("state", gettext_lazy("State"), kind="state", value=state_of, phone=True),
            Column("since", gettext_lazy("State since"), kind="datetime", value=lambda r: r.reservation.state_since, phone=True),
            Column("licenses", gettext_lazy("Licenses"), value=licenses_text, phone=True),
            Column("quantity", gettext_lazy("Reserved"), kind="num"),
            Column("end", gettext_lazy("First end"), kind="until", value=lambda r: r.end_on),
            Column("by", gettext_lazy("Reserved by"), optional=True, value=lambda r: r.reservation.created_by),
            Column("memo", gettext_lazy("Memo"), optional=True, value=lambda r: r.reservation.memo),
        ]  # fmt: skip
        return columns if self.sight.is_wide else [c for c in columns if c.key != "virtual_account"]

    def fetch(self, q: ListQuery) -> Page:
        found = list_reservations(
            self.sight, state=q.filters.get("state", ""), text=q.text, cursor=q.cursor, size=q.size
        )
        return Page(found.rows, found.next_cursor, found.previous_cursor, found.count, found.count_is_exact)

    def row_menu(self, row: ReservationRow) -> list[kit.MenuItem]:
        return acts_menu(self.here, row) if may_act(self.here, row) else []


def may_reserve(here: Here) -> bool:
    return here.may(Permission.LICENSES_MANAGE)


ACTS = (
    ("show", gettext_lazy("Authorization code"), "reservations-codes", "qrcode"),
    ("confirm", gettext_lazy("Enter the confirmation code"), "reservations-confirm", "check"),
    ("bind", gettext_lazy("Enter the replacement's request code"), "reservations-bind", "refresh"),
    ("change", gettext_lazy("Change"), "reservations-change", "edit"),
    ("return", gettext_lazy("Return"), "reservations-return", "arrow-back-up"),
    ("withdraw", gettext_lazy("Cancel half-way"), "reservations-withdraw", "x"),
    ("undo", gettext_lazy("Undo"), "reservations-undo", "arrow-back-up"),
)
NEXT = {"prepared": "show", "waiting": "confirm", "changing": "confirm", "unbound": "bind", "installed": "change"}


def acts_menu(here: Here, row: ReservationRow, but: str = "") -> list[kit.MenuItem]:
    """What can be done now; nothing is listed that cannot, nor `but`."""
    uid = row.reservation.uid
    return [
        kit.MenuItem(str(label), here.url(page, reservation=uid), icon, danger=act == "withdraw", post=act == "undo")
        for act, label, page, icon in ACTS
        if act in row.acts and act != but
    ]


def next_act(here: Here, row: ReservationRow) -> tuple[str, kit.Action | None]:
    """The act that is due, and its button: an authorization that nobody has seen is shown before it is confirmed."""
    due = NEXT.get(row.state, "")
    if due == "confirm" and codes_of(here.actor, here.account, row.reservation.uid) is None:
        due = "show"
    found = next((one for one in ACTS if one[0] == due), None)
    if found is None:
        return "", None
    return due, kit.Action(here.url(found[2], reservation=row.reservation.uid), str(found[1]), found[3])


@account_page(Permission.LICENSES_VIEW)
def reservation_list(request: HttpRequest, here: Here) -> HttpResponseBase:
    context: dict[str, Any] = {}
    if may_reserve(here):
        context["primary"] = kit.Action(here.url("reservations-new"), _("Reserve"), "plus")
        drafts = open_drafts(here.actor, here.account, KIND)
        context["drafts"] = [
            {"url": here.url("reservations-draft", draft=one.uid), "at": one.updated_at} for one in drafts
        ]
        context["notice_part"] = "reservations/_drafts.html" if drafts else ""
    return ReservationList(request, here=here, sight=look(here.actor, here.account, here.va)).response(context)


@account_page(Permission.LICENSES_VIEW)
def detail(request: HttpRequest, here: Here, reservation: str) -> HttpResponseBase:
    return show(request, here, get_reservation(here.actor, here.account, reservation))


def show(
    request: HttpRequest, here: Here, row: ReservationRow, *, refusal: BusinessError | None = None, status: int = 200
) -> HttpResponse:
    one, device, place = row.reservation, row.device, row.virtual_account
    due, primary = next_act(here, row) if may_act(here, row) else ("", None)
    events = latest_events(here.actor, here.account, subject_uid=device.uid, limit=30)
    mine = [event for event in events if event.kind.startswith("reservation.")][:10]
    context = {
        "title": device.name,
        "crumbs": crumbs(here, kit.Crumb(device.name)),
        "row": row,
        "state": state_of(row),
        "next": next_step(row),
        "primary": primary,
        "actions": acts_menu(here, row, due) if may_act(here, row) else [],
        "facts_line": " · ".join(part for part in (device.product_id, device.serial, place.name) if part),
        "facts": [
            kit.Fact(_("Device"), device.name, url=here.url("devices-detail", va=None, device=device.uid)),
            kit.Fact(_("Virtual account"), place.name),
            kit.Fact(_("State since"), words.datetime(one.state_since)),
            kit.Fact(_("Reserved on"), words.datetime(one.created_at)),
            kit.Fact(_("Reserved by"), one.created_by),
            kit.Fact(_("Number of the authorization"), words.num(one.number)),
            kit.Fact(_("Installed on the device"), words.num(one.installed_number) if one.installed_number else ""),
            kit.Fact(_("Lots"), _("those that last longest (universal)") if one.is_universal else _("chosen by hand")),
            kit.Fact(_("Key of the device"), one.thumbprint),
            kit.Fact(_("Memo"), one.memo),
            *([kit.Fact(_("What was stated"), one.statement)] if one.statement else []),
        ],
        "lines": [(line, license_name(line.tag)) for line in row.lines],
        "changes": row.state == "changing",
        "events": [kit.Event(event.at, who(event), sentence(event)) for event in mine],
        "refusal": refusal,
    }
    return render(request, "reservations/detail.html", context, status=status)


def next_step(row: ReservationRow) -> str:
    """What somebody has to do now, in one sentence."""
    return {
        "prepared": _("Next: show the authorization code and carry it to the device. Until then the reservation can be undone."),
        "waiting": _("Next: install the authorization on the device and enter the confirmation code that it then shows."),
        "changing": _("Next: install the new authorization on the device and enter its confirmation code. Until then the larger of old and new stays reserved."),
        "unbound": _("The device was replaced. Next: enter the request code of the new device; it gets an authorization of its own."),
    }.get(row.state, "")  # fmt: skip
