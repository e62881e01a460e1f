"""Refusals: a stable public code, an HTTP status, a text for people, and data for programs.

Codes are public: added, never renamed. Interfaces translate `message` and fill in `data`; they never write their own.
"""

from __future__ import annotations

from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class BusinessError(Exception):
    """A rule said no. `message` is an English msgid (usually lazy) with named placeholders taken from `data`."""

    def __init__(self, code: str, http_status: int, message: str | Promise, **data: Any) -> None:
        super().__init__(code)
        self.code = code
        self.http_status = http_status
        self.message = message
        self.data = data

    def text(self) -> str:
        """The message in the language that is active now."""
        return str(self.message) % self.data if self.data else str(self.message).replace("%%", "%")

    def __str__(self) -> str:
        return f"{self.code}: {self.text()}"


class NotFound(BusinessError):
    """The thing does not exist, or the actor may not know that it does: the two are never told apart."""

    def __init__(self) -> None:
        super().__init__("not_found", 404, _("There is nothing here, or you may not see it."))


class Forbidden(BusinessError):
    """The actor may see the thing, but his role lacks the act."""

    def __init__(self, permission: str) -> None:
        super().__init__(
            "forbidden",
            403,
            _("Your role does not allow this. Ask an administrator of the account."),
            permission=permission,
        )


class FieldErrors(BusinessError):
    """Input that cannot be taken, field by field (`errors`: field name → BusinessError). Nothing was written."""

    def __init__(self, errors: dict[str, BusinessError]) -> None:
        super().__init__("invalid_input", 422, _("Check the marked fields. Nothing was saved."))
        self.errors = errors


def invalid(field: str, code: str, message: str | Promise, **data: Any) -> FieldErrors:
    """One field that cannot be taken."""
    return FieldErrors({field: BusinessError(code, 422, message, **data)})
