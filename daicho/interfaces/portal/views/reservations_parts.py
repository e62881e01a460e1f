"""What the pages of reservations share: words of states, codes from a form, quantities of lots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from daicho.domain.access.rules import Permission
from daicho.domain.devices.queries.reservations import LotChoice, ReservationRow
from daicho.interfaces.portal import components as kit
from daicho.interfaces.portal import words
from daicho.interfaces.portal.views.licenses_parts import license_name
from daicho.interfaces.portal.views.transfers_draft import read_quantity
from daicho.interfaces.portal.web import Here

MOST_BYTES = 100_000
STATE_WORDS = {
    "prepared": gettext_lazy("Code not fetched yet"),
    "waiting": gettext_lazy("Awaiting the confirmation code"),
    "installed": gettext_lazy("Installed"),
    "changing": gettext_lazy("Change awaiting its confirmation code"),
    "unbound": gettext_lazy("Awaiting the replacement's request code"),
    "returned": gettext_lazy("Returned"),
    "withdrawn": gettext_lazy("Cancelled half-way"),
    "undone": gettext_lazy("Undone"),
}
LOOKS = {
    "prepared": "waiting", "waiting": "waiting", "changing": "waiting", "unbound": "waiting", "installed": "reserved",
    "returned": "neutral", "withdrawn": "neutral", "undone": "neutral",
}  # fmt: skip


def state_of(row: ReservationRow) -> kit.State:
    return kit.State(LOOKS[row.state], text=str(STATE_WORDS[row.state]))


def crumbs(here: Here, *more: kit.Crumb) -> list[kit.Crumb]:
    return [kit.Crumb(_("Reservations"), here.url("reservations-list")), *more]


def licenses_text(row: ReservationRow) -> str:
    """“NET-ADV 10, SEC-PLUS 2”."""
    held: dict[str, int] = {}
    for line in row.lines:
        held[line.tag.sku] = held.get(line.tag.sku, 0) + line.quantity
    return words.listed(f"{sku} {quantity:,}" for sku, quantity in held.items())


def may_act(here: Here, row: ReservationRow) -> bool:
    return here.scope.allows(Permission.LICENSES_MANAGE, row.virtual_account.pk)


class CodeForm(forms.Form):
    """A code that a device shows: typed, scanned into the field, pasted, or as the device's file."""

    code = forms.CharField(
        label=gettext_lazy("Code"), required=False, max_length=MOST_BYTES,
        widget=forms.Textarea(attrs={"rows": 6, "class": "code", "spellcheck": "false", "autocomplete": "off", "autofocus": True}),
        help_text=gettext_lazy("As the device shows it. Spaces, hyphens, line breaks and small letters do not matter."),
    )  # fmt: skip
    file = forms.FileField(label=gettext_lazy("Or the file of the device"), required=False)

    def __init__(self, *args: Any, label: Any = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if label:
            self.fields["code"].label = label
        if self.is_bound:  # then the summary of errors takes the focus
            self.fields["code"].widget.attrs.pop("autofocus")

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = self.cleaned_data
        if (file := given.get("file")) is not None:
            if file.size > MOST_BYTES:
                raise forms.ValidationError(_("This file is too large to be a code."), code="too_large")
            given["code"] = file.read().decode("utf-8", "replace")
        if not given.get("code", "").strip():
            self.add_error("code", forms.ValidationError(_("Enter the code, or choose the file."), code="required"))
        return given


@dataclass
class LotLine:
    """One lot to choose of, with what was typed."""

    choice: LotChoice
    text: str
    error: str = ""

    @property
    def name(self) -> str:
        return f"n-{self.choice.lot.uid}"

    @property
    def license(self) -> str:
        return license_name(self.choice.lot.tag)


@dataclass
class LotTable:
    """The lots of a virtual account as a form: the quantities by lot that it means, and what is wrong with it."""

    lines: list[LotLine]
    more: bool
    wanted: dict[str, int] = field(default_factory=dict)
    errors: list[dict[str, str]] = field(default_factory=list)


def lot_table(found: tuple[Sequence[LotChoice], bool], cells: Mapping[str, str]) -> LotTable:
    """Lay what was typed (`cells`, by lot) over the lots as they are now."""
    table = LotTable([], found[1])
    for choice in found[0]:
        text = cells.get(choice.lot.uid, "")
        line = LotLine(choice, text)
        table.lines.append(line)
        quantity, line.error = read_quantity(text)
        if not line.error and quantity > choice.most:
            line.error = _("At most %(most)s can be reserved of this lot.") % {"most": words.num(choice.most)}
        if line.error:
            table.errors.append({"text": f"{choice.lot.tag.sku}: {line.error}", "target": line.name, "code": ""})
        elif quantity:
            table.wanted[choice.lot.uid] = quantity
    return table


def cells_of(posted: Mapping[str, Any]) -> dict[str, str]:
    """What was typed for each lot."""
    return {key[2:]: str(value).strip()[:20] for key, value in posted.items() if key.startswith("n-") and value}
