"""What stands in the transfer wizard: read from the form or the draft, shown again, turned into moves."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.http import QueryDict
from django.utils.translation import gettext as _

from daicho.core.text import clean
from daicho.domain.ledger.commands.transfer import Move, TransferPreview
from daicho.domain.ledger.limits import MAX_QUANTITY
from daicho.domain.ledger.queries.lots import movable_lots
from daicho.domain.ledger.queries.pools import shortest_of
from daicho.domain.ledger.queries.sight import Sight, manageable, pools_by_uid
from daicho.interfaces.portal import components as kit

if TYPE_CHECKING:
    from daicho.domain.ledger.models import Holding, Pool
    from daicho.domain.tenancy.models import VirtualAccount

KIND = "transfer"
BY_HAND = "by_hand"
CHOICES = ("soonest_end", "longest_term", BY_HAND)
MOST_ROWS, MOST_TARGETS = 200, 12


@dataclass
class TransferForm:
    """Rows are pools (or their lots, when chosen by hand); columns are targets; a cell is what was typed.

    `moves` come from a file that is one act; `file` tells of a larger one, which becomes a job.
    """

    rows: list[str] = field(default_factory=list)
    targets: list[str] = field(default_factory=lambda: [""])
    cells: dict[str, list[str]] = field(default_factory=dict)
    choice: str = "soonest_end"
    memo: str = ""
    moves: list[list[Any]] = field(default_factory=list)
    file: dict[str, Any] = field(default_factory=dict)
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> TransferForm:
        return cls(**{key: data[key] for key in cls.__dataclass_fields__ if key in data})

    def data(self) -> dict[str, Any]:
        return {key: getattr(self, key) for key in self.__dataclass_fields__}

    @classmethod
    def from_query(cls, query: QueryDict) -> TransferForm:
        """From a link: `row` (many), `target`, `quantity` of the first row."""
        rows = query.getlist("row")[:MOST_ROWS]
        form = cls(rows=rows, targets=[query.get("target", "")])
        if rows and (quantity := query.get("quantity")):
            form.cells[rows[0]] = [quantity]
        return form

    @classmethod
    def from_moves(cls, moves: Iterable[tuple[Pool, VirtualAccount, int]]) -> tuple[TransferForm, bool]:
        """As those moves were, and whether all of them found room."""
        rows: dict[str, dict[str, int]] = {}
        targets: dict[str, None] = {}
        is_whole = True
        for pool, target, quantity in moves:
            fits = (pool.uid in rows or len(rows) < MOST_ROWS) and (
                target.uid in targets or len(targets) < MOST_TARGETS
            )
            is_whole = is_whole and fits
            if fits:
                targets[target.uid] = None
                line = rows.setdefault(pool.uid, {})
                line[target.uid] = line.get(target.uid, 0) + quantity
        cells = {row: [str(line.get(uid, "")) for uid in targets] for row, line in rows.items()}
        return cls(rows=list(rows), targets=list(targets) or [""], cells=cells), is_whole

    def read(self, posted: QueryDict) -> None:
        """Take what was typed; the handles are checked when the moves are made."""
        self.rows = posted.getlist("row")[:MOST_ROWS]
        self.targets = posted.getlist("target")[:MOST_TARGETS] or [""]
        if (choice := posted.get("choice", "")) in CHOICES:
            self.choice = choice
        self.memo = posted.get("memo", "")[:500]
        self.cells = {
            line: [posted.get(f"n-{line}-{at}", "").strip()[:20] for at in range(len(self.targets))]
            for line in posted.getlist("line")[:2_000]
        }


@dataclass
class Line:
    """One row of the matrix: a pool, or one lot of it."""

    key: str
    pool: Pool
    lot: Holding | None
    cells: list[dict[str, Any]]
    spare: int
    left: int
    error: str = ""


@dataclass
class Matrix:
    """The wizard's second step as the template draws it, with the moves that it means and what is wrong with it."""

    lines: list[Line]
    pools: list[Pool]
    targets: list[VirtualAccount | None]
    choices: list[VirtualAccount]
    moves: list[Move] = field(default_factory=list)
    errors: list[dict[str, str]] = field(default_factory=list)


