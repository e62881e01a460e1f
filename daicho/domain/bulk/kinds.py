"""Kinds of jobs: public codes, added, never renamed, each with its name in words (placeholders: `Job.title`)."""

from __future__ import annotations

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

KINDS: Final[dict[str, str | Promise]] = {
    "list.export": _("%(list)s as %(format)s"),
    "license.transfer_file": _("Transfer from %(file)s"),
    "license.transfer_matching": _("Transfer of all that matches to %(target)s"),
    "order.file": _("Orders from %(file)s"),
    "license.assign_matching": _("Assignment of all that matches to %(target)s"),
}
