"""A list of the portal by declaration: filters, sorting, keyset pages, columns to choose, saved views, exports.

docs/kit.md shows a whole list in thirty lines. A list never counts beyond what its query counted, and reads only what
it shows; files are written page by page.
"""

from __future__ import annotations

import datetime as dt
import io
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import batched, chain
from typing import Any
from urllib.parse import urlencode

from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone, translation
from django.utils.cache import patch_vary_headers
from django.utils.functional import Promise
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from daicho.core import clock, tabular
from daicho.core.text import clean
from daicho.domain.access.commands.preferences import keep_list_choices
from daicho.domain.access.queries_preferences import list_choices
from daicho.domain.bulk.exports import start_export
from daicho.interfaces.portal import components, words
from daicho.interfaces.portal.components import Text
from daicho.interfaces.portal.filters import ChoiceFilter, DateFilter, Filter, FlagFilter, TextFilter
from daicho.interfaces.portal.tables import Column, Empty, Table, reach
from daicho.interfaces.portal.web import Here, actor_of, request_id_of

__all__ = [
    "BulkAct", "ChoiceFilter", "Column", "DateFilter", "Empty", "FlagFilter", "ListPage", "ListQuery", "Page", "Table",
    "TextFilter",
]  # fmt: skip

SIZES = (25, 50, 100, 200)
EXPORT_CHUNK = 200
COPY_LIMIT = 200_000
PRINT_LIMIT = 2_000
FORMATS = ("csv", "xlsx")  # of a file that the worker makes
CSV = "text/csv; charset=utf-8"


@dataclass(frozen=True)
class ListQuery:
    """What the reader asked for, checked. `sort` is a column key or "", `cursor` opaque or None."""

    text: str = ""
    filters: Mapping[str, Any] = field(default_factory=dict)
    sort: str = ""
    descending: bool = False
    cursor: str | None = None
    size: int = SIZES[0]


@dataclass
class Page:
    """Rows and the cursors of their neighbours; `daicho.core.paging.Page` will do as well."""

    rows: Sequence[Any]
    next_cursor: str | None = None
    previous_cursor: str | None = None
    count: int | None = None
    count_is_exact: bool = True
    totals: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(
        cls, rows: Sequence[Any], q: ListQuery, columns: Sequence[Column], totals: Mapping[str, Any] | None = None
    ) -> Page:
        """A page of a list that is known to be short: searched, sorted and cut in memory."""
        found = list(rows)
        if q.text:
            needle = clean(q.text).casefold()
            found = [r for r in found if any(needle in clean(str(c.spoken(r) or "")).casefold() for c in columns)]
        column = next((c for c in columns if c.key == q.sort), None)
        if column:
            key = column.sort_key or column.of
            filled = [r for r in found if key(r) is not None]
            missing = [r for r in found if key(r) is None]
            found = sorted(filled, key=_comparable(key), reverse=q.descending) + missing
        start = int(q.cursor) if q.cursor and q.cursor.isdigit() else 0
        end = start + q.size
        sums = {c.key: sum(c.of(r) or 0 for r in found) for c in columns if c.total}
        return cls(
            rows=found[start:end],
            next_cursor=str(end) if end < len(found) else None,
            previous_cursor=str(max(start - q.size, 0)) if start else None,
            count=len(found),
            totals={**sums, **(totals or {})},
        )


