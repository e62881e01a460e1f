"""Products: the device models and applications that licenses are used on."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction

from daicho.core.actor import Actor
from daicho.core.commands import command
from daicho.core.errors import FieldErrors
from daicho.domain.access.policy import ensure_operator
from daicho.domain.access.rules import OperatorPermission
from daicho.domain.audit.record import record
from daicho.domain.catalog import errors, rules
from daicho.domain.catalog.models import Product


def product_values(given: dict[str, Any], fields: rules.Fields) -> dict[str, str]:
    """Checked column values of a product out of raw texts."""
    values = {
        "vendor": fields.text("vendor", given.get("vendor"), 100, needed=True),
        "name": fields.text("name", given.get("name"), 200, needed=True),
        "part_number": fields.text("part_number", given.get("part_number"), 100),
        "description": fields.text("description", given.get("description"), 500),
    }
    values["key"] = rules.product_key(values["vendor"], values["name"], values["part_number"])
    if not fields.errors and len(values["key"]) > 320:
        fields.errors["name"] = errors.too_long(200)
    return values


@command(permission=OperatorPermission.CATALOG, events=("catalog.product_added",))
def add_product(actor: Actor, *, vendor: str, name: str, part_number: str = "", description: str = "") -> Product:
    """Add a product to the catalog. Raises FieldErrors, `product_taken`."""
    ensure_operator(actor, OperatorPermission.CATALOG)
    fields = rules.Fields()
    values = product_values(
        {"vendor": vendor, "name": name, "part_number": part_number, "description": description}, fields
    )
    fields.stop_if_wrong()
    try:
        with transaction.atomic():
            product = Product.objects.create(**values)
    except IntegrityError:
        raise FieldErrors({"name": errors.product_taken()}) from None
    record(
        actor,
        "catalog.product_added",
        subject=f"{product.vendor} {product.name}",
        subject_uid=product.uid,
        after={"vendor": product.vendor, "name": product.name, "part_number": product.part_number},
    )
    return product
