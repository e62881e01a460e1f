"""Columns and tables as data: one description yields the cell on screen, in a file and on the clipboard."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from daicho.core.tabular import Cell
from daicho.interfaces.portal import components, words
from daicho.interfaces.portal.components import Text
from daicho.interfaces.portal.markup import escaped, format_html
from daicho.interfaces.portal.templatetags import kit_small

NUMBERS = {"num", "balance"}
STATES = {"state", "severity"}


def reach(row: Any, path: str) -> Any:
    """The value at a dotted path of attributes, mapping keys and calls without arguments; None on the way ends it."""
    value = row
    for name in path.split("."):
        if value is None:
            return None
        value = value.get(name) if isinstance(value, Mapping) else getattr(value, name)
        if callable(value):
            value = value()
    return value


@dataclass(frozen=True)
class Column:
    """One column: where its value comes from and how it reads.

    `kind`: text, code, num, balance, date, datetime, until (an end with the days left), state, severity, tags, bool.
    `optional` columns are hidden until chosen; `total` ones are summed; `link` gives the URL of a cell.
    `phone`: shown in the list that replaces the table on phones (default: head, states and two more).
    """

    key: str
    label: Text
    kind: str = "text"
    sort: bool = False
    optional: bool = False
    total: bool = False
    link: Callable[[Any], str] | None = None
    value: Callable[[Any], Any] | None = None
    phone: bool | None = None
    sort_key: Callable[[Any], Any] | None = None

    @property
    def numeric(self) -> bool:
        return self.kind in NUMBERS

    @property
    def stateful(self) -> bool:
        return self.kind in STATES

    def of(self, row: Any) -> Any:
        return self.value(row) if self.value else reach(row, self.key)

    def face(self, value: Any) -> SafeString | str:
        """The value as it reads on screen."""
        if value is None or value == "":
            return words.NOTHING
        match self.kind:
            case "num":
                return words.num(value)
            case "balance":
                return kit_small.balance(value)
            case "date":
                return kit_small.date(value)
            case "datetime":
                return kit_small.datetime(value)
            case "until":
                return kit_small.ago(value, day=True)
            case "state" | "severity":
                return kit_small.state(value)
            case "tags":
                return kit_small.tag_list(value)
            case "bool":
                return _("Yes") if value else _("No")
            case "code":
                return format_html('<span class="code">{}</span>', value)
        return SafeString(escaped(value))

    def html(self, row: Any, *, head: bool = False, phone: bool = True) -> SafeString:
        """The cell of a row; the head cell of the row when `head`."""
        before, after = self.frame(head=head, phone=phone)
        return SafeString(before + self.inside(row) + after)

    def frame(self, *, head: bool = False, phone: bool = True) -> tuple[str, str]:
        """What stands around every cell of this column, made once for a table."""
        css = " ".join(
            ["num"] * self.numeric
            + ["nowrap"] * (self.kind in ("date", "datetime", "until", "code"))
            + ["no-phone"] * (not phone)
        )
        attributes = f' class="{css}"' if css else ""
        if head:
            return f'<th scope="row"{attributes}>', "</th>"
        return f'<td{attributes} data-label="{escaped(self.label)}">', "</td>"

    def inside(self, row: Any) -> str:
        """The face of a row's value, in its link."""
        face = escaped(self.face(self.of(row)))
        url = self.link(row) if self.link else ""
        return f'<a href="{escaped(url)}">{face}</a>' if url else face

    def plain(self, row: Any) -> Cell:
        """The value for a file: numbers stay numbers, dates dates, states their code, instants in the reader's zone."""
        value = self.of(row)
        if value is None:
            return None
        if self.stateful:
            return (
                value.code
                if isinstance(value, components.State)
                else str(value[0] if isinstance(value, tuple) else value)
            )
        if isinstance(value, dt.datetime):
            return None if value.year >= 9999 else timezone.localtime(value).isoformat(timespec="seconds")
        if isinstance(value, dt.date):
            return None if value.year >= 9999 else value
        if self.kind == "tags":
            return ", ".join(str(tag) for tag in value)
        if isinstance(value, bool | int | float):
            return value
        return str(value)

    def spoken(self, row: Any) -> Cell:
        """The value for people who paste or read it in a workbook: states in words, dates as on screen."""
        value = self.of(row)
        if self.stateful and value:
            if isinstance(value, components.State):
                return words.state_text(value.code, value.number, value.text)
            return words.state_text(*(value if isinstance(value, tuple) else (str(value),)))
        if self.kind == "bool" and value is not None:
            return _("Yes") if value else _("No")
        if isinstance(value, dt.datetime):
            day = timezone.localtime(value)
            return f"{day:%Y/%m/%d}" if self.kind in ("date", "until") else f"{day:%Y/%m/%d %H:%M}"
        if isinstance(value, dt.date):
            return None if value.year >= 9999 else f"{value:%Y/%m/%d}"
        return self.plain(row)


