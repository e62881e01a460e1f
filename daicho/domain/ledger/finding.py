"""What a check of the ledger finds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Finding:
    """One row that breaks one invariant. `row` names it by the ids of its table."""

    invariant: str
    table: str
    row: dict[str, Any]
    text: str

    def __str__(self) -> str:
        keys = ", ".join(f"{key} {value}" for key, value in self.row.items())
        return f"{self.invariant} {self.table} ({keys}): {self.text}"
