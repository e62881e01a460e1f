"""Refusals of the catalog. Codes are public."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from daicho.core.errors import BusinessError


def required() -> BusinessError:
    return BusinessError("required", 422, _("Enter a value."))


def too_long(limit: int) -> BusinessError:
    return BusinessError("too_long", 422, _("Enter %(limit)s characters or fewer."), limit=limit)


def control_character() -> BusinessError:
    return BusinessError("control_character", 422, _("This text holds characters that cannot be shown. Type it anew."))


def unknown_choice(value: str, choices: str) -> BusinessError:
    return BusinessError(
        "unknown_choice", 422, _("“%(value)s” is not one of: %(choices)s."), value=value[:50], choices=choices
    )


def sku_taken(sku: str) -> BusinessError:
    return BusinessError("sku_taken", 409, _("There is a license with the SKU %(sku)s already."), sku=sku)


def regid_taken(regid: str) -> BusinessError:
    return BusinessError("regid_taken", 409, _("Another license has the regid %(regid)s already."), regid=regid)


def product_taken() -> BusinessError:
    return BusinessError("product_taken", 409, _("There is a product of this vendor, name and part number already."))


def unknown_sku(sku: str) -> BusinessError:
    return BusinessError(
        "unknown_sku", 422, _("The catalog has no license with the SKU “%(sku)s”. Check the SKU."), sku=sku[:100]
    )


def class_is_fixed(sku: str) -> BusinessError:
    return BusinessError(
        "class_is_fixed",
        409,
        _(
            "%(sku)s has been delivered to an account, so its enforcement can no longer change. Add a new license instead."
        ),
        sku=sku,
    )


def tag_in_use(sku: str) -> BusinessError:
    return BusinessError(
        "tag_in_use",
        409,
        _("%(sku)s has been delivered to an account, so it can no longer join, leave or change its place in a ladder."),
        sku=sku,
    )


def in_other_ladder(sku: str, ladder: str) -> BusinessError:
    return BusinessError(
        "in_other_ladder", 409, _("%(sku)s stands in the ladder %(ladder)s already."), sku=sku, ladder=ladder
    )


def listed_twice(sku: str) -> BusinessError:
    return BusinessError("listed_twice", 422, _("%(sku)s is listed twice."), sku=sku)


def ladder_too_short() -> BusinessError:
    return BusinessError("ladder_too_short", 422, _("A ladder has at least two licenses, the best one first."))


def no_columns(columns: str) -> BusinessError:
    return BusinessError(
        "unknown_columns",
        422,
        _("The first row must name the columns. Needed are: %(columns)s."),
        columns=columns,
    )


def nothing_in_file() -> BusinessError:
    return BusinessError("nothing_in_file", 422, _("The file has no rows."))


def bad_json() -> BusinessError:
    return BusinessError("bad_json", 422, _("This JSON file is not a list of licenses."))
