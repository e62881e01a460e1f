"""A drawing of use over time: two step lines over a few labelled days, as numbers for an SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from daicho.domain.ledger.queries.uses import UsePoint
from daicho.interfaces.portal import words

WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 720, 220, 56, 12, 28


@dataclass(frozen=True, slots=True)
class Mark:
    """A label of an axis and where it stands."""

    at: float
    text: str


class Trend:
    """Coordinates for templates/licenses/trend.html; `purchased` and `in_use` are lists of points of a polyline."""

    def __init__(self, points: Sequence[UsePoint]) -> None:
        self.points = points
        most = max((max(point.purchased, point.in_use) for point in points), default=0)
        self.top = _round_up(most)
        self.purchased = self._steps([point.purchased for point in points])
        self.in_use = self._steps([point.in_use for point in points])
        self.width, self.height, self.left, self.base = WIDTH, HEIGHT, LEFT, HEIGHT - BOTTOM
        self.days = [
            Mark(self._x(number), words.date(points[number].day))
            for number in sorted({0, len(points) // 3, 2 * len(points) // 3, len(points) - 1} & set(range(len(points))))
        ]
        self.levels = [Mark(self._y(value), words.num(value)) for value in sorted({0, self.top // 2, self.top})]

    def _x(self, number: int) -> float:
        return round(LEFT + (WIDTH - LEFT - 16) * number / max(1, len(self.points) - 1), 1)

    def _y(self, value: int) -> float:
        return round(TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / self.top), 1)

    def _steps(self, values: Sequence[int]) -> str:
        places: list[str] = []
        for number, value in enumerate(values):
            if number:
                places.append(f"{self._x(number)},{self._y(values[number - 1])}")
            places.append(f"{self._x(number)},{self._y(value)}")
        return " ".join(places)


def _round_up(most: int) -> int:
    """The next number of the form 1, 2, 4, 5 or 10 times a power of ten, ten at least."""
    size = 10
    while size < most:
        size *= 10
    return next(step for step in (size // 5, size * 2 // 5, size // 2, size) if step >= max(most, 2))
