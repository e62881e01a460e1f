"""The lots of a list as lines of CSV that PostgreSQL composes itself: a million of them without a row in Python.

The lines are those that `core.tabular` would write of the list's cells (a test compares them byte for byte).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import batched
from typing import Any

import psycopg
from django.db import connection
from django.db.models import Case, F, Func, Q, TextField, Value, When
from django.db.models.functions import Coalesce, NullIf

from daicho.core.clock import now, today
from daicho.core.db import is_postgres
from daicho.domain.ledger.models import Place
from daicho.domain.ledger.queries.lots import ORDERS, LotCriteria, _holdings
from daicho.domain.ledger.queries.sight import Sight
from daicho.domain.ledger.queries.states import horizon

ZONE = re.compile(r"[A-Za-z0-9_+\-/]+")
LINES = 500  # in a part of the stream
SAFE = (
    "NULLIF(CASE WHEN %(expressions)s ~ '^''*[-=+@\\t\\r]' THEN '''' || %(expressions)s ELSE %(expressions)s END, '')"
)
MOMENT = (
    "to_char(%(expressions)s AT TIME ZONE '{zone}', 'YYYY-MM-DD\"T\"HH24:MI:SS') ||"
    " CASE WHEN (%(expressions)s AT TIME ZONE '{zone}') < (%(expressions)s AT TIME ZONE 'UTC')"
    " THEN '-' || to_char((%(expressions)s AT TIME ZONE 'UTC') - (%(expressions)s AT TIME ZONE '{zone}'), 'HH24:MI')"
    " ELSE '+' || to_char((%(expressions)s AT TIME ZONE '{zone}') - (%(expressions)s AT TIME ZONE 'UTC'), 'HH24:MI') END"
)
LAST_DAY = "((%(expressions)s - interval '1 microsecond') AT TIME ZONE '{zone}')::date"


class Template(Func):
    """SQL around an expression that it may name more than once, each time with its parameters."""

    def as_sql(self, *arguments: Any, **options: Any) -> tuple[str, list[Any]]:  # type: ignore[override]
        sql, parameters = super().as_sql(*arguments, **options)
        return sql, [*parameters] * str(self.extra["template"]).count("%(expressions)s")


@dataclass(frozen=True, slots=True)
class Words:
    """What the reader's language and zone make of codes: kinds in words, the look of states, names in Japanese or not."""

    kinds: Mapping[str, str]
    look: Mapping[str, str]
    is_japanese: bool
    zone: str


def csv_of_lots(
    sight: Sight,
    criteria: LotCriteria,
    keys: Sequence[str],
    words: Words,
    *,
    sort: str = "end",
    descending: bool = False,
) -> Iterator[bytes] | None:
    """The lines of all lots that match, in the order of `list_lots`; None where the database cannot do it.

    Nothing else can be asked of the connection until the last line was taken.
    """
    zones = (words.zone, sight.account.time_zone)
    cells = _cells(words, sight.account.time_zone)
    if not is_postgres() or not cells.keys() >= set(keys) or not all(ZONE.fullmatch(zone) for zone in zones):
        return None
    order = [
        F(name).desc(nulls_first=True) if descending else F(name).asc(nulls_last=True)
        for name in ORDERS.get(sort, ORDERS["end"])
    ]
    found = _holdings(sight, criteria).select_related(None).order_by(*order)
    statement, parameters = found.values_list(*[cells[key] for key in keys]).query.sql_with_params()
    return _copied(f"COPY ({statement}) TO STDOUT WITH (FORMAT csv)", parameters)


def _copied(statement: str, parameters: Sequence[Any]) -> Iterator[bytes]:
    connection.ensure_connection()
    connection.validate_no_broken_transaction()
    with (
        connection.wrap_database_errors,
        psycopg.Cursor(connection.connection) as direct,
        direct.copy(statement, parameters) as lines,
    ):
        for part in batched(lines, LINES):
            yield b"".join([b"%b\r\n" % bytes(line)[:-1] for line in part])


def _cells(words: Words, account_zone: str) -> dict[str, Any]:
    """The cell of each column, as text or number."""
    at = now()
    has_ended = Q(place__kind=Place.Kind.ENDED) | Q(lot__end_at__lte=at)
    names = ("lot__tag__name_ja", "lot__tag__name") if words.is_japanese else ("lot__tag__name",)
    end = Template(F("lot__end_at"), template=LAST_DAY.format(zone=account_zone))
    return {
        "lot": F("lot__uid"),
        "sku": _safe(F("lot__tag__sku")),
        "license": _safe(Coalesce(*[NullIf(F(name), Value("")) for name in names], F("lot__tag__sku"))),
        "virtual_account": _safe(F("place__virtual_account__name")),
        "order": _safe(F("lot__order_number")),
        "quantity": F("quantity"),
        "kind": Case(
            *[When(lot__kind=code, then=Value(word)) for code, word in words.kinds.items()], output_field=TextField()
        ),
        "state": Case(
            *[
                When(condition, then=Value(words.look.get(code, code)))
                for condition, code in (
                    (has_ended, "ended"),
                    (Q(place__kind=Place.Kind.RESERVED), "reserved"),
                    (Q(place__kind=Place.Kind.FULFILLED), "fulfilled"),
                    (Q(place__kind=Place.Kind.PENDING), "not_started"),
                    (Q(lot__end_at__lte=horizon()), "ending"),
                )
            ],
            default=Value(words.look.get("in_force", "in_force")),
            output_field=TextField(),
        ),
        "start": Template(F("lot__start_at"), template=MOMENT.format(zone=words.zone), output_field=TextField()),
        "end": Template(end, template="to_char(%(expressions)s, 'YYYY-MM-DD')", output_field=TextField()),
        "days_left": Case(
            When(has_ended, then=None),
            default=Template(end, template=f"%(expressions)s - DATE '{today(account_zone).isoformat()}'"),
            output_field=TextField(),
        ),
    }


def _safe(text: Any) -> Template:
    """No spreadsheet calculates it (`tabular.guard`); empty is nothing."""
    return Template(text, template=SAFE, output_field=TextField())
