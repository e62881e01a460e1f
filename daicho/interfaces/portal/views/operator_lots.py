"""The operator's lots of one account: what is left of each, correct a wrong one, revoke one. With a reason, mailed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django import forms
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from daicho.core.clock import day_of, now
from daicho.core.errors import BusinessError
from daicho.core.text import fingerprint
from daicho.domain.access.rules import OperatorPermission
from daicho.domain.ledger.commands.cancel import revoke_lot
from daicho.domain.ledger.commands.correct import correct_lot, right_lot
from daicho.domain.ledger.commands.previews import (
    CorrectionPreview,
    RevocationPreview,
    outside_hands,
    preview_correction,
    preview_revocation,
)
from daicho.domain.ledger.limits import MAX_QUANTITY
from daicho.domain.ledger.queries.exchanged import exchanged_for
from daicho.domain.ledger.queries.issued import IssuedLot, account_with_lots, get_issued, get_lots, list_issued
from daicho.interfaces.portal import components as kit
from daicho.interfaces.portal import words
from daicho.interfaces.portal.lists import BulkAct, ChoiceFilter, Column, Empty, ListPage, ListQuery
from daicho.interfaces.portal.views.licenses_lots import LOT_STATES
from daicho.interfaces.portal.views.licenses_parts import BILLINGS, ENTRY_KINDS, KINDS, license_label, license_name
from daicho.interfaces.portal.views.people_parts import once
from daicho.interfaces.portal.web import Here, operator_page, request_id_of, show_errors

if TYPE_CHECKING:
    from daicho.domain.ledger.commands.deposit import NewLot
    from daicho.domain.ledger.queries.held import Held
    from daicho.domain.tenancy.models import SmartAccount

ORDERS = OperatorPermission.ORDERS
FRAME = "frames/operator.html"


def lots_url(account: SmartAccount, name: str = "list", lot: str = "") -> str:
    kwargs = {"identifier": account.identifier} | ({"lot": lot} if lot else {})
    return reverse(f"operator_lots-{name}", kwargs=kwargs)


def crumbs(account: SmartAccount, lot: str = "") -> list[kit.Crumb]:
    found = [
        kit.Crumb(_("Smart Accounts"), reverse("operator_accounts-list")),
        kit.Crumb(account.name, reverse("operator_accounts-detail", kwargs={"identifier": account.identifier})),
        kit.Crumb(_("Lots"), lots_url(account)),
    ]
    return [*found, kit.Crumb(lot, lots_url(account, "detail", lot))] if lot else found


def state_of(row: IssuedLot) -> str | kit.State:
    """By the lot's own days; where nothing is left of it (cancelled, revoked, exchanged), that."""
    lot, at = row.lot, now()
    if row.is_gone:
        return kit.State("cancelled", text=_("Nothing left"))
    if lot.end_at is not None and lot.end_at <= at:
        return "ended"
    return "not_started" if lot.start_at > at else "in_force"


class IssuedLots(ListPage):
    """The lots of an account and what is left of each."""

    key = "operator-lots"
    title = gettext_lazy("Lots")
    text_label = gettext_lazy("Filter by lot, order number, SKU or license")
    row_id = "lot.uid"
    empty = Empty(gettext_lazy("No lots here"), gettext_lazy("Lots appear when an order of this account lands."))
    filters = (ChoiceFilter("state", gettext_lazy("State"), [one for one in LOT_STATES if one[0] != "ending"]),)
    here: Here
    account: SmartAccount

    @property
    def columns(self) -> list[Column]:  # type: ignore[override]
        account, zone = self.account, self.account.time_zone
        return [
            Column("lot", gettext_lazy("Lot"), kind="code", value=lambda r: r.lot.uid,
                   link=lambda r: lots_url(account, "detail", r.lot.uid)),
            Column("sku", gettext_lazy("SKU"), kind="code", value=lambda r: r.lot.tag.sku, phone=True),
            Column("license", gettext_lazy("License"), optional=True, value=lambda r: license_name(r.lot.tag)),
            Column("state", gettext_lazy("State"), kind="state", value=state_of),
            Column("kind", gettext_lazy("Kind"), optional=True, value=lambda r: str(KINDS[r.lot.kind])),
            Column("start", gettext_lazy("Start"), kind="date", value=lambda r: day_of(r.lot.start_at, zone)),
            Column("end", gettext_lazy("End"), kind="date", value=lambda r: r.end_on, phone=True),
            Column("order", gettext_lazy("Order"), kind="code", value=lambda r: r.lot.order_number, link=order_url),
            Column("unassigned", gettext_lazy("Unassigned"), kind="num"),
            Column("assigned", gettext_lazy("Assigned"), kind="num", phone=True),
            Column("held", gettext_lazy("Held by devices"), kind="num"),
        ]  # fmt: skip

    def bulk_acts(self) -> list[BulkAct]:
        return [BulkAct("co_term", gettext_lazy("Give a common end date"), lots_url(self.account, "co-term"))]

    def fetch(self, q: ListQuery) -> Any:
        state = q.filters.get("state", "")
        return list_issued(self.here.actor, self.account, text=q.text, state=state, cursor=q.cursor, size=q.size)


