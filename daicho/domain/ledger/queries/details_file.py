"""What is written down about lots as a file: one row a lot, by its handle. Reading writes nothing.

The list of lots exports the same columns; a lot that lies in several places may stand there several times, saying the
same. A column that the file lacks stays as it is; an empty cell empties it. The company's columns are as unknown as any
other to who may not see them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import batched
from typing import Any

from django.utils.translation import gettext_lazy as _

from daicho.core import money, tabular
from daicho.core.actor import Actor
from daicho.core.clock import last_day
from daicho.core.errors import BusinessError, FieldErrors
from daicho.core.text import name_key
from daicho.domain.access.policy import Scope
from daicho.domain.access.rules import Permission
from daicho.domain.ledger.details import COLUMNS, COMPANY, FIELDS, SHARED, Details, changed, written
from daicho.domain.ledger.details_door import Places, ensure_may_change_some, may_change_shared, places_of, sees_shared
from daicho.domain.ledger.limits import MAX_LINES
from daicho.domain.ledger.models import Lot, LotDetails
from daicho.domain.ledger.queries.errors import rows_refused
from daicho.domain.ledger.queries.lot_details import UNSEEN, every_kept_lot, of_row
from daicho.domain.ledger.queries.sight import Sight
from daicho.domain.tenancy.models import SmartAccount

PART = 1_000


@dataclass(frozen=True, slots=True)
class DetailsChange:
    """What a row would write down about a lot."""

    row: int
    lot: Lot
    before: Details
    after: Details


@dataclass(frozen=True, slots=True)
class DetailsProblem:
    """A row that cannot be taken: its number (from 1, the head counts), the column's key, the reason."""

    row: int
    column: str
    error: BusinessError


@dataclass(frozen=True, slots=True)
class DetailsFile:
    """What a file would change, how many of its lots are written down so already, and the rows that cannot be taken.
    `places`: where its lots lie."""

    changes: list[DetailsChange]
    unchanged: int
    problems: list[DetailsProblem]
    places: Places

    def ensure_clean(self) -> None:
        """Raise `rows_refused` with every problem, unless there is none."""
        if self.problems:
            raise rows_refused(
                [
                    {"row": p.row, "column": p.column, "code": p.error.code, "message": p.error.text()}
                    for p in self.problems
                ]
            )


@dataclass(frozen=True, slots=True)
class _Known:
    """The lots that the rows name, as the actor sees them."""

    scope: Scope
    lots: dict[str, Lot]
    places: Places
    details: dict[int, Details]


def file_head(sight: Sight) -> list[str]:
    """The columns of the file that the actor may take out: what names the lot, then what he may see of the rest."""
    return ["lot", "sku", "virtual_account", "quantity", "end_on", "order", *(FIELDS if sight.sees_all else SHARED)]


def file_rows(sight: Sight, *, editable: bool = False) -> Iterator[list[tabular.Cell]]:
    """One row for each lot whose columns the actor may see (`editable`: may change), as `read_details_file` reads it."""
    names, zone = file_head(sight)[6:], sight.account.time_zone
    for kept in every_kept_lot(sight, editable=editable):
        lot = kept.lot
        end_on = last_day(lot.end_at, zone) if lot.end_at is not None else None
        yield [
            lot.uid, lot.tag.sku, ", ".join(kept.virtual_accounts), kept.quantity, end_on, lot.order_number,
            *(cell(kept.details, name) for name in names),
        ]  # fmt: skip


def cell(details: Details, name: str) -> tabular.Cell:
    """A column as a file holds it: an amount in whole units, as on the invoice."""
    if name == "amount" and details.amount is not None:
        return money.number(details.amount, details.currency)
    found: tabular.Cell = getattr(details, name)
    return found


