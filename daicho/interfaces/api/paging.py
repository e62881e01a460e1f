"""Lists: `size` and `cursor` in, `items` and `next` out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ninja import Field, Schema

from daicho.core.paging import Page
from daicho.interfaces.api.schemas import Told


class PageParams(Schema):
    """Query parameters of every list: `paging: Query[PageParams]`."""

    size: int = Field(50, ge=1, le=200)
    cursor: str | None = Field(None, max_length=1000)


class Paged[T](Told):
    """One page. `next` and `previous` are cursors, null at either end."""

    items: list[T]
    next: str | None
    previous: str | None


def paged[R](page: Page[R], convert: Callable[[R], Any]) -> dict[str, Any]:
    """The answer of a list operation."""
    return {"items": [convert(row) for row in page.rows], "next": page.next_cursor, "previous": page.previous_cursor}
