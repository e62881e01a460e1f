"""The filters of a list: which values a query string may hold, and how a condition reads on its chip."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from daicho.core.text import clean
from daicho.interfaces.portal import components, words
from daicho.interfaces.portal.components import Text


@dataclass(frozen=True)
class ChoiceFilter:
    """One of some values, or several when `multiple`. `choices` may be a callable that takes the list."""

    key: str
    label: Text
    choices: Sequence[tuple[str, Text]] | Callable[[Any], Sequence[tuple[str, Text]]]
    multiple: bool = False
    kind: ClassVar[str] = "choice"

    def options(self, page: Any) -> list[tuple[str, Text]]:
        return list(self.choices(page) if callable(self.choices) else self.choices)

    def parse(self, page: Any, values: list[str]) -> Any:
        known = {value for value, _label in self.options(page)}
        given = [value for value in values if value in known]
        return (given if self.multiple else given[-1]) if given else None

    def words(self, page: Any, value: Any) -> list[tuple[str, str]]:
        labels = {key: str(label) for key, label in self.options(page)}
        return [(one, labels[one]) for one in (value if isinstance(value, list) else [value])]


@dataclass(frozen=True)
class DateFilter:
    key: str
    label: Text
    kind: ClassVar[str] = "date"

    def parse(self, page: Any, values: list[str]) -> dt.date | None:
        try:
            return dt.date.fromisoformat(components.narrow(values[-1]).replace("/", "-")) if values else None
        except ValueError:
            return None

    def words(self, page: Any, value: dt.date) -> list[tuple[str, str]]:
        return [(value.isoformat(), words.date(value))]


@dataclass(frozen=True)
class TextFilter:
    key: str
    label: Text
    kind: ClassVar[str] = "text"

    def parse(self, page: Any, values: list[str]) -> str | None:
        return clean(values[-1])[:200] or None if values else None

    def words(self, page: Any, value: str) -> list[tuple[str, str]]:
        return [(value, value)]


@dataclass(frozen=True)
class FlagFilter:
    """Yes, or not asked."""

    key: str
    label: Text
    kind: ClassVar[str] = "flag"

    def parse(self, page: Any, values: list[str]) -> bool | None:
        return True if values and values[-1] == "1" else None

    def words(self, page: Any, value: bool) -> list[tuple[str, str]]:
        return [("1", "")]


type Filter = ChoiceFilter | DateFilter | TextFilter | FlagFilter