def matrix(sight: Sight, form: TransferForm) -> Matrix:
    """Lay the form over the pools and virtual accounts as they are now."""
    pools = [pool for pool in pools_by_uid(sight, form.rows, MOST_ROWS) if sight.may_manage(pool.virtual_account_id)]
    choices = manageable(sight)
    by_uid = {va.uid: va for va in choices}
    missing = [uid for uid in form.targets if uid and uid not in by_uid]
    by_uid |= {va.uid: va for va in manageable(sight, uids=missing)} if missing else {}
    targets = [by_uid.get(uid) for uid in form.targets]
    shown = Matrix([], pools, targets, list(by_uid.values()))
    for pool, lot in _parts(sight, form, pools):
        key = f"{pool.uid}-{lot.lot.uid}" if lot else pool.uid
        shown.lines.append(_line(form, shown, key, pool, lot))
    return shown


def _parts(sight: Sight, form: TransferForm, pools: list[Pool]) -> list[tuple[Pool, Holding | None]]:
    if form.choice != BY_HAND:
        return [(pool, None) for pool in pools]
    lots = movable_lots(sight, [pool.pk for pool in pools])
    return [
        (pool, held)
        for pool in pools
        for held in lots
        if (held.place.virtual_account_id, held.lot.tag_id) == (pool.virtual_account_id, pool.tag_id)
    ]


def _line(form: TransferForm, shown: Matrix, key: str, pool: Pool, lot: Holding | None) -> Line:
    spare = (
        min(pool.available, lot.quantity)
        if lot and lot.place.kind == "on_hand"
        else lot.quantity
        if lot
        else pool.available
    )
    typed = form.cells.get(key, [])
    line = Line(key, pool, lot, [], spare, spare)
    for at, target in enumerate(shown.targets):
        text = typed[at] if at < len(typed) else ""
        own = target is not None and target.pk == pool.virtual_account_id
        quantity, problem = (0, "") if own else read_quantity(text)
        if quantity and target is None:
            problem = _("Choose where this goes.")
        name = f"n-{key}-{at}"
        line.cells.append({"name": name, "value": text, "error": problem, "own": own, "target": target, "at": at + 1})
        if problem:
            shown.errors.append({"text": f"{pool.tag.sku}: {problem}", "target": name, "code": ""})
        elif quantity and target is not None:
            line.left -= quantity
            shown.moves.append(
                Move(pool.virtual_account, target, pool.tag, quantity, lot.lot.uid if lot is not None else None)
            )
    return line


def read_quantity(text: str) -> tuple[int, str]:
    """A quantity as people type it (full-width digits, separators); empty is none. With the problem, if any."""
    digits = kit.narrow(clean(text)).replace(",", "").replace(" ", "")
    if not digits:
        return 0, ""
    if not digits.isdecimal() or len(digits) > 16 or int(digits) > MAX_QUANTITY:
        return 0, _("Enter a whole number between 0 and %(most)s.") % {"most": f"{MAX_QUANTITY:,}"}
    return int(digits), ""


def mark_shortages(shown: Matrix, preview: TransferPreview) -> None:
    """Put what lacks at the lines it lacks at."""
    for effect in preview.effects:
        if not effect.missing:
            continue
        text = _(
            "%(virtual_account)s has %(available)s spare %(sku)s, %(missing)s too few. Enter less or choose another source."
        ) % {
            "virtual_account": effect.virtual_account.name, "sku": effect.tag.sku,
            "available": f"{max(0, effect.before):,}", "missing": f"{effect.missing:,}",
        }  # fmt: skip
        place = (effect.virtual_account.pk, effect.tag.pk)
        line = next((one for one in shown.lines if (one.pool.virtual_account_id, one.pool.tag_id) == place), None)
        if line is not None:
            line.error = text
        shown.errors.append(
            {"text": text, "target": line.cells[0]["name"] if line else "", "code": "not_enough_licenses"}
        )


def suggest_target(sight: Sight, form: TransferForm) -> None:
    """Fill in where the first chosen license is needed most, and how many, if it is short somewhere."""
    pools = pools_by_uid(sight, form.rows[:MOST_ROWS])
    if not pools or form.targets != [""]:
        return
    needy = shortest_of(sight, pools[0])
    if needy is not None:
        form.targets = [needy.virtual_account.uid]
        form.cells.setdefault(pools[0].uid, [str(min(pools[0].available, needy.short))])