def order_url(row: IssuedLot) -> str:
    number = row.lot.order_number
    return f"{reverse('operator_orders-list')}?{urlencode({'q': number})}" if number else ""


@operator_page(ORDERS)
def listing(request: HttpRequest, here: Here, identifier: str) -> HttpResponseBase:
    account = account_with_lots(here.actor, identifier)
    context = {"frame": FRAME, "crumbs": crumbs(account)[:-1], "facts": f"{account.name} · {account.identifier}"}
    return IssuedLots(request, here=here, account=account).response(context)


def held_rows(held: Sequence[Held]) -> list[dict[str, Any]]:
    """What devices hold; in which virtual account is the customer's."""
    return [
        {"lot": one.lot.uid, "unit": one.unit.uid, "state": one.kind, "quantity": one.quantity, "end_on": one.ends_on}
        for one in held
    ]


def facts_of(row: IssuedLot, account: SmartAccount) -> list[kit.Fact]:
    lot = row.lot
    return [
        kit.Fact(_("License"), license_label(lot.tag)),
        kit.Fact(_("Kind"), str(KINDS[lot.kind])),
        kit.Fact(_("Billing"), str(BILLINGS[lot.billing])),
        kit.Fact(_("Start"), words.date(day_of(lot.start_at, account.time_zone))),
        kit.Fact(_("End"), words.date(row.end_on) if row.end_on else ""),
        kit.Fact(_("Order"), lot.order_number, url=order_url(row)),
        kit.Fact(_("Unassigned"), words.num(row.unassigned)),
        kit.Fact(_("In virtual accounts"), words.num(row.assigned)),
        kit.Fact(_("Held by devices"), words.num(row.held)),
        kit.Fact(_("Ended"), words.num(row.ended)),
    ]


@operator_page(ORDERS)
def detail(request: HttpRequest, here: Here, identifier: str, lot: str) -> HttpResponseBase:
    """One lot: what is left of it, who holds some, what it was exchanged for."""
    account = account_with_lots(here.actor, identifier)
    row, held = get_issued(here.actor, account, lot)
    exchange = exchanged_for([row.lot.pk]).get(row.lot.pk)
    movable = row.unassigned + row.assigned
    context = {
        "shown": account,
        "lot": row.lot,
        "state": state_of(row),
        "facts": facts_of(row, account),
        "held": held_rows(held),
        "exchange": exchange,
        "exchange_act": str(ENTRY_KINDS[exchange.kind]) if exchange else "",
        "exchange_url": lots_url(account, "detail", exchange.lot.uid) if exchange else "",
        "crumbs": crumbs(account),
        "correct_url": "" if row.is_gone else lots_url(account, "correct", lot),
        "revoke_url": lots_url(account, "revoke", lot) if movable else "",
    }
    return render(request, "operator_lots/detail.html", context)


def reason_field() -> forms.CharField:
    return forms.CharField(
        label=gettext_lazy("Reason"), max_length=500, widget=forms.Textarea(attrs={"rows": 3, "maxlength": 500}),
        help_text=gettext_lazy("The administrators read it in a mail, and it stands in the event log."),
    )  # fmt: skip


class ReasonForm(forms.Form):
    """Why the operator takes licenses back."""

    reason = reason_field()


class Unchanged(Exception):
    """A correction that corrects nothing."""


class Stale(Exception):
    """What the operator was shown is no longer so."""


@operator_page(ORDERS)
def revoke(request: HttpRequest, here: Here, identifier: str, lot: str) -> HttpResponseBase:
    """Take back all of a lot that no device holds, after seeing what that is."""
    account = account_with_lots(here.actor, identifier)
    [found] = get_lots(here.actor, account, [lot])
    back = lots_url(account, "detail", lot)
    form, stale = ReasonForm(request.POST or None), False

    def act() -> str:
        if request.POST.get("seen") != _seen(preview_revocation(here.actor, account=account, lot=found)):
            raise Stale
        reason = form.cleaned_data["reason"]
        done = revoke_lot(here.actor, account=account, request_id=request_id_of(request), lot=found, reason=reason)
        text = ngettext("%(count)s license was revoked.", "%(count)s licenses were revoked.", done.revoked)
        kit.tell(request, "done", text % {"count": words.num(done.revoked)})
        return back

    context = {
        "title": _("Revoke %(sku)s") % {"sku": found.tag.sku},
        "license": license_label(found.tag),
        "form": form,
        "back": back,
        "crumbs": crumbs(account, lot),
    }
    try:
        if request.method == "POST" and form.is_valid():
            try:
                return once(request, act)
            except Stale:
                stale = True
        preview = preview_revocation(here.actor, account=account, lot=found)
    except BusinessError as error:
        if error.http_status == 404:
            raise
        context["refusal"] = error
    else:
        context |= {"preview": preview, "held": held_rows(preview.held), "seen": _seen(preview), "stale": stale}
    status = 409 if stale else 422 if form.errors else 200
    return render(request, "operator_lots/revoke.html", context, status=status)


