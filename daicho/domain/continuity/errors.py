"""Refusals of the continuity room; codes are public."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from daicho.core.errors import BusinessError


def same_device() -> BusinessError:
    """422: a device cannot take its own place."""
    return BusinessError("same_device", 422, _("The failed device and the new one are the same. Choose another one."))


def nothing_to_tell_it_by() -> BusinessError:
    """422: a new device needs a serial number, or at least a name of its own."""
    return BusinessError("required", 422, _("Enter the serial number of the new device, or a name for it."))
