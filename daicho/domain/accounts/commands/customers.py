"""The operator's customer file: addresses that a requester confirms instead of entering them (S14)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from daicho.core import tabular
from daicho.core.actor import Actor
from daicho.core.commands import command
from daicho.core.errors import BusinessError, FieldErrors
from daicho.domain.access.errors import RowErrors
from daicho.domain.access.policy import ensure_operator
from daicho.domain.access.rules import OperatorPermission
from daicho.domain.accounts import errors
from daicho.domain.accounts.domains import parse_identifier
from daicho.domain.accounts.fields import clean_account_name, clean_address
from daicho.domain.accounts.models import KnownCustomer
from daicho.domain.audit.record import record

COLUMNS = ("domain", "name", "country", "postal_code", "region", "city", "street", "building", "phone")
MOST_ROW_ERRORS = 1000


@dataclass(frozen=True)
class ImportedCustomers:
    """How many customers the file added and changed."""

    added: int
    changed: int


@command(permission=OperatorPermission.ACCOUNTS, events=("customer_file.imported",))
def import_customers(actor: Actor, *, content: bytes, dry_run: bool = False) -> ImportedCustomers:
    """Take the customer file (CSV or XLSX; columns domain, name, country, postal_code … in any order).

    All or nothing; a domain that is there already is replaced. `dry_run` only checks. Raises `rows_invalid` (422)
    with every bad row, `columns_missing`, and what `tabular.read` raises.
    """
    ensure_operator(actor, OperatorPermission.ACCOUNTS)
    rows = _parse(tabular.read(content))
    known = set(KnownCustomer.objects.values_list("domain", flat=True))
    result = ImportedCustomers(
        added=sum(row["domain"] not in known for row in rows), changed=sum(row["domain"] in known for row in rows)
    )
    if not dry_run:
        KnownCustomer.objects.bulk_create(
            [KnownCustomer(**row) for row in rows],
            update_conflicts=True,
            unique_fields=["domain"],
            update_fields=list(COLUMNS[1:]),
            batch_size=500,
        )
        record(actor, "customer_file.imported", after={"added": result.added, "changed": result.changed})
    return result


def _parse(lines: list[list[str]]) -> list[dict[str, Any]]:
    head = [cell.strip().lower() for cell in lines[0]] if lines else []
    missing = [name for name in ("domain", "name") if name not in head]
    if missing:
        raise errors.columns_missing(missing)
    rows: list[dict[str, Any]] = []
    bad: list[dict[str, object]] = []
    seen: set[str] = set()
    for number, line in enumerate(lines[1:], start=2):
        if not any(line):
            continue
        cells = dict(zip(head, line, strict=False))
        try:
            row = _row(cells)
            if row["domain"] in seen:
                raise errors.field("domain", errors.twice_in_file())
        except FieldErrors as refused:
            bad += [
                {"row": number, "column": column, "code": error.code, "message": error.text()}
                for column, error in refused.errors.items()
            ]
            continue
        seen.add(row["domain"])
        rows.append(row)
    if bad:
        raise RowErrors(bad[:MOST_ROW_ERRORS])
    return rows


def _row(cells: dict[str, str]) -> dict[str, Any]:
    found: dict[str, BusinessError] = {}
    row: dict[str, Any] = {}
    try:
        row["domain"] = parse_identifier(cells.get("domain", ""))
    except BusinessError as error:
        found["domain"] = error
    try:
        row["name"] = clean_account_name(cells.get("name", ""))
    except FieldErrors as error:
        found |= error.errors
    try:
        row |= clean_address({**cells, "country": (cells.get("country") or "JP").upper()})
    except FieldErrors as error:
        found |= error.errors
    if found:
        raise FieldErrors(found)
    return row
