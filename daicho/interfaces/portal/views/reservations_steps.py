"""予約: the codes of one, shown and brought back; changed, returned, cancelled half-way, bound to a replacement, undone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache

from daicho.core.errors import BusinessError
from daicho.domain.access.rules import Permission
from daicho.domain.devices.commands.reservation_steps import (
    HeldLot,
    bind_reservation,
    change_reserved,
    confirm_reservation,
    return_reserved,
    withdraw_reservation,
)
from daicho.domain.devices.commands.reservations import show_reservation_codes, undo_reservation
from daicho.domain.devices.queries.reservations import (
    ReservationRow,
    codes_of,
    get_reservation,
    lots_to_reserve,
    read_asked,
)
from daicho.domain.ledger.queries.sight import look
from daicho.interfaces.portal import components as kit
from daicho.interfaces.portal.views.reservations_list import next_step, show
from daicho.interfaces.portal.views.reservations_new import STEPS
from daicho.interfaces.portal.views.reservations_parts import (
    CodeForm,
    cells_of,
    crumbs,
    licenses_text,
    lot_table,
    state_of,
)
from daicho.interfaces.portal.web import Here, account_page, request_id_of, show_errors


class StatementForm(forms.Form):
    statement = forms.CharField(
        label=gettext_lazy("What happened"), required=False, max_length=500, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("In your own words, 10 characters or more: that the authorization was not installed, and what happened."),
    )  # fmt: skip
    memo = forms.CharField(label=gettext_lazy("Memo (approval number, …)"), max_length=500, required=False)


@never_cache
@account_page(Permission.LICENSES_MANAGE)
def codes(request: HttpRequest, here: Here, reservation: str) -> HttpResponseBase:
    """Step 4, and again at any time: the authorization in each form. The first showing is an act, so it is posted."""
    row = get_reservation(here.actor, here.account, reservation, Permission.LICENSES_MANAGE)
    if request.method == "POST":
        show_reservation_codes(here.actor, account=here.account, uid=reservation, request_id=request_id_of(request))
        return HttpResponseRedirect(here.url("reservations-codes", reservation=reservation))
    if "show" not in row.acts:
        return HttpResponseRedirect(here.url("reservations-detail", reservation=reservation))
    first = row.state in ("prepared", "waiting")
    context = {
        "title": _("Authorization code"),
        "crumbs": _crumbs(here, row, _("Authorization code")),
        "steps": [kit.Step(str(name), "done" if at < 3 else "current", "") for at, name in enumerate(STEPS)] if first else [],
        "row": row,
        "licenses": licenses_text(row),
        "next": next_step(row),
        "codes": codes_of(here.actor, here.account, reservation),
        "file_url": here.url("reservations-file", reservation=reservation),
        "confirm_url": here.url("reservations-confirm", reservation=reservation) if "confirm" in row.acts else "",
        "detail_url": here.url("reservations-detail", reservation=reservation),
    }  # fmt: skip
    return render(request, "reservations/codes.html", context)


@never_cache
@account_page(Permission.LICENSES_MANAGE)
def file(request: HttpRequest, here: Here, reservation: str) -> HttpResponseBase:
    """The authorization as the file that the device reads."""
    found = codes_of(here.actor, here.account, reservation)
    if found is None:
        raise Http404
    answer = HttpResponse(found.file, content_type="application/json")
    answer["Content-Disposition"] = f'attachment; filename="authorization-{reservation}-{found.number}.json"'
    return answer


@account_page(Permission.LICENSES_MANAGE)
def confirm(request: HttpRequest, here: Here, reservation: str) -> HttpResponseBase:
    def act(row: ReservationRow, code: str) -> str:
        confirm_reservation(
            here.actor, account=here.account, uid=reservation, code=code, request_id=request_id_of(request)
        )
        return _("The device has installed its authorization.")

    return _code_page(
        request, here, reservation, act, heading=_("Confirmation code"), button=_("Confirm the installation"),
        text=_("The device shows it after it has installed the authorization."),
    )  # fmt: skip


@account_page(Permission.LICENSES_MANAGE)
def give_back(request: HttpRequest, here: Here, reservation: str) -> HttpResponseBase:
    def act(row: ReservationRow, code: str) -> str:
        return_reserved(here.actor, account=here.account, uid=reservation, code=code, request_id=request_id_of(request))
        return _("The licenses of the device were returned and are spare again.")

    row = get_reservation(here.actor, here.account, reservation, Permission.LICENSES_MANAGE)
    return _code_page(
        request, here, reservation, act, heading=_("Return code"), button=_("Return the licenses"),
        text=_("On the device, return the reservation: it erases its authorization and shows the return code."),
        final=_("%(licenses)s become spare. This cannot be undone: to use them again the device needs a new reservation.")
        % {"licenses": licenses_text(row)},
    )  # fmt: skip


@account_page(Permission.LICENSES_MANAGE)
def bind(request: HttpRequest, here: Here, reservation: str) -> HttpResponseBase:
    def act(row: ReservationRow, code: str) -> str:
        asked = read_asked(here.actor, here.account, code).request
        bind_reservation(
            here.actor, account=here.account, uid=reservation, request=asked, request_id=request_id_of(request)
        )
        return _("The reservation is bound to the new device. Carry its authorization code there.")

    return _code_page(
        request, here, reservation, act, heading=_("Request code of the replacement"), button=_("Make a new authorization"),
        text=_("The new device shows it. The codes of the failed device are worth nothing from then on."), then="reservations-codes",
    )  # fmt: skip


@account_page(Permission.LICENSES_MANAGE)
def withdraw(request: HttpRequest, here: Here, reservation: str) -> HttpResponseBase:
    row = get_reservation(here.actor, here.account, reservation, Permission.LICENSES_MANAGE)
    form = StatementForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            withdraw_reservation(
                here.actor,
                account=here.account,
                uid=reservation,
                request_id=request_id_of(request),
                **form.cleaned_data,
            )
        except BusinessError as error:
            if error.http_status in (403, 404):
                raise
            if error.code == "statement_needed":
                form.add_error("statement", forms.ValidationError(error.text(), code=error.code))
            else:
                show_errors(form, error)
        else:
            kit.tell(request, "done", _("The authorization was cancelled; its licenses are spare again."))
            return HttpResponseRedirect(here.url("reservations-detail", reservation=reservation))
    if "withdraw" not in row.acts and request.method != "POST":
        return HttpResponseRedirect(here.url("reservations-detail", reservation=reservation))
    changing = row.state == "changing"
    context = {
        "title": _("Cancel half-way"),
        "crumbs": _crumbs(here, row, _("Cancel half-way")),
        "form": form,
        "needs_statement": codes_of(here.actor, here.account, reservation) is not None,
        "may_state": here.scope.allows(Permission.TRANSFERS_APPROVE, row.virtual_account.pk),
        "text": _("The device keeps what it had before the change.") if changing
        else _("%(licenses)s become spare.") % {"licenses": licenses_text(row)},
        "back_url": here.url("reservations-detail", reservation=reservation),
    }  # fmt: skip
    return render(request, "reservations/withdraw.html", context, status=422 if form.errors else 200)


@account_page(Permission.LICENSES_MANAGE)
def change(request: HttpRequest, here: Here, reservation: str) -> HttpResponseBase:
    """Choose anew what the device holds: the same table as at first, filled with what it has."""
    row = get_reservation(here.actor, here.account, reservation, Permission.LICENSES_MANAGE)
    if "change" not in row.acts and request.method != "POST":
        return HttpResponseRedirect(here.url("reservations-detail", reservation=reservation))
    found = lots_to_reserve(look(here.actor, here.account), row.virtual_account, row)
    held = {line.lot.uid: str(line.new) for line in row.lines}
    table = lot_table(found, cells_of(request.POST) if request.method == "POST" else held)
    memo, refusal, errors, status = request.POST.get("memo", "")[:500], None, table.errors, 200
    if request.method == "POST" and not errors:
        try:
            change_reserved(
                here.actor, account=here.account, uid=reservation, memo=memo, request_id=request_id_of(request),
                lots=[HeldLot(uid, quantity) for uid, quantity in table.wanted.items()],
            )  # fmt: skip
        except BusinessError as error:
            if error.http_status in (403, 404):
                raise
            refusal, status = error, error.http_status
        else:
            kit.tell(request, "done", _("The change was prepared. Carry the new authorization code to the device."))
            return HttpResponseRedirect(here.url("reservations-codes", reservation=reservation))
    context = {
        "title": _("Change the reservation"),
        "crumbs": _crumbs(here, row, _("Change")),
        "row": row,
        "table": table,
        "errors": errors,
        "refusal": refusal,
        "memo": memo,
        "back_url": here.url("reservations-detail", reservation=reservation),
    }
    return render(request, "reservations/change.html", context, status=422 if errors else status)


@account_page(Permission.LICENSES_MANAGE)
def undo(request: HttpRequest, here: Here, reservation: str) -> HttpResponseBase:
    row = get_reservation(here.actor, here.account, reservation, Permission.LICENSES_MANAGE)
    if request.method == "POST":
        try:
            undo_reservation(here.actor, account=here.account, uid=reservation, request_id=request_id_of(request))
        except BusinessError as error:
            if error.http_status in (403, 404):
                raise
            return show(request, here, row, refusal=error, status=error.http_status)
        kit.tell(request, "done", _("The reservation was undone; its licenses are spare again."))
    return HttpResponseRedirect(here.url("reservations-detail", reservation=reservation))


def _code_page(
    request: HttpRequest, here: Here, reservation: str, act: Callable[[ReservationRow, str], str], *, heading: str, button: str,
    text: str, final: str = "", then: str = "reservations-detail",
) -> HttpResponseBase:  # fmt: skip
    """A page that takes one code and does one thing with it."""
    row = get_reservation(here.actor, here.account, reservation, Permission.LICENSES_MANAGE)
    form = CodeForm(request.POST or None, request.FILES or None, label=heading)
    if request.method == "POST" and form.is_valid():
        try:
            told = act(row, form.cleaned_data["code"])
        except BusinessError as error:
            if error.http_status in (403, 404):
                raise
            form.add_error("code", forms.ValidationError(error.text(), code=error.code))
        else:
            kit.tell(request, "done", told)
            return HttpResponseRedirect(here.url(then, reservation=reservation))
    context: dict[str, Any] = {
        "title": heading,
        "crumbs": _crumbs(here, row, heading),
        "state": state_of(row),
        "device": row.device,
        "form": form,
        "text": text,
        "final": final,
        "button": button,
        "back_url": here.url("reservations-detail", reservation=reservation),
    }
    return render(request, "reservations/code.html", context, status=422 if form.errors else 200)


def _crumbs(here: Here, row: ReservationRow, last: str) -> list[kit.Crumb]:
    detail_url = here.url("reservations-detail", reservation=row.reservation.uid)
    return crumbs(here, kit.Crumb(row.device.name, detail_url), kit.Crumb(last))