def _seen(preview: RevocationPreview) -> str:
    return fingerprint([preview.revoked, preview.left])


class CorrectForm(forms.Form):
    """The right lot, and why it replaces the wrong one."""

    quantity = forms.IntegerField(
        label=gettext_lazy("Quantity"), min_value=1, max_value=MAX_QUANTITY, widget=kit.Quantity(),
        help_text=gettext_lazy("How many there should be, without those that devices hold."),
    )  # fmt: skip
    kind = forms.ChoiceField(label=gettext_lazy("Kind"), choices=list(KINDS.items()))
    billing = forms.ChoiceField(label=gettext_lazy("Billing"), choices=list(BILLINGS.items()))
    start_on = forms.DateField(label=gettext_lazy("Start"), widget=kit.DateInput())
    end_on = forms.DateField(
        label=gettext_lazy("End"), required=False, widget=kit.DateInput(), help_text=gettext_lazy("Empty: no end.")
    )
    reason = reason_field()


@operator_page(ORDERS)
def correct(request: HttpRequest, here: Here, identifier: str, lot: str) -> HttpResponseBase:
    """Exchange a wrong lot for the right one, after seeing what changes."""
    account = account_with_lots(here.actor, identifier)
    row, held = get_issued(here.actor, account, lot)
    found, zone = row.lot, account.time_zone
    starts_on = day_of(found.start_at, zone)
    initial = {
        "quantity": outside_hands(found) or None, "kind": found.kind, "billing": found.billing, "start_on": starts_on,
        "end_on": row.end_on,
    }  # fmt: skip
    form = CorrectForm(request.POST or None, initial=initial)
    context: dict[str, Any] = {
        "title": _("Correct %(sku)s") % {"sku": found.tag.sku},
        "lot": found,
        "license": license_label(found.tag),
        "form": form,
        "held": held_rows(held),
        "back": lots_url(account, "detail", lot),
        "crumbs": crumbs(account, lot),
    }
    stale = False
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        starts = data["start_on"] if data["start_on"] != starts_on else None

        def right() -> NewLot:
            return right_lot(
                found, quantity=data["quantity"], kind=data["kind"], billing=data["billing"], end_on=data["end_on"],
                start_on=starts,
            )  # fmt: skip

        def act() -> str:
            if request.POST.get("seen") != fingerprint([lot, outside_hands(found), right().content()]):
                raise Stale
            done = correct_lot(
                here.actor, account=account, request_id=request_id_of(request), lot=found, right=right(),
                reason=data["reason"],
            )  # fmt: skip
            kit.tell(request, "done", _("The lot was corrected. This is the right one."))
            return lots_url(account, "detail", done.lot.uid)

        try:
            if request.POST.get("act") == "correct":
                try:
                    return once(request, act)
                except Stale:
                    stale = True
            preview = preview_correction(here.actor, account=account, lot=found, right=right())
            changes = _changes(row, initial, data, preview)
            if not any(change["changed"] for change in changes):
                form.add_error(None, _("Nothing is changed. Enter what the lot should be."))
                raise Unchanged
            context |= {
                "preview": preview,
                "changes": changes,
                "seen": fingerprint([lot, preview.before, right().content()]),
                "stale": stale,
            }
        except Unchanged:
            pass
        except BusinessError as error:
            if error.http_status == 404:
                raise
            show_errors(form, error)
    status = 409 if stale else 422 if form.errors else 200
    return render(request, "operator_lots/correct.html", context, status=status)


def _changes(
    row: IssuedLot, before: dict[str, Any], after: dict[str, Any], preview: CorrectionPreview
) -> list[dict[str, Any]]:
    """Field by field, what there is and what there will be."""
    lines = [
        (_("Quantity"), words.num(preview.before), words.num(preview.after)),
        (_("Kind"), KINDS[row.lot.kind], KINDS[after["kind"]]),
        (_("Billing"), BILLINGS[row.lot.billing], BILLINGS[after["billing"]]),
        (_("Start"), words.date(before["start_on"]), words.date(after["start_on"])),
        (_("End"), *(words.date(day) if day else words.NOTHING for day in (before["end_on"], after["end_on"]))),
    ]
    return [
        {"label": label, "before": str(old), "after": str(new), "changed": str(old) != str(new)}
        for label, old, new in lines
    ]
