"""What a partner company may deposit without asking (product.md, Orders)."""

from __future__ import annotations

from daicho.core.actor import Actor
from daicho.core.commands import command
from daicho.core.errors import FieldErrors, invalid
from daicho.domain.access.models import PartnerCompany
from daicho.domain.access.policy import ensure_operator
from daicho.domain.access.rules import OperatorPermission
from daicho.domain.audit.record import record
from daicho.domain.catalog.errors import unknown_sku
from daicho.domain.catalog.queries import tags_by_sku
from daicho.domain.ledger.limits import MAX_QUANTITY
from daicho.domain.orders import errors
from daicho.domain.orders.models import PartnerAllowance


@command(permission=OperatorPermission.PARTNERS, events=("partner.allowance_set",))
def set_allowance(actor: Actor, *, company: PartnerCompany, sku: str, monthly_quantity: int) -> PartnerAllowance | None:
    """Set how many of a license a partner company may deposit in a calendar month without the operator; 0 ends it.

    0 to 2^53−1. Raises FieldErrors (`sku`, `monthly_quantity`).
    """
    ensure_operator(actor, OperatorPermission.PARTNERS)
    tag = next(iter(tags_by_sku([sku]).values()), None)
    if tag is None:
        raise FieldErrors({"sku": unknown_sku(sku)})
    if not 0 <= monthly_quantity <= MAX_QUANTITY:
        raise invalid("monthly_quantity", "bad_quantity", errors.bad_quantity().message)
    row = PartnerAllowance.objects.select_for_update().filter(company=company, tag=tag).first()
    before = row.monthly_quantity if row is not None else 0
    if before == monthly_quantity:
        return row
    if monthly_quantity == 0 and row is not None:
        row.delete()
        row = None
    else:
        row, _ = PartnerAllowance.objects.update_or_create(
            company=company, tag=tag, defaults={"monthly_quantity": monthly_quantity}
        )
    record(
        actor,
        "partner.allowance_set",
        subject=company.name,
        subject_uid=company.uid,
        before={"sku": tag.sku, "monthly_quantity": before},
        after={"sku": tag.sku, "monthly_quantity": monthly_quantity},
    )
    return row
