"""予約の手順: 要求コード → ライセンス → 確認 → 認可コード (design.md, Wizards)."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from daicho.core.errors import BusinessError
from daicho.domain.access.commands.drafts import drop_wizard_draft, keep_wizard_draft
from daicho.domain.access.queries_drafts import get_draft, open_drafts
from daicho.domain.access.rules import Permission
from daicho.domain.devices.commands.reservations import ReserveLine, reserve_for_device
from daicho.domain.devices.queries.reservations import (
    Asked,
    LotChoice,
    balances_of,
    lots_to_reserve,
    made_by,
    read_asked,
    where_most_is_spare,
)
from daicho.domain.ledger.queries.sight import Sight, look, manageable
from daicho.interfaces.portal import components as kit
from daicho.interfaces.portal import words
from daicho.interfaces.portal.views.reservations_list import KIND
from daicho.interfaces.portal.views.reservations_parts import CodeForm, LotTable, cells_of, crumbs, lot_table
from daicho.interfaces.portal.web import Here, account_page, show_errors

if TYPE_CHECKING:
    from daicho.domain.tenancy.models import VirtualAccount

STEPS = (
    gettext_lazy("Request code"), gettext_lazy("Licenses"), gettext_lazy("Check"), gettext_lazy("Authorization code"),
)  # fmt: skip


@dataclass
class Wizard:
    """What was typed so far."""

    code: str
    place: str = ""
    name: str = ""
    memo: str = ""
    universal: bool = False
    cells: dict[str, str] = field(default_factory=dict)
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> Wizard:
        return cls(**{key: data[key] for key in cls.__dataclass_fields__ if key in data})

    def data(self) -> dict[str, Any]:
        return {key: getattr(self, key) for key in self.__dataclass_fields__}

    def read(self, posted: QueryDict) -> None:
        self.cells = cells_of(posted)
        self.place = posted.get("place", self.place)[:16]
        self.name, self.memo = posted.get("name", "").strip()[:100], posted.get("memo", "")[:500]
        self.universal = posted.get("choice") == "universal"


@dataclass(frozen=True)
class Read:
    """The wizard with what stands behind it now."""

    wizard: Wizard
    asked: Asked
    sight: Sight
    places: list[Any]
    place: Any
    table: LotTable


def steps(here: Here, at: int, draft: str = "") -> list[kit.Step]:
    urls = (here.url("reservations-new"), here.url("reservations-draft", draft=draft) if draft else "", "", "")
    return [
        kit.Step(str(name), "done" if number < at else "current" if number == at else "later", url)
        for number, (name, url) in enumerate(zip(STEPS, urls, strict=True), 1)
    ]


def title(at: int) -> str:
    return _("Reservation %(step)s/4 %(name)s") % {"step": at, "name": STEPS[at - 1]}


@account_page(Permission.LICENSES_MANAGE)
def ask(request: HttpRequest, here: Here) -> HttpResponseBase:
    """Step 1: what the device shows."""
    form = CodeForm(request.POST or None, request.FILES or None, label=_("Request code"))
    if request.method == "POST" and form.is_valid():
        try:
            asked = read_asked(here.actor, here.account, form.cleaned_data["code"])
        except BusinessError as error:
            show_errors(form, error)
        else:
            wizard = Wizard(form.cleaned_data["code"], here.va.uid if here.va else "", asked.request.name)
            wizard.universal = bool(asked.wishes)
            if not wizard.place and (place := where_most_is_spare(look(here.actor, here.account), asked)) is not None:
                wizard.place = place.uid
            draft = keep_wizard_draft(here.actor, account=here.account, kind=KIND, data=wizard.data())
            return HttpResponseRedirect(here.url("reservations-draft", draft=draft.uid))
    context = {
        "title": title(1),
        "crumbs": crumbs(here),
        "steps": steps(here, 1),
        "form": form,
        "back_url": here.url("reservations-list"),
        "drafts": [
            {"url": here.url("reservations-draft", draft=one.uid), "at": one.updated_at}
            for one in open_drafts(here.actor, here.account, KIND)
        ],
    }
    return render(request, "reservations/ask.html", context, status=422 if form.errors else 200)


@account_page(Permission.LICENSES_MANAGE)
def choose(request: HttpRequest, here: Here, draft: str) -> HttpResponseBase:
    """Step 2: the device, and which lots it gets."""
    wizard = Wizard.from_data(get_draft(here.actor, here.account, KIND, draft).data)
    before = wizard.place
    if request.method == "POST":
        wizard.read(request.POST)
        keep_wizard_draft(here.actor, account=here.account, kind=KIND, data=wizard.data(), uid=draft)
    found = _read(here, wizard)
    if request.method != "POST":
        return _choose(request, here, found, draft)
    if request.POST.get("act") != "check" or (wizard.place != before and not wizard.universal):
        return HttpResponseRedirect(here.url("reservations-draft", draft=draft))
    errors = [] if wizard.universal else found.table.errors
    if not wizard.universal and not errors and not found.table.wanted:
        errors = [{"text": _("Enter how many licenses to reserve."), "target": "", "code": "nothing_reserved"}]
    if errors:
        return _choose(request, here, found, draft, errors=errors, status=422)
    return HttpResponseRedirect(here.url("reservations-check", draft=draft))


@account_page(Permission.LICENSES_MANAGE)
def check(request: HttpRequest, here: Here, draft: str) -> HttpResponseBase:
    """Step 3: the effects in numbers; then the act."""
    if request.method == "POST" and (done := made_by(here.actor, here.account, request.POST.get("request_id", ""))):
        return HttpResponseRedirect(here.url("reservations-codes", reservation=done.reservation.uid))
    wizard = Wizard.from_data(get_draft(here.actor, here.account, KIND, draft).data)
    found = _read(here, wizard)
    lines = _lines(found)
    if not lines or found.place is None:
        return HttpResponseRedirect(here.url("reservations-draft", draft=draft))
    if request.method == "POST":
        try:
            made = reserve_for_device(
                here.actor, account=here.account, request=found.asked.request, name=wizard.name, memo=wizard.memo,
                virtual_account=found.place, lines=[] if wizard.universal else lines,
                request_id=uuid.UUID(wizard.request_id),
            )  # fmt: skip
        except BusinessError as error:
            if error.http_status in (403, 404):
                raise
            return _check(request, here, found, lines, draft, refusal=error, status=error.http_status)
        drop_wizard_draft(here.actor, account=here.account, kind=KIND, uid=draft)
        total = sum(line.quantity for line in lines)
        text = ngettext("%(count)s license was reserved.", "%(count)s licenses were reserved.", total)
        kit.tell(
            request,
            "done",
            text % {"count": words.num(total)},
            undo=here.url("reservations-undo", reservation=made.uid),
        )
        return HttpResponseRedirect(here.url("reservations-codes", reservation=made.uid))
    return _check(request, here, found, lines, draft)


@account_page(Permission.LICENSES_MANAGE)
def discard(request: HttpRequest, here: Here, draft: str) -> HttpResponseBase:
    if request.method == "POST":
        drop_wizard_draft(here.actor, account=here.account, kind=KIND, uid=draft)
        kit.tell(request, "done", _("The draft was discarded."))
    return HttpResponseRedirect(here.url("reservations-list"))


def _read(here: Here, wizard: Wizard) -> Read:
    asked, sight = read_asked(here.actor, here.account, wizard.code), look(here.actor, here.account)
    places = manageable(sight)
    known = {one.uid: one for one in places}
    place: VirtualAccount | None
    if asked.device is not None:
        place = asked.device.unit.virtual_account
        wizard.place = place.uid
    else:
        chosen = manageable(sight, uids=[wizard.place]) if wizard.place and wizard.place not in known else []
        place = known.get(wizard.place) or next(iter(chosen or places), None)
        wizard.place = place.uid if place is not None else ""
    lots, more = lots_to_reserve(sight, place) if place is not None else ([], False)
    cells = wizard.cells or _suggested(asked, lots)
    return Read(wizard, asked, sight, places, place, lot_table((lots, more), cells))


def _suggested(asked: Asked, lots: list[LotChoice]) -> dict[str, str]:
    """What the device asks for, laid on the lots that last longest."""
    left = {tag.pk: quantity for tag, quantity in asked.wishes}
    cells = {}
    for choice in lots:
        if taken := min(left.get(choice.lot.tag_id, 0), choice.most):
            cells[choice.lot.uid] = str(taken)
            left[choice.lot.tag_id] -= taken
    return cells


def _lines(found: Read) -> list[ReserveLine]:
    if found.wizard.universal:
        return [ReserveLine(tag, quantity) for tag, quantity in found.asked.wishes]
    tags = {line.choice.lot.uid: line.choice.lot.tag for line in found.table.lines}
    return [ReserveLine(tags[uid], quantity, uid) for uid, quantity in found.table.wanted.items()]


def _choose(
    request: HttpRequest,
    here: Here,
    found: Read,
    draft: str,
    *,
    errors: list[dict[str, str]] | None = None,
    status: int = 200,
) -> HttpResponse:
    asked = found.asked
    context = {
        "title": title(2),
        "crumbs": crumbs(here),
        "steps": steps(here, 2, draft),
        "wizard": found.wizard,
        "asked": asked,
        "facts": _device_facts(asked),
        "wishes": words.listed(f"{tag.sku} {quantity:,}" for tag, quantity in asked.wishes),
        "places": found.places,
        "place": found.place,
        "table": found.table,
        "errors": errors or [],
        "back_url": here.url("reservations-new"),
        "discard_url": here.url("reservations-discard", draft=draft),
    }
    return render(request, "reservations/choose.html", context, status=status)


def _device_facts(asked: Asked) -> list[kit.Fact]:
    facts = [
        kit.Fact(_("Product ID"), asked.request.product_id),
        kit.Fact(_("Serial number"), asked.request.serial),
        kit.Fact(_("Key of the device"), asked.request.thumbprint),
    ]
    if asked.device is not None:
        place = asked.device.unit.virtual_account.name
        facts[:0] = [kit.Fact(_("Device"), asked.device.name), kit.Fact(_("Virtual account"), place)]
    return facts


def _check(
    request: HttpRequest, here: Here, found: Read, lines: list[ReserveLine], draft: str, *,
    refusal: BusinessError | None = None, status: int = 200,
) -> HttpResponse:  # fmt: skip
    wizard, asked = found.wizard, found.asked
    total = sum(line.quantity for line in lines)
    taken: dict[int, int] = {}
    for line in lines:
        taken[line.tag.pk] = taken.get(line.tag.pk, 0) + line.quantity
    tags = {line.tag.pk: line.tag for line in lines}
    before = balances_of(found.sight, found.place, taken)
    ends = {line.choice.lot.uid: line.choice.end_on for line in found.table.lines}
    verb = ngettext("Reserve %(total)s license", "Reserve %(total)s licenses", total) % {"total": words.num(total)}
    name = (
        asked.device.name
        if asked.device is not None
        else wizard.name or asked.request.serial or asked.request.product_id
    )
    context = {
        "title": title(3),
        "crumbs": crumbs(here),
        "steps": steps(here, 3, draft),
        "facts": [(_("Device"), name), (_("Virtual account"), found.place.name),
                  *((fact.label, fact.value) for fact in _device_facts(asked)[-3:-1])],
        "lines": [
            (line.tag.sku, f"{words.num(line.quantity)} · {_end_text(ends.get(line.lot_uid or ''), by_hand=line.lot_uid is not None)}")
            for line in lines
        ],
        "effects": [
            kit.Effect(f"{found.place.name}  {tags[tag].sku}", before.get(tag, 0), before.get(tag, 0) - quantity,
                       "short" if before.get(tag, 0) < quantity else "in_compliance")
            for tag, quantity in taken.items()
        ],
        "is_new": asked.device is None,
        "memo": wizard.memo,
        "verb": verb,
        "refusal": refusal,
        "new_request_id": wizard.request_id,
        "change_url": here.url("reservations-draft", draft=draft),
        "discard_url": here.url("reservations-discard", draft=draft),
    }  # fmt: skip
    return render(request, "reservations/check.html", context, status=status)


def _end_text(end: Any, *, by_hand: bool) -> str:
    if not by_hand:
        return _("lots that last longest")
    return _("until %(day)s") % {"day": words.date(end)} if end is not None else _("without end")
