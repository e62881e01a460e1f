"""What a computer says of itself, for those who do not say it: product ID and serial number of its board."""

from __future__ import annotations

import platform
from pathlib import Path

DMI = Path("/sys/class/dmi/id")
NONSENSE = {"", "none", "default string", "to be filled by o.e.m.", "not specified", "system serial number", "0"}


def product_id() -> str:
    """The product's name as its maker wrote it into the board, or nothing."""
    return _first(DMI / "product_sku", DMI / "product_name", Path("/proc/device-tree/model"))


def serial() -> str:
    """The board's serial number; without one (many virtual machines) the number of this installation."""
    return _first(DMI / "product_serial", Path("/proc/device-tree/serial-number"), Path("/etc/machine-id"))


def software() -> tuple[str, str]:
    """Name and version of the operating system."""
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        return platform.system(), platform.release()
    return release.get("NAME", platform.system()), release.get("VERSION_ID", platform.release())


def _first(*places: Path) -> str:
    for place in places:
        try:
            text = place.read_text(encoding="utf-8", errors="replace").strip("\0 \n")
        except OSError:
            continue
        if text.lower() not in NONSENSE:
            return text[:100]
    return ""
