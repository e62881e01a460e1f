"""Put the rows of a large order file in the order in which they are recorded: `python -m daicho.domain.orders.spooling`.

A process of its own, because a workbook of 200,000 rows needs more memory than a worker may have, and gives it back only
by ending. It reads SOURCE and writes TARGET: a line of JSON for each row, [row, place in the order, the order's number of
rows, header, cells], the rows of an order together, the orders of one virtual account together. What keeps it from that it says by its code.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from daicho.core.errors import BusinessError
from daicho.core.tabular import read_rows
from daicho.core.text import name_key
from daicho.domain.orders.columns import COLUMNS, HEADER, HEADS, NEEDED

NUMBER, DOMAIN, PLACE = (COLUMNS.index(name) for name in ("order_number", "domain", "virtual_account"))
HEADER_AT = [COLUMNS.index(name) for name in HEADER]


def main() -> int:
    """Exit code 2 when the file cannot be taken."""
    told = spool(Path(sys.argv[1]), Path(sys.argv[2]))
    sys.stdout.write(told)
    return 2 if told else 0


def spool(source: Path, target: Path) -> str:
    """Write the spool; returns the code of what the file lacks, "" for nothing."""
    try:
        with source.open("rb") as file, target.open("w", encoding="utf-8") as lines:
            lines.writelines(spooled(file))
    except BusinessError as error:
        return error.code
    return ""


def spooled(file: IO[bytes]) -> Iterator[str]:
    """The rows in their order, as lines of JSON."""
    table = read_rows(file)
    heads = [HEADS.get(name_key(head), "") for head in next(table, [])]
    if not heads:
        raise BusinessError("nothing_in_file", 422, "")
    if not set(NEEDED) <= set(heads):
        raise BusinessError("unknown_columns", 422, "")
    at = {head: place for place, head in reversed(list(enumerate(heads)))}
    places = [at.get(column, -1) for column in COLUMNS]
    orders: dict[str, Order] = {}
    for number, row in enumerate(table, 2):
        if not any(row):
            continue
        row.append("")  # what a missing column holds, at place -1
        cells = [row[place] if place < len(row) - 1 else "" for place in places]
        key = name_key(cells[NUMBER]) or f"\x00{number}"
        order = orders.get(key)
        if order is None:
            order = orders[key] = Order()
        order.add(number, cells)
    if not orders:
        raise BusinessError("nothing_in_file", 422, "")
    for order in sorted(orders.values(), key=Order.destination):
        yield from order.lines()


class Order:
    """The rows of one order number, wherever they stand; each kept as JSON, which is smaller than its cells."""

    __slots__ = ("first", "header", "place", "rows")

    def __init__(self) -> None:
        self.rows: list[tuple[int, str]] = []
        self.header: list[str] = []
        self.place = ""
        self.first = 0

    def add(self, number: int, cells: list[str]) -> None:
        if not self.rows:
            self.first, self.place = number, cells[PLACE]
            self.header = [cells[at] for at in HEADER_AT]
        elif "" in self.header:
            self.header = [known or cells[at] for known, at in zip(self.header, HEADER_AT, strict=True)]
        self.rows.append((number, json.dumps(cells, ensure_ascii=False)))

    def destination(self) -> tuple[Any, ...]:
        """Orders for one place follow each other, so that one act locks few pools."""
        return name_key(self.header[0]), name_key(self.place), self.first

    def lines(self) -> Iterator[str]:
        header, count = json.dumps(self.header, ensure_ascii=False), len(self.rows)
        for place, (number, cells) in enumerate(self.rows, 1):
            yield f"[{number}, {place}, {count}, {header}, {cells}]\n"


if __name__ == "__main__":
    sys.exit(main())