def read_details_file(actor: Actor, *, account: SmartAccount, content: bytes, for_update: bool = False) -> DetailsFile:
    """Check a CSV or XLSX file of lots and their columns, with the same door as writing it.

    `for_update` locks the lots before their columns are read: what it says stays so to the end of the transaction.

    Raises `missing_column`, `no_rows`, `too_many_lines`, `forbidden`, `not_found` and what `tabular.read` raises.
    """
    scope = ensure_may_change_some(actor, account)
    table = tabular.read(content)
    company = scope.allows(Permission.LICENSES_VIEW)
    head = _columns(table[0] if table else [], company=company)
    rows = [
        (number, {name: cells[at] if at < len(cells) else "" for name, at in head.items()})
        for number, cells in enumerate(table[1:], 2)
        if any(cells)
    ]
    if not rows:
        raise BusinessError("no_rows", 422, _("The file holds no lot."))
    if len(rows) > MAX_LINES:
        raise BusinessError(
            "too_many_lines", 422, _("One act takes at most %(most)s lines. Split it."), most=f"{MAX_LINES:,}"
        )
    known = _known(account, scope, {given["lot"].lower() for _number, given in rows}, for_update=for_update)
    problems: list[DetailsProblem] = []
    first: dict[str, tuple[int, dict[str, str]]] = {}
    changes: list[DetailsChange] = []
    unchanged = 0
    for number, given in rows:
        uid = given.pop("lot").lower()
        lot = known.lots.get(uid)
        refusal = _refusal(known, lot, uid, *first.get(uid, (0, given)), given)
        if refusal is not None:
            problems.append(DetailsProblem(number, "lot", refusal))
        elif lot is not None and uid not in first:
            first[uid] = (number, given)
            before = known.details.get(lot.pk, UNSEEN)
            try:
                after = changed(before, _values(given, before))
            except FieldErrors as refused:
                problems.extend(DetailsProblem(number, column, error) for column, error in refused.errors.items())
                continue
            forbidden = [] if scope.allows(Permission.LICENSES_MANAGE) else _company_columns(before, after)
            problems.extend(DetailsProblem(number, column, not_company()) for column in forbidden)
            if after == before:
                unchanged += 1
            elif not forbidden:
                changes.append(DetailsChange(number, lot, before, after))
    return DetailsFile(changes, unchanged, problems, known.places)


def _columns(head: list[str], *, company: bool) -> dict[str, int]:
    at = {name_key(label): place for place, label in reversed(list(enumerate(head)))}
    known = {name: labels for name, labels in COLUMNS.items() if company or name not in COMPANY}
    found = {name: at[label] for name, labels in known.items() for label in reversed(labels) if label in at}
    missing = "lot" if "lot" not in found else next(iter(FIELDS)) if len(found) < 2 else ""
    if missing:
        raise BusinessError(
            "missing_column", 422,
            _("The file has no column “%(column)s”. Download the template and keep its first row."), column=missing,
        )  # fmt: skip
    return found


def _known(account: SmartAccount, scope: Scope, uids: Iterable[str], *, for_update: bool) -> _Known:
    lots: dict[str, Lot] = {}
    places: Places = {}
    details: dict[int, Details] = {}
    for part in batched(sorted(uid for uid in uids if 0 < len(uid) <= 16), PART):
        rows = Lot.objects.filter(account=account, uid__in=part).select_related("tag").order_by("uid")
        if for_update:  # in the order of uids everywhere, so that two files never wait for one another
            rows = rows.select_for_update(of=("self",), no_key=True)
        found = {lot.pk: lot for lot in rows}
        places |= places_of(account, found)
        details |= {row.lot_id: of_row(row) for row in LotDetails.objects.filter(lot__in=found)}
        lots |= {lot.uid: lot for lot in found.values() if sees_shared(scope, places.get(lot.pk, frozenset()))}
    return _Known(scope, lots, places, details)


def _refusal(
    known: _Known, lot: Lot | None, uid: str, row: int, said: dict[str, str], given: dict[str, str]
) -> BusinessError | None:
    if lot is None:
        return BusinessError(
            "unknown_lot", 422, _("There is no lot “%(lot)s” whose columns you may see."), lot=uid[:40]
        )
    if not may_change_shared(known.scope, known.places.get(lot.pk, frozenset())):
        return BusinessError("lot_not_yours", 422, _("You may not manage licenses in every place of this lot."))
    if said != given:
        text = _("Row %(row)s says something else about the same lot. Leave one of them.")
        return BusinessError("lot_twice", 422, text, row=row)
    return None


def _values(given: dict[str, str], before: Details) -> dict[str, Any]:
    """Cells as `changed` takes them: an amount is written as on the invoice."""
    values: dict[str, Any] = dict(given)
    if "amount" in given:
        values["amount"] = written(given["amount"], given.get("currency") or before.currency)
        values["currency"] = given.get("currency") or before.currency
    return values


def _company_columns(before: Details, after: Details) -> list[str]:
    return [name for name in COMPANY if getattr(before, name) != getattr(after, name)]


def not_company() -> BusinessError:
    text = _("Only who may manage licenses in the whole account changes this column.")
    return BusinessError("company_column", 422, text)
