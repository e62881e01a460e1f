"""A transfer as a file: one row per license, source, target and quantity. Reading writes nothing (S25).

The export of the license table is taken too, once a column for the target and one for the quantity are added: rows in
which both are empty are left out.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from daicho.core import tabular
from daicho.core.errors import BusinessError
from daicho.core.text import name_key
from daicho.domain.catalog.models import LicenseTag
from daicho.domain.ledger.carrying import Move
from daicho.domain.ledger.limits import MAX_LINES, MAX_QUANTITY
from daicho.domain.ledger.models import Pool
from daicho.domain.ledger.queries.errors import rows_refused, unknown_license
from daicho.domain.ledger.queries.sight import Sight
from daicho.domain.tenancy.models import VirtualAccount

# Heads of a file: our keys, and words in both languages.
COLUMNS: dict[str, tuple[str, ...]] = {
    "source": ("source", "source_virtual_account", "from", "移管元", "virtual_account", "virtual account", "バーチャルアカウント"),
    "target": ("target", "target_virtual_account", "to", "移管先"),
    "sku": ("sku", "license", "型番", "型番（sku）", "ライセンス"),
    "quantity": ("quantity", "transfer", "数量", "移管数"),
    "lot": ("lot", "ロット"),
}  # fmt: skip
NEEDED = ("source", "target", "sku", "quantity")


@dataclass(frozen=True, slots=True)
class MoveProblem:
    """A row that cannot be taken: its number (from 1, the head counts), the column's key, the reason."""

    row: int
    column: str
    error: BusinessError


@dataclass(frozen=True, slots=True)
class TransferFile:
    """The moves of a file, and the problems of the rows that cannot be taken."""

    moves: list[Move]
    problems: list[MoveProblem]

    def ensure_clean(self) -> None:
        """Raise `rows_refused` with every problem, unless there is none."""
        if self.problems:
            raise rows_refused(
                [
                    {"row": p.row, "column": p.column, "code": p.error.code, "message": p.error.text()}
                    for p in self.problems
                ]
            )


def read_transfer_file(sight: Sight, content: bytes) -> TransferFile:
    """Read a CSV or XLSX file of moves; names are looked up among what the actor may manage.

    Raises `missing_column`, `no_rows`, `too_many_lines`, and what `tabular.read` raises.
    """
    table = tabular.read(content)
    head = _columns(table[0] if table else [])
    places = {va.name_key: va for va in sight.all_virtual_accounts() if sight.may_manage(va.pk)}
    tags = _tags({row[head["sku"]] for row in table[1:] if head["sku"] < len(row)}, sight)
    moves: list[Move] = []
    problems: list[MoveProblem] = []
    for number, cells in enumerate(table[1:], 2):
        given = {key: cells[at] if at < len(cells) else "" for key, at in head.items()}
        if not given["target"] and not given["quantity"]:
            continue
        move = _move(number, given, places, tags, problems)
        if move is not None:
            moves.append(move)
    if not moves and not problems:
        raise BusinessError(
            "no_rows", 422, _("The file holds no transfer: fill in the target and the quantity of a row.")
        )
    if len(moves) + len(problems) > MAX_LINES:
        raise BusinessError(
            "too_many_lines", 422, _("One act takes at most %(most)s lines. Split it."), most=f"{MAX_LINES:,}"
        )
    return TransferFile(moves, problems)


def _columns(head: list[str]) -> dict[str, int]:
    at = {name_key(label): place for place, label in reversed(list(enumerate(head)))}
    found = {key: at[label] for key, labels in COLUMNS.items() for label in reversed(labels) if label in at}
    for key in NEEDED:
        if key not in found:
            raise BusinessError(
                "missing_column", 422,
                _("The file has no column “%(column)s”. Download the template and keep its first row."), column=key,
            )  # fmt: skip
    return found


def _tags(skus: set[str], sight: Sight) -> dict[str, LicenseTag]:
    """The licenses of the file that lie where the actor sees them; others are as unknown as those that do not exist."""
    visible = Pool.objects.filter(account=sight.account, virtual_account__in=sight.all_virtual_accounts().values("pk"))
    keys = [name_key(sku) for sku in skus]
    return {tag.sku_key: tag for tag in LicenseTag.objects.filter(sku_key__in=keys, pk__in=visible.values("tag"))}


def _move(
    number: int,
    given: dict[str, str],
    places: dict[str, VirtualAccount],
    tags: dict[str, LicenseTag],
    problems: list[MoveProblem],
) -> Move | None:
    before = len(problems)

    def refuse(column: str, code: str, message: object, **data: object) -> None:
        problems.append(MoveProblem(number, column, BusinessError(code, 422, message, **data)))  # type: ignore[arg-type]

    source, target = places.get(name_key(given["source"])), places.get(name_key(given["target"]))
    for column, found in (("source", source), ("target", target)):
        if found is None:
            text = _("There is no virtual account “%(name)s” whose licenses you may move.")
            refuse(column, "unknown_virtual_account", text, name=given[column])
    if source is not None and target is not None and source.pk == target.pk:
        refuse("target", "same_virtual_account", _("Source and target are the same. Choose another target."))
    tag = tags.get(name_key(given["sku"]))
    if tag is None:
        problems.append(MoveProblem(number, "sku", unknown_license(given["sku"])))
    quantity = _quantity(given["quantity"])
    if quantity is None:
        most = f"{MAX_QUANTITY:,}"
        refuse("quantity", "bad_quantity", _("Enter a whole number between 1 and %(most)s."), most=most)
    if len(problems) > before or source is None or target is None or tag is None or quantity is None:
        return None
    return Move(source, target, tag, quantity, given.get("lot", "").lower() or None)


def _quantity(text: str) -> int | None:
    digits = name_key(text).replace(",", "").replace(" ", "")
    if not digits.isdecimal() or len(digits) > 16:
        return None
    value = int(digits)
    return value if 1 <= value <= MAX_QUANTITY else None
