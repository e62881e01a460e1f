"""bin/screens: contact sheets of the portal, one for each area and language, from the demonstration's world.

    bin/screens                     docs/screens/<area>.<language>.webp and home.ja.webp
    bin/screens --pages DIR         keep each page as a picture of its own, too
    bin/screens --at URL --log-ins FILE   photograph a demonstration that runs already

A sheet shows each page on a desk in light, then the first ones on a phone and in dark.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, Page

from tests.support.browser import browser, person
from tests.support.serving import console, environment, free_port, running, wait_for
from tests.support.steps import ROOT

OUT = ROOT / "docs/screens"
MOST_BYTES = 500_000
ADMINISTRATOR, PARTNER, OPERATOR = "yamada@example.co.jp", "takahashi@partner.example.jp", "operator@kumo.example"
NEWCOMER, HELD = "ogawa@hoshu.example.jp", "kita@kita.example.jp"
A = "/a/example.co.jp/"


@dataclass(frozen=True)
class Shot:
    """A page: its address, or the first link with a selector on that page, and then what is pressed there."""

    path: str
    link: str = ""
    press: tuple[str, ...] = ()


FIRST = "main tbody th a"
CHOSEN = ("tbody input[name=row]", ".bulk-bar button.btn-primary")
AREAS: dict[str, list[tuple[str, list[Shot]]]] = {
    "opening": [
        ("", [Shot("/"), Shot("/guide/"), Shot("/account/signup/"), Shot("/help/"), Shot("/help/licenses/")]),
        (NEWCOMER, [
            Shot("/opening/find/"), Shot("wizard:authority"), Shot("wizard:account"), Shot("wizard:address"), Shot("wizard:check"),
        ]),
        (HELD, [Shot("/opening/", FIRST)]),
    ],
    "home-licenses": [(ADMINISTRATOR, [
        Shot(A), Shot(A + "licenses/"), Shot(A + "licenses/by-license/"), Shot(A + "licenses/?state=short", FIRST),
        Shot(A + "licenses/branches/"), Shot(A + "ending/"), Shot(A + "subscriptions/"), Shot(A + "search/?q=NET"),
    ])],
    "transfer": [(ADMINISTRATOR, [
        Shot(A + "transfers/new/"), Shot(A + "transfers/new/", press=CHOSEN),
        Shot(A + "transfers/new/", press=(*CHOSEN, "=select[name=target]", "=[name^='n-']", "button[value=check]")),
        Shot(A + "transfers/"), Shot(A + "transfers/", FIRST), Shot(A + "transfers/csv/"),
    ])],
    "lots-statement": [
        (ADMINISTRATOR, [
            Shot(A + "statement/"), Shot(A + "lots/"), Shot(A + "lots/", FIRST), Shot(A + "lots/", FIRST, ("main .page-acts .btn-primary",)),
            Shot(A + "lots/import/"), Shot(A + "jobs/"),
        ]),
        (OPERATOR, [
            Shot("/operator/accounts/example.co.jp/lots/"), Shot("/operator/accounts/example.co.jp/lots/", FIRST),
            Shot("/operator/api-clients/"), Shot("/operator/jobs/"),
        ]),
    ],
    "reservations": [(ADMINISTRATOR, [
        Shot(A + "reservations/"), Shot(A + "reservations/?state=changing", FIRST),
        Shot(A + "reservations/?state=changing", FIRST, ("main .page-acts .btn-primary",)), Shot(A + "reservations/new/"),
        Shot(A + "reservations/?state=installed", FIRST, ("main .page-acts .btn-primary",)),
        Shot(A + "reservations/?state=prepared", FIRST, ("main .page-acts .btn-primary",)),
    ])],
    "devices": [(ADMINISTRATOR, [
        Shot(A + "devices/"), Shot(A + "devices/", FIRST), Shot(A + "devices/new/"), Shot(A + "devices/import/"),
        Shot(A + "devices/", FIRST, ("main .page-acts .btn-primary",)), Shot(A + "devices/?q=dc1-leaf", FIRST), Shot(A + "tokens/"),
        Shot(A + "tokens/", FIRST), Shot(A + "tokens/new/"), Shot(A + "replacements/"), Shot(A + "replacements/", FIRST),
        Shot(A + "device-imports/"),
    ])],
    "people-virtual-accounts": [(ADMINISTRATOR, [
        Shot(A + "people/"), Shot(A + "people/", FIRST), Shot(A + "people/invite/"), Shot(A + "partners/"),
        Shot(A + "access-requests/"), Shot(A + "virtual-accounts/"), Shot(A + "virtual-accounts/", FIRST), Shot(A + "virtual-accounts/import/"),
    ])],
    "orders-partner": [
        (ADMINISTRATOR, [
            Shot(A + "orders/"), Shot(A + "orders/", FIRST), Shot(A + "orders/unassigned/"), Shot(A + "orders/card/"),
        ]),
        (PARTNER, [Shot("/partner/@/"), Shot("/partner/@/orders/"), Shot("/partner/@/record/"), Shot("/partner/@/import/")]),
    ],
    "alerts-events-settings": [(ADMINISTRATOR, [
        Shot(A + "alerts/"), Shot(A + "events/"), Shot(A + "events/", FIRST), Shot(A + "settings/"), Shot(A + "notifications/"),
        Shot(A + "api-clients/"), Shot(A + "agreements/"), Shot("/me/"), Shot("/me/access/"),
    ])],
    "operator": [(OPERATOR, [
        Shot("/operator/"), Shot("/operator/openings/", FIRST), Shot("/operator/accounts/"), Shot("/operator/accounts/example.co.jp/"),
        Shot("/operator/orders/"), Shot("/operator/catalog/"), Shot("/operator/agreements/"), Shot("/operator/guides/"), Shot("/operator/status/"),
    ])],
}  # fmt: skip
LANGUAGES = ("ja", "en")


@dataclass
class Studio:
    """A demonstration and the people in it."""

    chromium: Browser
    url: str
    password: str
    cookies: dict[str, list[Any]] = field(default_factory=dict)

    def page(self, who: str, language: str, *, phone: bool = False, dark: bool = False) -> Page:
        context = person(self.chromium, language, phone=phone, dark=dark)  # type: ignore[arg-type]
        context.set_default_timeout(60_000)
        if who:
            context.add_cookies(self.logged_in(who))
        page = context.new_page()
        page.goto(self.url + "/help/glossary/")
        with page.expect_navigation():
            page.locator(f"form.language button[lang={language}]").first.evaluate("it => it.click()")
        return page

    def logged_in(self, who: str) -> list[Any]:
        if who not in self.cookies:
            context = person(self.chromium, "ja")
            context.set_default_timeout(60_000)
            page = context.new_page()
            page.goto(self.url + "/account/login/")
            page.fill("[name=login]", who)
            page.fill("[name=password]", self.password)
            page.click("main form button[type=submit]")
            page.wait_for_load_state("load")
            if "2fa" in page.url:
                other = context.new_page()
                other.goto(self.url + "/demo/mails/")
                code = other.locator("main").inner_text()
                digits = next(word for word in code.split() if word.isdigit() and len(word) == 6)
                page.fill("[name=code]", digits)
                page.click("main form button[type=submit]")
                page.wait_for_load_state("load")
            self.cookies[who] = context.cookies()
            context.close()
        return self.cookies[who]

    def wizard(self, page: Page, step: str) -> None:
        """A step of the newcomer's opening, which is filled in as far as the check once."""
        page.goto(self.url + "/opening/")
        if not page.locator(FIRST).count():
            page.goto(self.url + "/opening/find/")
            for fill, value in (
                ("", ""), ("", ""), ("[name=is_representative][value=yes]", ""),
                ("[name=account_name]", "さくら保守サービス株式会社"), ("[name=postal_code]", "060-0002"),
            ):  # fmt: skip
                if value:
                    page.fill(fill, value)
                elif fill:
                    page.check(fill)
                if fill == "[name=postal_code]":
                    page.keyboard.press("Tab")
                    page.locator("#id_city[value]:not([value=''])").wait_for()
                    page.fill("[name=street]", "北2条西1-1")
                with page.expect_navigation():
                    page.locator("main .btn-primary").first.click()
            page.goto(self.url + "/opening/")
        uid = (page.locator(FIRST).first.get_attribute("href") or "").rstrip("/").split("/")[-1]
        page.goto(f"{self.url}/opening/{uid}/{step}/")

    def open(self, page: Page, shot: Shot) -> None:
        if shot.path.startswith("wizard:"):
            self.wizard(page, shot.path.removeprefix("wizard:"))
        elif "@" in shot.path:
            page.goto(self.url + "/")
            company = page.url.rstrip("/").split("/")[-1] if "/partner/" in page.url else ""
            if not company:
                href = page.locator("a[href*='/partner/']").first.get_attribute("href") or ""
                company = href.split("/partner/")[1].split("/")[0]
            page.goto(self.url + shot.path.replace("@", company))
        else:
            page.goto(self.url + shot.path)
        if shot.link:
            with page.expect_navigation():
                page.locator(shot.link).first.evaluate("it => it.click()")
        for selector in shot.press:
            self.act(page, selector)
        page.wait_for_timeout(150)

    def act(self, page: Page, selector: str) -> None:
        if selector.startswith("="):
            found = page.locator(selector[1:]).first
            if found.evaluate("it => it.tagName") == "SELECT":
                found.evaluate("it => { if (!it.value) it.selectedIndex = 1 }")
            elif not found.input_value():
                found.fill("1")
            return
        page.locator(selector).locator("visible=true").first.click()
        page.wait_for_load_state("load")


