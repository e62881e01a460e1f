"""What reading for an act refuses: public codes."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from daicho.core.errors import BusinessError


def unknown_license(sku: str) -> BusinessError:
    """422: no license of this SKU, or none that the actor sees."""
    return BusinessError("unknown_license", 422, _("There is no license with the SKU “%(sku)s” here."), sku=sku)


def rows_refused(rows: list[dict[str, Any]]) -> BusinessError:
    """422: a file with rows that cannot be taken; nothing was written."""
    return BusinessError(
        "rows_refused",
        422,
        _("Nothing was saved. Rows of the file to correct: %(count)s."),
        count=len(rows),
        rows=rows,
    )


def period_reversed() -> BusinessError:
    """422: the first day comes after the last."""
    return BusinessError("period_reversed", 422, _("The first day must not come after the last day."))
