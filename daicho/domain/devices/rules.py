"""How the fields of a device are read: pure."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from daicho.core.errors import BusinessError, FieldErrors
from daicho.core.text import clean

MAX_ROWS = 10_000
LIMITS = {"name": 100, "product_id": 100, "serial": 100, "note": 500}

# Heads of a file: our keys, and the words of the portal's own exports in both languages.
COLUMNS: dict[str, tuple[str, ...]] = {
    "name": ("name", "device", "機器名", "機器"),
    "product_id": ("product_id", "product id", "製品id", "製品", "型番"),
    "serial": ("serial", "serial number", "シリアル番号", "シリアル"),
    "virtual_account": ("virtual_account", "virtual account", "va", "バーチャルアカウント"),
    "note": ("note", "備考", "メモ"),
}


@dataclass(frozen=True, slots=True)
class DeviceFields:
    """A device as people write it down, cleaned (NFKC, spaces folded)."""

    name: str
    product_id: str = ""
    serial: str = ""
    note: str = ""

    def plain(self) -> dict[str, str]:
        return {"name": self.name, "product_id": self.product_id, "serial": self.serial, "note": self.note}


def read_fields(name: str, product_id: str = "", serial: str = "", note: str = "") -> DeviceFields:
    """The cleaned fields. Without a name the serial number, then the product ID stands for it. Raises FieldErrors."""
    fields = {key: clean(value) for key, value in zip(LIMITS, (name, product_id, serial, note), strict=True)}
    fields["name"] = fields["name"] or fields["serial"] or fields["product_id"]
    errors: dict[str, BusinessError] = {}
    if not fields["name"]:
        errors["name"] = BusinessError("required", 422, _("Enter a name, a serial number or a product ID."))
    for key, limit in LIMITS.items():
        if len(fields[key]) > limit:
            errors[key] = BusinessError("too_long", 422, _("Enter %(limit)s characters or less."), limit=limit)
        elif any(ord(sign) < 32 for sign in fields[key]):
            errors[key] = BusinessError("bad_character", 422, _("Remove the control characters."))
    if errors:
        raise FieldErrors(errors)
    return DeviceFields(**fields)
