"""Refusals of the devices room; codes are public."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from daicho.core.errors import BusinessError


@dataclass(frozen=True, slots=True)
class RowProblem:
    """A row of a file that cannot be taken: its number (from 1, the head counts), the column's key, the reason."""

    row: int
    column: str
    error: BusinessError

    def plain(self) -> dict[str, Any]:
        return {"row": self.row, "column": self.column, "code": self.error.code, "message": self.error.text()}


class RowsRefused(BusinessError):
    """A file with rows that cannot be taken. Nothing was written."""

    def __init__(self, problems: list[RowProblem]) -> None:
        super().__init__(
            "rows_refused",
            422,
            _("Nothing was saved. Rows of the file to correct: %(count)s."),
            count=len(problems),
            rows=[problem.plain() for problem in problems[:500]],
        )
        self.problems = problems


def device_removed() -> BusinessError:
    return BusinessError("device_removed", 409, _("This device has been removed from the account."))


def device_replaced() -> BusinessError:
    return BusinessError("device_replaced", 409, _("Another device has taken the place of this one."))


def request_id_reused() -> BusinessError:
    return BusinessError("request_id_reused", 409, _("This request id was already used for something else."))


def transfer_needs_approval() -> BusinessError:
    return BusinessError(
        "transfer_needs_approval", 409,
        _("Transfers out of this virtual account must be approved first. Request the transfer, then assign the license."),
    )  # fmt: skip


def too_many_devices(limit: int) -> BusinessError:
    return BusinessError("too_many_rows", 422, _("One file may hold %(limit)s devices. Split it."), limit=f"{limit:,}")


def missing_column(label: object) -> BusinessError:
    return BusinessError(
        "missing_column",
        422,
        _("The file has no column “%(column)s”. Download the template and keep its first row."),
        column=str(label),
    )


def code_unreadable() -> BusinessError:
    return BusinessError("code_unreadable", 422, _("This is no code of a device. Copy it again, with all its lines."))


def code_line_wrong(line: int) -> BusinessError:
    return BusinessError(
        "code_line_wrong", 422, _("Line %(line)s of the code is mistyped. Check it sign by sign."), line=line
    )


def code_of_another_kind() -> BusinessError:
    return BusinessError(
        "code_of_another_kind",
        422,
        _("This is another kind of code. Take the one that the device shows for this step."),
    )


def code_not_by_device() -> BusinessError:
    return BusinessError(
        "code_not_by_device",
        422,
        _("This code was not made by the device of this reservation for what it has installed."),
    )


def request_code_used() -> BusinessError:
    return BusinessError(
        "request_code_used", 409, _("A reservation was made with this request code. Let the device show a new one.")
    )


def device_is_reserved() -> BusinessError:
    return BusinessError("device_is_reserved", 409, _("This device has a reservation. Change it, or return it first."))


def reservation_state(state: str, act: str) -> BusinessError:
    return BusinessError(
        "reservation_state", 409, _("This cannot be done with the reservation as it stands now. Load the page again."),
        state=state, act=act,
    )  # fmt: skip


def statement_needed() -> BusinessError:
    return BusinessError(
        "statement_needed",
        422,
        _("State in your own words that the authorization was not installed (10 characters or more)."),
    )


def nothing_reserved() -> BusinessError:
    return BusinessError(
        "nothing_reserved", 422, _("Choose at least one license. To give all back, return the reservation.")
    )