def _comparable(key: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def comparable(row: Any) -> Any:
        value = key(row)
        if isinstance(value, tuple | components.State):
            value = value.code if isinstance(value, components.State) else value[0]
        return str(value).casefold() if isinstance(value, str | Promise) else value

    return comparable


@dataclass(frozen=True)
class BulkAct:
    """An act on the selected rows: `row=…` many, or `all=1` with the list's query string, sent to `url`."""

    name: str
    label: Text
    url: str
    method: str = "post"
    danger: bool = False


class ListPage:
    """One list. Subclasses declare; `fetch` reads one page; `response` answers the request."""

    key: str
    title: Any
    columns: Sequence[Column]
    filters: Sequence[Filter] = ()
    text_label: Text = ""
    default_sort: str = ""
    default_size: int = SIZES[0]
    empty: Empty | None = None
    bulk: Sequence[BulkAct] = ()
    row_id: str = ""
    exports: bool = True
    stamps: bool = False
    template: str = "kit/list_page.html"
    table_template: str = "kit/data_table.html"
    # Optional methods of a subclass: group(row) -> (key, label), depth(row), row_note(row), row_menu(row) -> [MenuItem].
    group: Any = None
    depth: Any = None
    row_note: Any = None
    row_menu: Any = None

    def __init__(self, request: HttpRequest, **given: Any) -> None:
        self.request = request
        self._choices: dict[str, Any] | None = None
        for name, value in given.items():
            setattr(self, name, value)

    def fetch(self, q: ListQuery) -> Any:
        """The page that `q` asks for."""
        raise NotImplementedError

    def plain_rows(self, q: ListQuery, keys: Sequence[str]) -> Iterator[Sequence[tabular.Cell]] | None:
        """For lists that grow to a million rows: the cells of the CSV file by column key, read without building models.

        None where a list reads page by page. The cells are those of `Column.plain`.
        """
        return None

    def plain_lines(self, q: ListQuery, keys: Sequence[str]) -> Iterator[bytes] | None:
        """For the longest lists: the lines of the CSV file behind its head, where the database composes them itself."""
        return None

    def bulk_acts(self) -> Sequence[BulkAct]:
        return self.bulk

    # What the reader asked for.

    def query(self) -> ListQuery:
        """The query string, checked; what is unknown is dropped."""
        asked = self.request.GET
        filters = {f.key: f.parse(self, [v for v in asked.getlist(f.key) if v]) for f in self.filters}
        sort = asked.get("sort") or self.default_sort
        name = sort.lstrip("-")
        if name not in {c.key for c in self.columns if c.sort}:
            sort, name = self.default_sort, self.default_sort.lstrip("-")
        size = asked.get("size", "")
        return ListQuery(
            text=clean(asked.get("q", ""))[:200] if self.text_label else "",
            filters={key: value for key, value in filters.items() if value is not None},
            sort=name,
            descending=sort.startswith("-"),
            cursor=asked.get("cursor") or None,
            size=int(size) if size in map(str, SIZES) else self.default_size,
        )

    def link(self, drop: Sequence[str] = (), **changes: str) -> str:
        """The query string of this list with changes; a change of anything but the page begins at its first page."""
        asked = self.request.GET.copy()
        for name in {"export", "cursor", *drop, *changes}:
            asked.pop(name, None)
        for name, values in list(asked.lists()):
            asked.setlist(name, [value for value in values if value])  # a filter form sends its empty fields too
        for name, value in changes.items():
            if value:
                asked[name] = value
        return f"?{asked.urlencode()}"

    def without(self, key: str, value: str) -> str:
        """The query string without one value of a filter."""
        asked = self.request.GET.copy()
        asked.pop("cursor", None)
        for name, values in list(asked.lists()):
            asked.setlist(name, [one for one in values if one and not (name == key and (one == value or key == "q"))])
        return f"?{asked.urlencode()}"

    def chips(self, q: ListQuery) -> list[dict[str, str]]:
        """The conditions in force, each with the link that lifts it."""
        chips = [{"label": _("“%(text)s”") % {"text": q.text}, "url": self.without("q", q.text)}] if q.text else []
        for f in self.filters:
            if f.key not in q.filters:
                continue
            for raw, word in f.words(self, q.filters[f.key]):
                label = _("%(name)s: %(value)s") % {"name": f.label, "value": word} if word else str(f.label)
                url = self.without(f.key, raw) if f.kind == "choice" else self.link(drop=[f.key])
                chips.append({"label": label, "url": url})
        return chips

    # What the reader prefers.

    def _kept(self) -> dict[str, Any]:
        """Kept with the person; for who is not logged in, with the session."""
        if self._choices is None:
            signed_in = self.request.user.is_authenticated
            kept = (
                list_choices(actor_of(self.request), self.key)
                if signed_in
                else self.request.session.get("lists", {}).get(self.key)
            )
            self._choices = {"columns": None, "views": [], **(kept or {})}
        return self._choices

    def _keep(self, **changes: Any) -> None:
        self._choices = {**self._kept(), **changes}
        if self.request.user.is_authenticated:
            columns, views = self._choices["columns"], [(name, query) for name, query in self._choices["views"]]
            keep_list_choices(actor_of(self.request), list_key=self.key, columns=columns, views=views)
        else:
            self.request.session["lists"] = {**self.request.session.get("lists", {}), self.key: self._choices}

    def shown(self) -> list[Column]:
        """The columns this reader sees: the first always, the others as chosen."""
        chosen = self._kept()["columns"]
        if chosen is None:
            return [c for c in self.columns if not c.optional]
        return [c for i, c in enumerate(self.columns) if i == 0 or c.key in chosen]

    def _own_act(self) -> HttpResponse:
        """Keep the chosen columns, or keep or drop a saved view."""
        posted = self.request.POST
        act, back = posted["list_act"], self.link()
        views = list(self._kept()["views"])
        if act == "columns":
            self._keep(columns=[c.key for c in self.columns if c.key in posted.getlist("column")])
        elif act == "reset_columns":
            self._keep(columns=None)
        elif act == "save_view" and (name := clean(posted.get("name", ""))[:60]):
            views = [*[v for v in views if v[0] != name][-19:], [name, back]]
            self._keep(views=views)
            components.tell(self.request, "done", _("The conditions were saved as “%(name)s”.") % {"name": name})
        elif act == "drop_view":
            self._keep(views=[v for v in views if v[0] != posted.get("name")])
        elif act == "export" and posted.get("format") in FORMATS:
            return self._start_export(posted["format"])
        return HttpResponseRedirect(self.request.path + back)

    def _start_export(self, file_format: str) -> HttpResponse:
        """A file of a long list is made by the worker, who asks this very address for it."""
        from daicho.interfaces.portal.views.jobs import job_url  # the list of jobs is a list, too

        here: Here | None = getattr(self.request, "here", None)
        if here is None:
            return HttpResponseRedirect(f"{self.request.path}{self.link()}&export={file_format}")
        job = start_export(
            here.actor, request_id=request_id_of(self.request), path=self.request.path, query=self.link()[1:],
            file_format=file_format, title=str(self.title), account=here.account_or_none, company=here.company_or_none,
        )  # fmt: skip
        return HttpResponseRedirect(job_url(here, job))

    # The answer.

    def response(self, context: Mapping[str, Any] | None = None) -> HttpResponse | StreamingHttpResponse:
        """The page, its table alone for htmx, or a file of everything that is filtered."""
        if self.request.method == "POST" and "list_act" in self.request.POST:
            return self._own_act()
        q = self.query()
        wanted = self.request.GET.get("export", "")
        if self.exports and wanted in ("csv", "xlsx", "tsv"):
            return self._file(wanted, q)
        printing = wanted == "print"
        page = Page(rows=list(self._rows(q, PRINT_LIMIT))) if printing else self.fetch(q)
        data = self._context(q, page, printing) | dict(context or {})
        part = self.request.headers.get("HX-Target", "").endswith(f"#list-{self.key}")
        response = render(self.request, "kit/list_region.html" if part else self.template, data | {"partial": part})
        patch_vary_headers(response, ["HX-Request", "HX-Target"])
        if part:
            response["HX-Push-Url"] = self.request.path + self.link()
        return response

    def _context(self, q: ListQuery, page: Any, printing: bool) -> dict[str, Any]:
        columns = self.shown()
        acts = [] if printing else list(self.bulk_acts())
        table = Table(
            columns=columns, rows=page.rows, caption=self.title, empty=self.empty, id=self.key,
            group=self.group, depth=self.depth, note=self.row_note, row_id=self.row_id, row_menu=None if printing else self.row_menu,
            totals=getattr(page, "totals", {}), sortable=not printing, default_sort=self.default_sort, selectable=bool(acts),
        )  # fmt: skip
        kept = self._kept()
        return {
            "list": self,
            "title": self.title,
            "table": table,
            "page": page,
            "q": q,
            "printing": printing,
            "count_text": self.count_text(page),
            "chips": self.chips(q),
            "filtered": bool(q.text or q.filters),
            "filter_fields": [self._filter_field(f, q) for f in self.filters],
            "acts": acts,
            "query": self.link(),
            "clear_url": self.link(drop=["q", *(f.key for f in self.filters)]),
            "next_url": self.link(cursor=page.next_cursor) if page.next_cursor else "",
            "previous_url": self.link(cursor=page.previous_cursor) if page.previous_cursor else "",
            "sizes": [{"size": size, "url": self.link(size=str(size)), "current": size == q.size} for size in SIZES],
            "choices": [{"column": c, "shown": c in columns, "fixed": i == 0} for i, c in enumerate(self.columns)],
            "views": [{"name": name, "url": url} for name, url in kept["views"]],
            "is_long": page.next_cursor and (page.count is None or not getattr(page, "count_is_exact", True)),
            "exports": {
                kind: f"{self.link()}&{urlencode({'export': kind})}" for kind in ("csv", "xlsx", "tsv", "print")
            },
        }

    def _filter_field(self, f: Filter, q: ListQuery) -> dict[str, Any]:
        value = q.filters.get(f.key)
        chosen = value if isinstance(value, list) else [value]
        options = (
            [{"value": key, "label": label, "chosen": key in chosen} for key, label in f.options(self)]
            if isinstance(f, ChoiceFilter)
            else []
        )
        shown = value.isoformat() if isinstance(value, dt.date) else value or ""
        return {"filter": f, "options": options, "value": shown, "active": value is not None}

    def count_text(self, page: Any) -> str:
        """「1,284件」, 「10,000件以上」, or nothing where counting would cost too much."""
        if page.count is None:
            return ""
        data = {"count": words.num(page.count)}
        if not getattr(page, "count_is_exact", True):
            return _("%(count)s rows or more") % data
        return ngettext("%(count)s row", "%(count)s rows", page.count) % data

    # Files.

    def _rows(self, q: ListQuery, limit: int = sys.maxsize) -> Iterator[Any]:
        """All rows up to the limit. The first are fetched at once: a refusal is a page, not a broken file."""

        def part(cursor: str | None, given: int) -> Page:
            size = min(EXPORT_CHUNK, limit - given)
            found: Page = self.fetch(ListQuery(q.text, q.filters, q.sort, q.descending, cursor, size))
            return found

        def rows(page: Page) -> Iterator[Any]:
            given = 0
            while True:
                yield from page.rows
                given += len(page.rows)
                if not page.next_cursor or not page.rows or given >= limit:
                    return
                page = part(page.next_cursor, given)

        return rows(part(None, 0))

    def _file(self, kind: str, q: ListQuery) -> HttpResponse | StreamingHttpResponse:
        """CSV for programs and for reading back: keys and codes. XLSX and TSV for people: labels and words."""
        columns = self.shown()
        stamp = f"{timezone.localtime(clock.now()):%Y%m%d-%H%M}"
        name = f"{slugify(self.key)}-{stamp}"
        if kind == "csv":
            head = [c.key for c in columns]
            is_job = hasattr(self.request, "tell_rows")  # it writes on the connection while it reads
            if (composed := None if is_job else self.plain_lines(q, head)) is not None:
                return _named(StreamingHttpResponse(chain(_head(head), composed), content_type=CSV), f"{name}.csv")
            cells = self.plain_rows(q, head) or ([c.plain(row) for c in columns] for row in self._rows(q))
            lines = tabular.csv_lines(head, told(self.request, cells))
            answer: HttpResponse | StreamingHttpResponse = StreamingHttpResponse(_as_now(lines), content_type=CSV)
        elif kind == "tsv":
            return HttpResponse(
                self._tsv(columns, self._rows(q, COPY_LIMIT)), content_type="text/tab-separated-values; charset=utf-8"
            )
        else:
            head = [str(c.label) for c in columns]
            head += [_("%(label)s (code)") % {"label": c.label} for c in columns if c.stateful]
            stateful = [c for c in columns if c.stateful]
            words_and_codes = (
                [c.spoken(row) for c in columns] + [c.plain(row) for c in stateful]
                for row in told(self.request, self._rows(q))
            )
            kind_of = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
            file = tabular.xlsx_file(head, words_and_codes, sheet=str(self.title))
            answer = FileResponse(file, content_type=kind_of)
        return _named(answer, f"{name}.{kind}")

    def _tsv(self, columns: Sequence[Column], rows: Iterator[Any]) -> str:
        out = io.StringIO()
        out.write("\t".join(str(c.label) for c in columns) + "\n")
        for row in rows:
            cells = (tabular.guard(c.spoken(row)) for c in columns)
            out.write("\t".join("" if cell is None else " ".join(str(cell).split()) for cell in cells) + "\n")
        return out.getvalue()


def _named[A: HttpResponse | StreamingHttpResponse](answer: A, name: str) -> A:
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _head(keys: Sequence[str]) -> Iterator[bytes]:
    return (line.encode() for line in tabular.csv_lines(keys, []))


def told[T](request: HttpRequest, rows: Iterable[T]) -> Iterable[T]:
    """The rows; whoever makes the file in a job (`request.tell_rows`) hears of every thousand that are done."""
    tell: Callable[[int], None] | None = getattr(request, "tell_rows", None)
    return rows if tell is None else _telling(rows, tell)


def _telling[T](rows: Iterable[T], tell: Callable[[int], None]) -> Iterator[T]:
    for part in batched(rows, 1_000):
        yield from part
        tell(len(part))


def _as_now(lines: Iterator[str]) -> Iterator[bytes]:
    """Stream in the language and zone of the request, which are gone when the server asks for the lines."""
    language, zone = translation.get_language(), timezone.get_current_timezone()

    def stream() -> Iterator[bytes]:
        with translation.override(language), timezone.override(zone):
            for line in lines:
                yield line.encode()

    return stream()


def selected(request: HttpRequest) -> tuple[list[str], bool]:
    """What a bulk act was sent: the chosen row ids, and whether everything that matches was meant."""
    data = request.POST if request.method == "POST" else request.GET
    return data.getlist("row"), data.get("all") == "1"


__all__ += ["reach", "selected", "told"]
