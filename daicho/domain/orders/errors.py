"""Refusals of orders. Codes are public."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from daicho.core.errors import BusinessError


def bad_quantity() -> BusinessError:
    return BusinessError("bad_quantity", 422, _("Enter a whole number from 1 to 9,007,199,254,740,991."))


def bad_line_number() -> BusinessError:
    return BusinessError("bad_line_number", 422, _("Enter the number of the line, 1 to 1,000,000."))


def bad_date(value: str) -> BusinessError:
    return BusinessError("bad_date", 422, _("“%(value)s” is not a date. Write it like 2026/11/24."), value=value[:40])


def ends_before_start() -> BusinessError:
    return BusinessError("ends_before_start", 422, _("The end date lies before the start date."))


def sku_not_sold(sku: str) -> BusinessError:
    return BusinessError("sku_not_sold", 422, _("%(sku)s is no longer sold."), sku=sku)


def unknown_destination() -> BusinessError:
    return BusinessError(
        "unknown_destination",
        422,
        _("No such destination. Ask the customer for the domain identifier and the exact name of the virtual account."),
    )


def too_many_guesses() -> BusinessError:
    """429: what is right is not told either."""
    return BusinessError(
        "too_many_guesses",
        429,
        _("Too many unknown names of virtual accounts within an hour. Ask the customer for the exact name and try again in an hour, or leave it out: the license then waits until the customer assigns it."),
    )  # fmt: skip


def order_conflict(number: str) -> BusinessError:
    return BusinessError(
        "order_conflict",
        409,
        _("Order %(number)s is recorded already, with other content. Check the order number and the line."),
        number=number,
    )


def duplicate_line(number: str, line: int) -> BusinessError:
    return BusinessError(
        "duplicate_line",
        422,
        _("Line %(line)s of order %(number)s stands twice here, with different content."),
        number=number,
        line=line,
    )


def mixed_header(number: str) -> BusinessError:
    return BusinessError(
        "mixed_header",
        422,
        _("The rows of order %(number)s name different domains, dates or references. An order has one of each."),
        number=number,
    )


def no_lines() -> BusinessError:
    return BusinessError("no_lines", 422, _("Enter at least one line."))


def too_many_lines(limit: int) -> BusinessError:
    return BusinessError(
        "too_many_lines", 422, _("At most %(limit)s lines are recorded at once. Split the file."), limit=f"{limit:,}"
    )


def rows_refused(count: int) -> BusinessError:
    return BusinessError(
        "rows_refused", 422, _("Nothing was recorded: mend the marked rows first (%(count)s)."), count=count
    )


def not_waiting(number: str, line: int) -> BusinessError:
    return BusinessError(
        "line_not_waiting",
        409,
        _("Line %(line)s of order %(number)s does not wait for a decision any more."),
        number=number,
        line=line,
    )


def not_unassigned(number: str, line: int, left: int) -> BusinessError:
    return BusinessError(
        "not_enough_unassigned",
        409,
        _("Line %(line)s of order %(number)s has %(left)s unassigned. Assign that many or fewer."),
        number=number,
        line=line,
        left=left,
    )


def nothing_to_cancel() -> BusinessError:
    return BusinessError(
        "nothing_to_cancel",
        409,
        _("Nothing of this line can be cancelled: it is in use, reserved, ended or cancelled already."),
    )


def reason_required() -> BusinessError:
    return BusinessError("required", 422, _("Enter a reason. The partner reads it."))


def import_not_found() -> BusinessError:
    return BusinessError("import_not_found", 404, _("This import is no longer kept. Upload the file again."))