def picture(page: Page) -> Image.Image:
    """The whole page, in a window as tall as it is, so that what sticks to the window is where it belongs."""
    size = page.viewport_size or {"width": 1280, "height": 900}
    tall = page.evaluate("document.documentElement.scrollHeight")
    page.set_viewport_size({"width": size["width"], "height": min(max(tall, size["height"]), 3000)})
    try:
        return shoot(page)
    finally:
        page.set_viewport_size(size)


def shoot(page: Page) -> Image.Image:
    return Image.open(io.BytesIO(page.screenshot(full_page=True))).convert("RGB")


def take(studio: Studio, area: str, language: str, keep: Path | None) -> list[tuple[str, Image.Image]]:
    """All pictures of an area: (kind, picture)."""
    found: list[tuple[str, Image.Image]] = []
    for kind, most, options in (("desk", 99, {}), ("phone", 3, {"phone": True}), ("dark", 1, {"dark": True})):
        number = 0
        for who, shots in AREAS[area]:
            if number >= most and not keep:
                break
            page = studio.page(who, language, **options)
            for shot in shots if keep else shots[: most - number]:
                number += 1
                studio.open(page, shot)
                one = picture(page)
                if keep is not None:
                    one.save(keep / f"{area}.{language}.{kind}.{number}.png")
                if number <= most:
                    found.append((kind, one))
            page.context.close()
    return found


