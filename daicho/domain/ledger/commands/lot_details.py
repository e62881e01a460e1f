"""Write down what a company keeps about its lots: one lot by hand, many by a file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from daicho.core.actor import Actor
from daicho.core.clock import now
from daicho.core.commands import command
from daicho.domain.access.rules import Permission
from daicho.domain.audit.models import Event
from daicho.domain.audit.record import describe, record_many
from daicho.domain.ledger.details import COMPANY, FIELDS, TEXTS, Details, changed, common
from daicho.domain.ledger.details_door import Places, ensure_may_change
from daicho.domain.ledger.models import Holding, Lot, LotDetails
from daicho.domain.ledger.queries.details_file import DetailsChange, read_details_file
from daicho.domain.ledger.queries.lot_details import UNSEEN, of_row
from daicho.domain.tenancy.models import SmartAccount

COLUMNS = [*FIELDS, *(f"{name}_key" for name in TEXTS), "changed_at"]
WORD = {"department": "purchasing_department"}  # a person has a department, too
PART = 500


@dataclass(frozen=True, slots=True)
class DetailsImport:
    """How many lots a file changed, and how many of its rows said what was written down already."""

    changed: int
    unchanged: int


@command(permission=Permission.LICENSES_MANAGE, events=("license.details_changed",))
def change_lot_details(actor: Actor, *, account: SmartAccount, lot_uid: str, changes: Mapping[str, Any]) -> Details:
    """Write down a lot's management number, certificate number, purchasing department, storage place, note and amount.

    `changes`: columns by name; what is not named stays. `amount` is a whole number of the smallest unit of `currency`, or
    None. The shared columns need the right to manage licenses in every place of the lot, those of the company in the
    whole account. Raises FieldErrors, not_found, forbidden, agreement_pending.
    """
    given = {name: value for name, value in changes.items() if name in FIELDS}
    lot, places = ensure_may_change(actor, account, lot_uid, company=any(name in COMPANY for name in given))
    [before] = lock_details([lot.pk]).values()
    after = changed(before, given)
    _write(actor, account, [DetailsChange(0, lot, before, after)], {lot.pk: places})
    return after


@command(permission=Permission.LICENSES_MANAGE, events=("license.details_changed",))
def import_lot_details(actor: Actor, *, account: SmartAccount, content: bytes) -> DetailsImport:
    """Write down the columns of many lots from a CSV or XLSX file, all or none; up to 10,000 rows.

    The same file again changes nothing. Raises rows_refused and what `read_details_file` raises.
    """
    file = read_details_file(actor, account=account, content=content, for_update=True)
    file.ensure_clean()
    _write(actor, account, file.changes, file.places)
    return DetailsImport(len(file.changes), file.unchanged)


def lock_details(lot_ids: Iterable[int]) -> dict[int, Details]:
    """What is written down about each of these few lots, locked by the lots' own rows, which nothing else changes."""
    ids = list(lot_ids)
    locked = Lot.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("uid")
    found = dict.fromkeys(locked.values_list("pk", flat=True), UNSEEN)
    return found | {row.lot_id: of_row(row) for row in LotDetails.objects.filter(lot__in=ids)}


def _write(actor: Actor, account: SmartAccount, changes: Iterable[DetailsChange], places: Places) -> None:
    made = [change for change in changes if change.after != change.before]
    save_details(account, {change.lot.pk: change.after for change in made})
    record_many(
        event for change in made for event in _events(actor, account, change, places.get(change.lot.pk, frozenset()))
    )


def save_details(account: SmartAccount, details: Mapping[int, Details]) -> None:
    """Put these in the place of what is written down, by lot."""
    at = now()
    LotDetails.objects.bulk_create(
        [LotDetails(lot_id=lot_id, account=account, changed_at=at, **one.row()) for lot_id, one in details.items()],
        update_conflicts=True, unique_fields=["lot"], update_fields=COLUMNS, batch_size=PART,
    )  # fmt: skip


def carry_details(account: SmartAccount, old: Iterable[Lot], made: Lot) -> None:
    """A lot that others were exchanged for keeps what they agree in; with an amount only if nothing is left of them."""
    known = lock_details([lot.pk for lot in old])
    kept = common(list(known.values()))
    if Holding.objects.filter(lot__in=known, quantity__gt=0, place__account=account).exists():
        kept = Details(**{name: getattr(kept, name) for name in TEXTS})
    if not kept.is_empty():
        save_details(account, {made.pk: kept})


def _events(
    actor: Actor, account: SmartAccount, change: DetailsChange, places: frozenset[int | None]
) -> Iterator[Event]:
    """The shared columns in the log of the virtual account in which the whole lot lies, all else in the account's."""
    only = next(iter(places)) if len(places) == 1 else None
    before, after = told(change.before), told(change.after)
    columns: dict[int | None, list[str]] = {None: [], only: []}
    for name in after:
        if before[name] != after[name]:
            columns[None if name in COMPANY else only].append(WORD.get(name, name))
    before, after = ({WORD.get(name, name): value for name, value in side.items()} for side in (before, after))
    for place, names in columns.items():
        if names:
            yield describe(
                actor, "license.details_changed", account_id=account.pk, virtual_account_id=place,
                subject=change.lot.uid, subject_uid=change.lot.uid, before={name: before[name] for name in names},
                after={"sku": change.lot.tag.sku} | {name: after[name] for name in names},
            )  # fmt: skip


def told(details: Details) -> dict[str, str]:
    """The columns as the event log keeps them; an amount as on the invoice, since a bare number would mislead."""
    return {name: getattr(details, name) for name in TEXTS} | {"amount": details.price()}
