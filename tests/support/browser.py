"""A Chromium for journeys and screenshots; works headless and as root, and downloads nothing.

Debian: apt install chromium fonts-ipafont-gothic. Elsewhere CHROMIUM names the program.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

from playwright.sync_api import Browser, BrowserContext, sync_playwright

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
LOCALES = {"ja": "ja-JP", "en": "en-US"}
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 900}


@contextmanager
def browser() -> Iterator[Browser]:
    """One browser for many contexts: starting it costs a second, a context almost nothing."""
    with sync_playwright() as playwright:
        program = os.environ.get("CHROMIUM", "/usr/bin/chromium")
        chromium = playwright.chromium.launch(executable_path=program, headless=True, args=FLAGS)
        try:
            yield chromium
        finally:
            chromium.close()


def person(
    chromium: Browser,
    language: Literal["ja", "en"] = "ja",
    *,
    phone: bool = False,
    dark: bool = False,
    script: bool = True,
    **options: Any,
) -> BrowserContext:
    """Somebody with an own browser: language, screen, theme, with or without JavaScript. Close it afterwards."""
    context = chromium.new_context(
        locale=LOCALES[language],
        timezone_id="Asia/Tokyo",
        viewport=PHONE if phone else DESK,  # type: ignore[arg-type]  # playwright's own dict type
        color_scheme="dark" if dark else "light",
        java_script_enabled=script,
        **options,
    )
    context.set_default_timeout(5_000)  # the usual 30 s make a missing label slow to fail
    return context