def sheet(pictures: list[tuple[str, Image.Image]]) -> Image.Image:
    """Three columns of desks, then a row of phones with the dark desk."""
    wide, gap, tall = 620, 16, 560
    desks = [scaled(one, wide, tall) for kind, one in pictures if kind == "desk"]
    last = [scaled(one, 240, tall) for kind, one in pictures if kind == "phone"]
    last += [scaled(one, wide, tall) for kind, one in pictures if kind == "dark"]
    rows = [desks[at : at + 3] for at in range(0, len(desks), 3)] + [last]
    height = sum(max(one.height for one in row) + gap for row in rows if row) + gap
    made = Image.new("RGB", (3 * wide + 4 * gap, height), "#d5d9de")
    top = gap
    for row in rows:
        left = gap
        for one in row:
            made.paste(one, (left, top))
            left += one.width + gap
        top += max((one.height for one in row), default=0) + gap
    return made


def scaled(one: Image.Image, wide: int, tall: int) -> Image.Image:
    small = one.resize((wide, round(one.height * wide / one.width)), Image.Resampling.LANCZOS)
    return small.crop((0, 0, wide, min(tall, small.height)))


def save(made: Image.Image, path: Path, most: int = MOST_BYTES) -> None:
    """As webp, as good as fits."""
    for quality in (82, 70, 58, 46, 34):
        made.save(path, "WEBP", quality=quality, method=6)
        if path.stat().st_size <= most:
            return
    raise SystemExit(f"{path.name} does not fit into {most} bytes")


@contextlib.contextmanager
def demonstration() -> Iterator[tuple[str, str]]:
    """A fresh demonstration with its worker; its address and password."""
    with tempfile.TemporaryDirectory() as directory:
        port = free_port()
        settings = {
            "DAICHO_DEMO": "1", "DAICHO_LOG_LEVEL": "ERROR", "DAICHO_OPERATOR_NAME": "Kumo Networks",
            "DAICHO_SUPPORT_MAIL": "support@kumo.example", "DAICHO_SUPPORT_PHONE": "03-0000-0000",
        }  # fmt: skip
        given = environment(Path(directory), port, **settings)
        for command in (["migrate"], ["load-demo"], ["worker", "--once"]):
            console(*command, environment=given)
        password = json.loads((Path(directory) / "log-ins.json").read_text())[0]["password"]
        with running("serve", "--port", str(port), environment=given), running("worker", environment=given):
            url = f"http://localhost:{port}"
            wait_for(f"{url}/healthz")
            yield url, password


def main() -> int:
    parser = argparse.ArgumentParser(prog="bin/screens", description=__doc__)
    parser.add_argument("areas", nargs="*", help=", ".join(AREAS))
    parser.add_argument("--language", choices=LANGUAGES)
    parser.add_argument("--pages", type=Path, help="keep each page here as well")
    parser.add_argument("--at", help="address of a running demonstration")
    parser.add_argument("--log-ins", type=Path, help="its log-ins.json")
    asked = parser.parse_args()
    if asked.pages:
        asked.pages.mkdir(parents=True, exist_ok=True)
    OUT.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        if asked.at:
            url, password = asked.at, json.loads(asked.log_ins.read_text())[0]["password"]
            wait_for(f"{url}/healthz")
        else:
            url, password = stack.enter_context(demonstration())
        studio = Studio(stack.enter_context(browser()), url, password)
        for area in asked.areas or AREAS:
            for language in [asked.language] if asked.language else LANGUAGES:
                pictures = take(studio, area, language, asked.pages)
                save(sheet(pictures), OUT / f"{area}.{language}.webp")
                print(f"{area}.{language}.webp: {len(pictures)} pictures", flush=True)
                if area == "home-licenses" and language == "ja":
                    save(pictures[0][1].crop((0, 0, 1280, 900)), OUT / "home.ja.webp", 250_000)
    return 0


if __name__ == "__main__":
    sys.exit(main())
