"""The order file: which columns it has, how its rows become orders, and the template people start from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any

from daicho.core import tabular
from daicho.core.errors import BusinessError
from daicho.core.text import name_key
from daicho.domain.catalog import errors as catalog_errors
from daicho.domain.ledger.limits import MAX_LINES
from daicho.domain.orders import errors
from daicho.domain.orders.columns import COLUMNS, HEADER, HEADS, NEEDED
from daicho.domain.orders.planning import Plan
from daicho.domain.orders.rules import LineInput, OrderInput

# A planning field, and the column in which it was written.
COLUMN_OF = {
    "number": "order_number", "identifier": "domain", "start_on": "start_date", "end_on": "end_date", "lines": "sku",
}  # fmt: skip
EXAMPLES = (
    ("PO-2026-001", "1", "example.co.jp", "東京本社", "NET-ADV", "20", "term", "prepaid", "2026/12/01", "2027/11/30",
     "2026/11/24", "", ""),
    ("PO-2026-001", "2", "example.co.jp", "", "SEC-PLUS", "5", "perpetual", "prepaid", "", "", "2026/11/24", "", ""),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class RowProblem:
    """Why a row cannot be taken: its number in the file (the head is row 1) and the column."""

    row: int
    column: str
    error: BusinessError


@dataclass
class Sheet:
    """The rows of a file, as orders. `rows_of[order][line]` is the row's number in the file."""

    rows: dict[int, dict[str, str]] = field(default_factory=dict)
    orders: list[OrderInput] = field(default_factory=list)
    rows_of: list[list[int]] = field(default_factory=list)
    problems: list[RowProblem] = field(default_factory=list)

    def halves(self) -> Iterator[Sheet]:
        """The same rows in two sheets. Every line must have its number."""
        flat = [
            (order, line, row)
            for order, rows in zip(self.orders, self.rows_of, strict=True)
            for line, row in zip(order.lines, rows, strict=True)
        ]
        for half in (flat[: len(flat) // 2], flat[len(flat) // 2 :]):
            found = Sheet(rows={row: self.rows[row] for _, _, row in half})
            for _, group in groupby(half, key=lambda one: id(one[0])):
                orders, lines, rows = zip(*group, strict=True)
                found.orders.append(replace(orders[0], lines=lines))
                found.rows_of.append(list(rows))
            found.problems = [problem for problem in self.problems if problem.row in found.rows]
            yield found


@dataclass
class ImportPreview:
    """What importing the file would do, row by row; nothing is written."""

    sheet: Sheet
    plan: Plan
    problems: list[RowProblem]

    @property
    def bad_rows(self) -> list[int]:
        return sorted({problem.row for problem in self.problems})

    @property
    def new_lines(self) -> int:
        return sum(len(order.new_lines) for order in self.plan.orders)

    @property
    def repeated_lines(self) -> int:
        return sum(line.repeated for order in self.plan.orders for line in order.lines)


@dataclass(frozen=True, slots=True)
class LargePreview:
    """How many rows a large file has, and what recording its first ones would do."""

    rows: int
    first: ImportPreview


def read_sheet(content: bytes, *, most: int = MAX_LINES) -> Sheet:
    """The orders of a CSV or XLSX file. Raises `unknown_columns`, `nothing_in_file`, `too_many_lines`, `file_…`."""
    table = tabular.read(content)
    if not table:
        raise catalog_errors.nothing_in_file()
    heads = [HEADS.get(name_key(head), "") for head in table[0]]
    if not set(NEEDED) <= set(heads):
        raise catalog_errors.no_columns(", ".join(NEEDED))
    sheet = Sheet()
    for number, cells in enumerate(table[1:], 2):
        if any(cells):
            sheet.rows[number] = {head: cell for head, cell in zip(heads, cells, strict=False) if head}
    if not sheet.rows:
        raise catalog_errors.nothing_in_file()
    if len(sheet.rows) > most:
        raise errors.too_many_lines(most)
    _group(sheet)
    return sheet


def _group(sheet: Sheet) -> None:
    """Rows of one order number belong together, wherever they stand."""
    orders: dict[str, list[int]] = {}
    for number, row in sheet.rows.items():
        orders.setdefault(name_key(row.get("order_number", "")) or f"\x00{number}", []).append(number)
    for numbers in orders.values():
        rows = [sheet.rows[number] for number in numbers]
        add_order(sheet, numbers, {name: _stated(rows, name) for name in HEADER})


def add_order(sheet: Sheet, numbers: list[int], header: dict[str, str]) -> None:
    """Rows of the sheet are an order."""
    rows = [sheet.rows[number] for number in numbers]
    first = rows[0]
    for number, row in zip(numbers, rows, strict=True):
        for name, value in header.items():
            written = row.get(name, "")
            if written and written != value and name_key(written) != name_key(value):
                sheet.problems.append(RowProblem(number, name, errors.mixed_header(first.get("order_number", ""))))
    sheet.orders.append(
        OrderInput(
            number=first.get("order_number", ""),
            identifier=header["domain"],
            ordered_on=header["ordered_on"],
            customer_reference=header["customer_reference"],
            memo=header["memo"],
            lines=[_line(row) for row in rows],
        )
    )
    sheet.rows_of.append(numbers)


def _stated(rows: Sequence[dict[str, str]], name: str) -> str:
    return next((row[name] for row in rows if row.get(name)), "")


def _line(row: dict[str, str]) -> LineInput:
    return LineInput(
        sku=row.get("sku", ""),
        quantity=row.get("quantity", ""),
        kind=row.get("kind", "") or "perpetual",
        line=row.get("line", ""),
        billing=row.get("billing", ""),
        start_on=row.get("start_date"),
        end_on=row.get("end_date"),
        virtual_account=row.get("virtual_account", ""),
    )


def preview_of(sheet: Sheet, plan: Plan) -> ImportPreview:
    """The plan's problems at their rows; a problem of an order marks each of its rows."""
    problems = list(sheet.problems)
    for problem in plan.problems:
        rows = sheet.rows_of[problem.order]
        column = COLUMN_OF.get(problem.field, problem.field)
        for row in rows if problem.line is None else [rows[problem.line]]:
            problems.append(RowProblem(row, column, problem.error))
    return ImportPreview(sheet, plan, sorted(problems, key=lambda p: (p.row, COLUMNS.index(p.column))))


def good_lines(preview: ImportPreview) -> list[OrderInput]:
    """The orders without their bad lines, which keep the numbers of the others; orders without any line are left out."""
    bad, found = set(preview.bad_rows), []
    for order, rows in zip(preview.sheet.orders, preview.sheet.rows_of, strict=True):
        lines = [
            replace(line, line=line.line or position)
            for position, (line, row) in enumerate(zip(order.lines, rows, strict=True), 1)
            if row not in bad
        ]
        if lines:
            found.append(replace(order, lines=lines))
    return found


def bad_rows_table(sheet: Sheet, problems: Sequence[RowProblem]) -> tuple[list[str], list[list[str]]]:
    """Head and rows of the file that gives people their bad rows back, with what is wrong in a last column.

    A line without a number gets that of its place, so that the mended row does not become another line.
    """
    reasons: dict[int, list[str]] = {}
    for problem in problems:
        reasons.setdefault(problem.row, []).append(f"{problem.column}: {problem.error.text()}")
    places = {row: str(place) for rows in sheet.rows_of for place, row in enumerate(rows, 1)}
    rows = []
    for number in sorted(reasons):
        cells = {"line": places[number]} | {name: cell for name, cell in sheet.rows[number].items() if cell}
        rows.append([cells.get(column, "") for column in COLUMNS] + [" ".join(reasons[number])])
    return [*COLUMNS, "error"], rows


def as_data(preview: ImportPreview | LargePreview) -> dict[str, Any]:
    """Plain values, for programs. `looked_at`: how many rows the counts are about."""
    first = preview.first if isinstance(preview, LargePreview) else preview
    states = ("deposited", "unassigned", "waiting_agreement", "waiting_operator")
    return {
        "rows": preview.rows if isinstance(preview, LargePreview) else len(first.sheet.rows),
        "looked_at": len(first.sheet.rows),
        "as_job": isinstance(preview, LargePreview),
        "orders": len(first.sheet.orders),
        "new_lines": first.new_lines,
        "repeated_lines": first.repeated_lines,
        "landing": {state: first.plan.count(state) for state in states},
        "errors": [
            {"row": p.row, "column": p.column, "code": p.error.code, "message": p.error.text()} for p in first.problems
        ],
    }
