"""What an instance is answered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

from daicho.core.errors import BusinessError


@dataclass(frozen=True, slots=True)
class Reply:
    """A document to send as JSON, or a refusal."""

    status: int
    document: dict[str, Any] | BusinessError

    @classmethod
    def refusing(cls, error: BusinessError) -> Self:
        return cls(error.http_status, error)
