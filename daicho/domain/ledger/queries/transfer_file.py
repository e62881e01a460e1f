"""A transfer as a file: one row per license, source, target and quantity. Reading writes nothing (S25).

The export of the license table is taken too, once a column for the target and one for the quantity are added: rows in
which both are empty are left out. Up to 10,000 rows are one act; of more, up to 200,000, each succeeds or fails alone.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import batched
from typing import IO, NamedTuple

from django.db.models import Exists, OuterRef
from django.utils.translation import gettext_lazy as _

from daicho.core import tabular
from daicho.core.errors import BusinessError
from daicho.core.text import name_key
from daicho.domain.catalog.models import LicenseTag
from daicho.domain.ledger.carrying import Move
from daicho.domain.ledger.commands.transfer_lines import Line
from daicho.domain.ledger.errors import bad_quantity, same_virtual_account
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
PART = 1_000
SHOWN = 500  # problems of a large file


@dataclass(frozen=True, slots=True)
class MoveProblem:
    """A row that cannot be taken: its number (from 1, the head counts), the column's key, the reason."""

    row: int
    column: str
    error: BusinessError


class Row(NamedTuple):
    """A row as it was written: its number, and its cells by the keys of COLUMNS."""

    number: int
    cells: dict[str, str]


@dataclass(frozen=True, slots=True)
class TransferFile:
    """What a file asks for. `moves` and all `problems` where it is one act; of a large file the first 500 problems.

    `count`: rows that ask for something, `bad_rows`: how many of them cannot be taken, `quantity`: licenses of the others.
    """

    moves: list[Move]
    problems: list[MoveProblem]
    count: int
    bad_rows: int
    quantity: int
    sources: int
    targets: int
    licenses: int

    @property
    def is_large(self) -> bool:
        """Whether its rows succeed or fail alone, in a job."""
        return self.count > MAX_LINES

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

    Raises `missing_column`, `no_rows`, and what `tabular.read` raises.
    """
    reader = Reader(sight)
    moves: list[Move] = []
    problems: list[MoveProblem] = []
    sources, targets, tags = set(), set(), set()
    count = bad_rows = quantity = 0
    for part in batched(rows_of(io.BytesIO(content)), PART):
        count += len(part)
        lines, wrong = reader.understand(part)
        bad_rows += len(part) - len(lines)
        quantity += sum(line.quantity or 0 for line in lines)
        sources |= {line.source.pk for line in lines}
        targets |= {line.target.pk for line in lines}
        tags |= {line.tag.pk for line in lines}
        if count <= MAX_LINES:
            moves += [Move(line.source, line.target, line.tag, line.quantity or 0, line.lot_uid) for line in lines]
            problems += wrong
        else:
            moves.clear()
            problems = (problems + wrong)[:SHOWN]
    if not count:
        raise BusinessError(
            "no_rows", 422, _("The file holds no transfer: fill in the target and the quantity of a row.")
        )
    return TransferFile(moves, problems, count, bad_rows, quantity, len(sources), len(targets), len(tags))


def every_problem(sight: Sight, file: IO[bytes]) -> Iterator[tuple[Row, MoveProblem]]:
    """Each problem of a file with its row, read part by part."""
    reader = Reader(sight)
    for part in batched(rows_of(file), PART):
        by_number = {row.number: row for row in part}
        yield from ((by_number[problem.row], problem) for problem in reader.understand(part)[1])


def rows_of(file: IO[bytes]) -> Iterator[Row]:
    """The rows that ask for something, as they are written. Raises `missing_column`, and what `tabular.read` raises."""
    table = tabular.read_rows(file)
    head = _columns(next(table, []))
    places = list(head.items())
    for number, cells in enumerate(table, 2):
        given = {key: cells[at] if at < len(cells) else "" for key, at in places}
        if given["target"] or given["quantity"]:
            yield Row(number, given)


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


@dataclass
class Reader:
    """Understands rows for one reader: virtual accounts that he may manage, licenses that lie where he sees them.

    Others are as unknown as those that do not exist. Each name is looked up once.
    """

    sight: Sight
    places: dict[str, VirtualAccount | None] = field(default_factory=dict)
    tags: dict[str, LicenseTag | None] = field(default_factory=dict)

    def understand(self, rows: Sequence[Row]) -> tuple[list[Line], list[MoveProblem]]:
        """The lines that can be tried, and every problem of the others."""
        self._find_places({row.cells[side] for row in rows for side in ("source", "target")})
        self._find_tags({row.cells["sku"] for row in rows})
        lines: list[Line] = []
        problems: list[MoveProblem] = []
        for row in rows:
            line = self._line(row, problems)
            if line is not None:
                lines.append(line)
        return lines, problems

    def _find_places(self, names: set[str]) -> None:
        """Fill `places`, by the names as they are written."""
        unknown = {name: name_key(name) for name in names if name not in self.places}
        found: dict[str, VirtualAccount] = {}
        for part in batched(sorted(set(unknown.values())), 500):
            for place in self.sight.all_virtual_accounts().filter(name_key__in=part):
                if self.sight.may_manage(place.pk):
                    found[place.name_key] = place
        self.places |= {name: found.get(key) for name, key in unknown.items()}

    def _find_tags(self, skus: set[str]) -> None:
        unknown = {sku: name_key(sku) for sku in skus if sku not in self.tags}
        visible = Pool.objects.filter(
            account=self.sight.account, virtual_account__in=self.sight.all_virtual_accounts().values("pk"),
            tag=OuterRef("pk"),
        )  # fmt: skip
        found: dict[str, LicenseTag] = {}
        for part in batched(sorted(set(unknown.values())), 500):
            tags = LicenseTag.objects.filter(Exists(visible), sku_key__in=part)
            found |= {tag.sku_key: tag for tag in tags}
        self.tags |= {sku: found.get(key) for sku, key in unknown.items()}

    def _line(self, row: Row, problems: list[MoveProblem]) -> Line | None:
        given, before = row.cells, len(problems)

        def refuse(column: str, error: BusinessError) -> None:
            problems.append(MoveProblem(row.number, column, error))

        source, target = self.places[given["source"]], self.places[given["target"]]
        for column, found in (("source", source), ("target", target)):
            if found is None:
                refuse(column, _unknown_place(given[column]))
        if source is not None and target is not None and source.pk == target.pk:
            refuse("target", same_virtual_account())
        tag = self.tags[given["sku"]]
        if tag is None:
            refuse("sku", unknown_license(given["sku"]))
        quantity = _quantity(given["quantity"])
        if quantity is None:
            refuse("quantity", bad_quantity())
        if len(problems) > before or source is None or target is None or tag is None or quantity is None:
            return None
        return Line(row.number, source, target, tag, quantity, given.get("lot", "").lower() or None)


def _unknown_place(name: str) -> BusinessError:
    text = _("There is no virtual account “%(name)s” whose licenses you may move.")
    return BusinessError("unknown_virtual_account", 422, text, name=name)


def _quantity(text: str) -> int | None:
    if text.isascii() and text.isdecimal() and len(text) < 16:
        return int(text) or None
    digits = name_key(text).replace(",", "").replace(" ", "")
    if not digits.isdecimal() or len(digits) > 16:
        return None
    value = int(digits)
    return value if 1 <= value <= MAX_QUANTITY else None
