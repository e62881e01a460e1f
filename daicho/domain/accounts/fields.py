"""What a requester enters, step by step: cleaned, filled in from the postal code, refused field by field."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from daicho.core.errors import BusinessError, FieldErrors
from daicho.core.text import clean
from daicho.domain.accounts import errors
from daicho.domain.accounts.countries import is_country
from daicho.domain.accounts.domains import parse_identifier
from daicho.domain.accounts.postal_codes import Place, find_places
from daicho.domain.accounts.rules import FIELDS_OF_STEP
from daicho.domain.tenancy.rules import normal_address

LENGTHS = {
    "approver_email": 254, "approver_name": 100, "identifier": 253, "account_name": 200, "postal_code": 20,
    "region": 100, "city": 100, "street": 200, "building": 200, "phone": 32,
}  # fmt: skip
type Values = Mapping[str, Any]


class _Check:
    """Collects refusals by field, so that a person reads all of them at once."""

    def __init__(self, values: Values) -> None:
        self.values = values
        self.errors: dict[str, BusinessError] = {}

    def text(self, field: str, *, needed: bool = False) -> str:
        value = "".join(sign for sign in clean(str(self.values.get(field) or "")) if sign.isprintable())
        if needed and not value:
            self.errors[field] = errors.required()
        elif len(value) > LENGTHS[field]:
            self.errors[field] = errors.too_long(LENGTHS[field])
        return value

    def run[T](self, field: str, read: Callable[[], T], otherwise: T) -> T:
        if field in self.errors:
            return otherwise
        try:
            return read()
        except BusinessError as error:
            self.errors[field] = error
            return otherwise

    def done(self, cleaned: dict[str, Any]) -> dict[str, Any]:
        if self.errors:
            raise FieldErrors(self.errors)
        return cleaned


def clean_step(step: int, values: Values, *, requester: str) -> dict[str, Any]:
    """The fields of one step as they are kept; raises FieldErrors. `requester` is his confirmed mail address."""
    if step == 2:
        return _authority(values, requester)
    if step == 3:
        return _account(values)
    if step == 4:
        return clean_address(values)
    return {}


def as_typed(values: Values) -> dict[str, Any]:
    """Unchecked fields for a draft, cut to what the columns hold, so that a closed browser loses nothing."""
    known = {field for fields in FIELDS_OF_STEP.values() for field in fields}
    kept: dict[str, Any] = {}
    for field in known & set(values):
        value = values[field]
        if field == "is_representative":
            if isinstance(value, bool):
                kept[field] = value
        elif field != "country":
            kept[field] = "".join(sign for sign in str(value or "") if sign.isprintable())[: LENGTHS[field]]
        elif is_country(str(value)):
            kept[field] = str(value)
    return kept


def _authority(values: Values, requester: str) -> dict[str, Any]:
    check = _Check(values)
    own = values.get("is_representative")
    if not isinstance(own, bool):
        check.errors["is_representative"] = errors.choose_one()
    if own is not False:
        return check.done({"is_representative": own, "approver_email": "", "approver_name": ""})
    name = check.text("approver_name", needed=True)
    email = check.run("approver_email", lambda: _approver(check.text("approver_email"), requester), "")
    return check.done({"is_representative": False, "approver_email": email, "approver_name": name})


def _approver(entered: str, requester: str) -> str:
    """S11: somebody else than the requester."""
    if not entered:
        raise errors.required()
    email = normal_address(entered)
    try:
        validate_email(email)
    except ValidationError:
        raise errors.not_an_address() from None
    if email == normal_address(requester):
        raise errors.approver_is_requester()
    return email


def _account(values: Values) -> dict[str, Any]:
    check = _Check(values)
    entered = str(values.get("identifier") or "").strip()
    if not entered:
        check.errors["identifier"] = errors.required()
    identifier = check.run("identifier", lambda: parse_identifier(entered), "")
    name = check.text("account_name", needed=True)
    check.run("account_name", lambda: _is_name(name), None)
    return check.done({"identifier": identifier, "account_name": name})


def clean_account_name(entered: object) -> str:
    """A company's name as it is kept; raises FieldErrors for `name`."""
    check = _Check({"account_name": entered})
    name = check.text("account_name", needed=True)
    check.run("account_name", lambda: _is_name(name), None)
    if check.errors:
        raise FieldErrors({"name": check.errors["account_name"]})
    return name


def _is_name(name: str) -> None:
    """S13: a company's name has letters."""
    if not any(unicodedata.category(sign).startswith("L") for sign in name):
        raise errors.not_a_name()


def clean_address(values: Values) -> dict[str, Any]:
    """A head office address: in Japan the postal code fills region and city where they are left empty (S14)."""
    check = _Check(values)
    country = str(values.get("country") or "JP")
    if not is_country(country):
        check.errors["country"] = errors.unknown_country()
    japan = country == "JP"
    address = {"country": country} | {
        field: check.text(field, needed=field == "street" or (field == "postal_code" and japan))
        for field in ("postal_code", "region", "city", "street", "building", "phone")
    }
    if japan:
        places: list[Place] = check.run("postal_code", lambda: find_places(address["postal_code"]), [])
        if places:
            address["postal_code"] = places[0].code
            address["region"] = address["region"] or places[0].region
            address["city"] = address["city"] or places[0].city
    if not address["city"] and "postal_code" not in check.errors:
        check.errors["city"] = errors.required()
    return check.done(address)