@dataclass(frozen=True)
class Empty:
    """The words when there is nothing yet, and the first act (shown only to who may do it)."""

    title: Text
    text: Text = ""
    action: components.Action | None = None
    kind: str = "nothing_yet"


@dataclass(slots=True)
class Line:
    """A line of a table: the head of a group, or the cells of a row with what belongs to it."""

    group: Text | None = None
    cells: str = ""
    depth: int | None = None
    note: Text = ""
    id: str = ""
    name: str = ""
    menu: Sequence[components.MenuItem] = ()


@dataclass
class Table:
    """Rows under columns. `group` gives (key, label) of a row, `depth` its place in a tree, `note` a line below it."""

    columns: Sequence[Column]
    rows: Sequence[Any]
    caption: Text
    empty: Empty | None = None
    id: str = "table"
    group: Callable[[Any], tuple[Any, Text]] | None = None
    depth: Callable[[Any], int] | None = None
    note: Callable[[Any], Text] | None = None
    row_id: str = ""
    row_label: Callable[[Any], str] | None = None
    row_menu: Callable[[Any], Sequence[components.MenuItem]] | None = None
    totals: Mapping[str, Any] = field(default_factory=dict)
    sortable: bool = False
    default_sort: str = ""
    selectable: bool = False

    @property
    def has_menu(self) -> bool:
        return self.row_menu is not None

    @property
    def width(self) -> int:
        return len(self.columns) + self.selectable + self.has_menu

    def on_phone(self) -> set[str]:
        """The keys of the columns that the phone's list shows."""
        chosen = {c.key for c in self.columns if c.phone}
        if chosen:
            return chosen | {c.key for c in self.columns[:1]}
        head, rest = self.columns[:1], self.columns[1:]
        others = [c for c in rest if not c.stateful and c.phone is None]
        preferred = sorted(others, key=lambda c: (c.kind not in ("balance", "until"), self.columns.index(c)))
        return {c.key for c in [*head, *(c for c in rest if c.stateful), *preferred[:2]]}

    def lines(self) -> Iterator[Line]:
        """What the template draws: group heads and rows."""
        last: Any = object()
        phone = self.on_phone()
        framed = [(c, *c.frame(head=i == 0, phone=c.key in phone)) for i, c in enumerate(self.columns)]
        for row in self.rows:
            if self.group:
                key, label = self.group(row)
                if key != last:
                    yield Line(group=label)
                    last = key
            yield Line(
                cells="".join([f"{before}{c.inside(row)}{after}" for c, before, after in framed]),
                depth=self.depth(row) if self.depth else None,
                note=self.note(row) if self.note else "",
                id=str(reach(row, self.row_id)) if self.row_id else "",
                name=self.row_label(row) if self.row_label else words_of(self.columns[0], row),
                menu=self.row_menu(row) if self.row_menu else (),
            )

    def sums(self) -> dict[str, Any]:
        """Totals by column: those given, else the sum of the rows on the page."""
        keys = [c for c in self.columns if c.total]
        return {c.key: self.totals.get(c.key, sum(c.of(row) or 0 for row in self.rows)) for c in keys}

    def foot(self) -> list[dict[str, Any]]:
        """The cells of the sum row, or nothing."""
        sums = self.sums()
        if not sums or not self.rows:
            return []
        return [{"column": c, "face": c.face(sums[c.key]) if c.key in sums else ""} for c in self.columns[1:]]


def words_of(column: Column, row: Any) -> str:
    """The first cell of a row in words, which names its checkbox and its menu."""
    return str(column.spoken(row) or "")
