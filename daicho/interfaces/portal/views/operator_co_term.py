"""The operator gives several lots of one license a common end: what that does first, then the act."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from daicho.core.errors import BusinessError
from daicho.domain.access.rules import OperatorPermission
from daicho.domain.ledger.commands.co_term import MOST_LOTS, CoTermPreview, co_term_lots, preview_co_term
from daicho.domain.ledger.errors import lots_too_few
from daicho.domain.ledger.queries.issued import account_with_lots, get_lots, list_issued
from daicho.interfaces.portal import components as kit
from daicho.interfaces.portal import words
from daicho.interfaces.portal.lists import selected
from daicho.interfaces.portal.views.licenses_parts import license_label
from daicho.interfaces.portal.views.operator_lots import IssuedLots, Stale, crumbs, held_rows, lots_url, reason_field
from daicho.interfaces.portal.views.people_parts import once
from daicho.interfaces.portal.web import Here, operator_page, request_id_of, show_errors


class CoTermForm(forms.Form):
    """Until when all of it lasts, and why."""

    ends_on = forms.DateField(
        label=gettext_lazy("Common last day"), required=False, widget=kit.DateInput(),
        help_text=gettext_lazy("Empty: the day that keeps the license-days."),
    )  # fmt: skip
    reason = reason_field()


@operator_page(OperatorPermission.ORDERS)
def co_term(request: HttpRequest, here: Here, identifier: str) -> HttpResponseBase:
    """Comes from the list with the chosen lots; shows what a common end does, and does it when that was seen."""
    account = account_with_lots(here.actor, identifier)
    uids = _chosen(request, here, account)
    act = request.POST.get("act", "")
    if not uids:
        kit.tell(request, "caution", lots_too_few().text())
        return HttpResponseRedirect(lots_url(account))
    form = CoTermForm(request.POST if act else None)
    lots = get_lots(here.actor, account, uids)
    context: dict[str, Any] = {
        "title": _("Give a common end date"),
        "license": license_label(lots[0].tag),
        "form": form,
        "lots": uids,
        "back": lots_url(account),
        "crumbs": crumbs(account),
    }
    ends_on = form.cleaned_data.get("ends_on") if act and (form.is_valid() or form.cleaned_data) else None
    stale = False

    def together() -> str:
        done = co_term_lots(
            here.actor, account=account, request_id=request_id_of(request), lots=lots,
            reason=form.cleaned_data["reason"], **_as_shown(request, ends_on),
        )  # fmt: skip
        text = _("%(count)s licenses end on %(day)s now, in one lot.")
        kit.tell(request, "done", text % {"count": words.num(done.quantity), "day": words.date(done.ends_on)})
        return lots_url(account, "detail", done.lot.uid)

    try:
        if act == "do" and form.is_valid():
            try:
                return once(request, together)
            except Stale:
                stale = True
            except BusinessError as error:
                if error.code != "stale_data":
                    raise
                stale = True
        context |= _shown(preview_co_term(here.actor, account=account, lots=lots, ends_on=ends_on))
        context |= {"stale": stale, "asked": ends_on.isoformat() if ends_on else ""}
    except BusinessError as error:
        if error.http_status == 404:
            raise
        if act and form.is_valid():
            show_errors(form, error)
        else:
            context["refusal"] = error
    if act == "preview":
        form.errors.pop("reason", None)  # asked for when it is done
    status = 409 if stale else 422 if form.errors or "refusal" in context else 200
    return render(request, "operator_lots/co_term.html", context, status=status)


def _as_shown(request: HttpRequest, ends_on: dt.date | None) -> dict[str, Any]:
    """Exactly what the page said: if another day stands in the form by now, it must be worked out first."""
    quantity, day, asked = (request.POST.get(name, "") for name in ("quantity", "day", "asked"))
    if asked != (ends_on.isoformat() if ends_on else "") or not quantity.isdecimal():
        raise Stale
    try:
        return {"quantity": int(quantity), "ends_on": dt.date.fromisoformat(day)}
    except ValueError:
        raise Stale from None


def _chosen(request: HttpRequest, here: Here, account: Any) -> list[str]:
    """The lots that were ticked, or all that match, as far as one act takes them (one more, so that it is refused)."""
    rows, everything = selected(request)
    if request.method != "POST":
        return []
    if not everything:
        return rows[: MOST_LOTS + 1]
    q = IssuedLots(request, here=here, account=account).query()
    found: list[str] = []
    cursor: str | None = None
    while len(found) <= MOST_LOTS:
        state = q.filters.get("state", "")
        page = list_issued(here.actor, account, text=q.text, state=state, cursor=cursor, size=200)
        found += [row.lot.uid for row in page.rows if not row.is_gone]
        cursor = page.next_cursor
        if cursor is None:
            break
    return found[: MOST_LOTS + 1]


def _shown(preview: CoTermPreview) -> dict[str, Any]:
    """By lot; in which virtual accounts the parts lie is the customer's."""
    sums: dict[str, dict[str, int]] = defaultdict(lambda: {"unassigned": 0, "assigned": 0})
    ends = {part.lot.uid: part.ends_on for part in preview.parts}
    for part in preview.parts:
        sums[part.lot.uid]["unassigned" if part.virtual_account is None else "assigned"] += part.quantity
    change = preview.days_after - preview.days_before
    return {
        "preview": preview,
        "parts": [{"lot": uid, "end_on": ends[uid], **one} for uid, one in sums.items()],
        "held": held_rows(preview.held),
        "facts": [
            kit.Fact(_("Quantity"), words.num(preview.quantity)),
            kit.Fact(_("Common last day"), words.date(preview.ends_on)),
            kit.Fact(_("End that keeps the license-days"), words.date(preview.even_on)),
            kit.Fact(_("License-days now"), words.num(preview.days_before)),
            kit.Fact(_("License-days then"), words.num(preview.days_after), hint=f"{change:+,}" if change else ""),
        ],
        "verb": ngettext(
            "Give %(count)s license this end date", "Give %(count)s licenses this end date", preview.quantity
        )
        % {"count": words.num(preview.quantity)},
    }
