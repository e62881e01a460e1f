"""Keyset paging: a page costs the same wherever it lies (stack.md, large tables)."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db.models import F, Model, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from daicho.core.errors import BusinessError

SIZES = (25, 50, 100, 200)
COUNT_LIMIT = 10_000


@dataclass(frozen=True, slots=True)
class Page[T]:
    """Rows of one page, and opaque cursors to its neighbours (None: there is none). Count is exact to COUNT_LIMIT."""

    rows: list[T]
    next_cursor: str | None
    previous_cursor: str | None
    count: int | None = None
    count_is_exact: bool = True


def _encode(values: Sequence[Any], direction: str) -> str:
    plain = [[v.isoformat()] if isinstance(v, dt.datetime | dt.date) else v for v in values]
    return base64.urlsafe_b64encode(json.dumps([direction, plain]).encode()).decode().rstrip("=")


def _decode(cursor: str, fields: int) -> tuple[str, list[Any]]:
    try:
        direction, values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if direction not in ("n", "p") or len(values) != fields:
            raise ValueError
        return direction, [_instant(v[0]) if isinstance(v, list) else v for v in values]
    except (ValueError, TypeError, IndexError, binascii.Error, UnicodeDecodeError):
        raise BusinessError(
            "bad_cursor", 422, _("This page link is damaged. Start again from the first page.")
        ) from None


def peek(cursor: str | None, fields: int) -> tuple[bool, list[Any]]:
    """Whether a cursor leads forward, and the values it stands at (none on the first page). Raises `bad_cursor`."""
    direction, values = _decode(cursor, fields) if cursor else ("n", [])
    return direction == "n", values


def cursor_at(values: Sequence[Any], *, forward: bool = True) -> str:
    """The cursor that leads on from a row with these values: what `peek` reads."""
    return _encode(values, "n" if forward else "p")


def beyond(names: Sequence[str], values: Sequence[Any], *, forward: bool = True) -> Q:
    """The rows strictly after these values in the ascending order of the fields; strictly before them, if not forward."""
    return _beyond(names, [not forward] * len(names), values)


def _instant(text: str) -> dt.datetime | dt.date:
    return dt.datetime.fromisoformat(text) if "T" in text else dt.date.fromisoformat(text)


def keyset_page[M: Model](
    rows: QuerySet[M],
    order: Sequence[str],
    *,
    cursor: str | None,
    size: int,
    count: bool = False,
    floor: dt.datetime | None = None,
) -> Page[M]:
    """One page of `rows` in `order` (field names, "-" in front for descending; the last one must be unique).

    A field may be NULL: NULLs stand last in ascending and first in descending order. Size is clamped to 1–200.
    `floor`: the caller knows that no row has this or less in the first field, so that an index need not be read from
    its beginning. Raises `bad_cursor`.
    """
    size = max(1, min(size, SIZES[-1]))
    direction, values = _decode(cursor, len(order)) if cursor else ("n", [])
    backwards = direction == "p"
    names = [name.lstrip("-") for name in order]
    descending = [name.startswith("-") != backwards for name in order]
    page = rows.order_by(
        *[
            F(n).desc(nulls_first=True) if d else F(n).asc(nulls_last=True)
            for n, d in zip(names, descending, strict=True)
        ]
    )
    found: list[M] = []
    for stretch in _stretches(rows.model, names, descending, values, floor):
        found += page.filter(stretch)[: size + 1 - len(found)]
        if len(found) > size:
            break
    more, found = len(found) > size, found[:size]
    if backwards:
        found.reverse()

    def at(row: M, way: str) -> str:
        return _encode([_value(row, name) for name in names], way)

    has_next = bool(found) and (more if not backwards else True)
    has_previous = bool(found) and (bool(values) if not backwards else more)
    total = count_up_to(rows) if count else None
    return Page(
        rows=found,
        next_cursor=at(found[-1], "n") if has_next else None,
        previous_cursor=at(found[0], "p") if has_previous else None,
        count=min(total, COUNT_LIMIT) if total is not None else None,
        count_is_exact=total is None or total <= COUNT_LIMIT,
    )


def place_of(row: Model, order: Sequence[str], *, backwards: bool = False) -> str:
    """The cursor that leads on from a row of a list in this order."""
    return _encode([_value(row, name.lstrip("-")) for name in order], "p" if backwards else "n")


def count_up_to(rows: QuerySet[Any], most: int = COUNT_LIMIT) -> int:
    """How many rows there are; `most` + 1 where they are more."""
    return rows.order_by()[: most + 1].count()


def _stretches(
    model: type[Model], names: Sequence[str], descending: Sequence[bool], values: Sequence[Any], floor: Any
) -> list[Q]:
    """The rows after `values` in one or two consecutive parts, each of which an index on the first field bounds.

    One condition with OR over a bound and NULL would be right, but is read from the beginning of the index.
    """
    first, falls = names[0], descending[0]
    beyond = _beyond(names, descending, values) if values else Q()
    nullable = _nullable(model, first)
    if nullable is None:
        return [beyond]
    null, above = Q(**{f"{first}__isnull": True}), Q(**{f"{first}__gt": floor}) if floor is not None else Q()
    if values and values[0] is not None:
        bound = Q(**{f"{first}__{'lte' if falls else 'gte'}": values[0]}) & beyond
        return [bound, null] if nullable and not falls else [bound & above]
    if values:
        return [null & beyond, Q(**{f"{first}__isnull": False}) & above] if falls else [null & beyond]
    if floor is None:
        return [Q()]
    if not nullable:
        return [above]
    return [null, above] if falls else [above, null]


def _nullable(model: type[Model], path: str) -> bool | None:
    """Whether a field may be NULL, on the way to it included; None for what is no field (an annotation)."""
    nullable = False
    for part in path.split("__"):
        try:
            found = model._meta.get_field(part)
        except FieldDoesNotExist:
            return None
        nullable = nullable or bool(getattr(found, "null", True))
        model = found.related_model or model
    return nullable


def _value(row: Model, path: str) -> Any:
    value: Any = row
    for part in path.split("__"):
        value = getattr(value, part) if value is not None else None
    return value


def _beyond(names: Sequence[str], descending: Sequence[bool], values: Sequence[Any]) -> Q:
    """Rows strictly after `values`, lexicographically, with NULL as the greatest value."""
    condition, prefix = Q(pk__in=[]), Q()
    for name, falls, value in zip(names, descending, values, strict=True):
        if value is None:
            later = Q(**{f"{name}__isnull": False}) if falls else Q(pk__in=[])
            same = Q(**{f"{name}__isnull": True})
        else:
            later = (
                Q(**{f"{name}__lt": value}) if falls else Q(**{f"{name}__gt": value}) | Q(**{f"{name}__isnull": True})
            )
            same = Q(**{name: value})
        condition |= prefix & later
        prefix &= same
    return condition
