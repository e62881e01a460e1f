"""What no template and no style may do: break the policy, use the kit's pale colours, grow without limit."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

PORTAL = Path(__file__).resolve().parents[2] / "daicho" / "interfaces" / "portal"
TEMPLATES = sorted((PORTAL / "templates").rglob("*.html"))
STYLE = (PORTAL / "static" / "daicho.css").read_text()

BANNED = {
    "an inline style (use a class, <progress>, or an SVG width)": (re.compile(r"\sstyle\s*="), '<p style="color:red">'),
    "an htmx handler (compiled code)": (re.compile(r"\shx-on"), '<a hx-on:click="x()">'),
    "a js: value (compiled code)": (re.compile(r"""["'\s](js|javascript):"""), """<a hx-vals='js:{a: 1}'>"""),
    "a trigger filter (compiled code)": (re.compile(r"hx-trigger=\"[^\"]*(?<!input)\["), '<a hx-trigger="click[x]">'),
    "an event attribute": (re.compile(r"<[^>]*\son[a-z]+\s*="), '<a onclick="x()">'),
    "an inline script": (re.compile(r"<script(?![^>]*\ssrc=)[^>]*>"), "<script>x()</script>"),
    "an inline style sheet": (re.compile(r"<style\b"), "<style>p{}</style>"),
    "a pale text colour": (re.compile(r"\btext-(success|warning|info|danger|muted|secondary)\b"), '<p class="text-success">'),
    "a pale background": (re.compile(r"""class="[^"]*\bbg-[a-z]+"""), '<p class="badge bg-red">'),
    "a pale badge": (re.compile(r"""class="[^"]*\b[a-z]+-lt\b"""), '<p class="badge red-lt">'),
}  # fmt: skip


@pytest.mark.parametrize("rule", BANNED)
def test_each_rule_finds_its_own_bad_line(rule: str) -> None:
    pattern, bad = BANNED[rule]
    assert pattern.search(bad)
    assert not pattern.search('<p class="state state-short"><a href="/x" hx-get="/x" hx-trigger="change">x</a></p>')


@pytest.mark.parametrize("rule", BANNED)
def test_no_template_has(rule: str) -> None:
    pattern, _bad = BANNED[rule]
    found = [
        f"{path.relative_to(PORTAL)}:{number}: {line.strip()[:100]}"
        for path in TEMPLATES
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if pattern.search(line)
    ]
    assert not found, f"{rule}:\n" + "\n".join(found)


@pytest.mark.parametrize(
    ("name", "limit"), [("daicho.css", 20_000), ("portal.js", 8_000), ("vendor/icons.svg", 20_000)]
)
def test_what_every_page_loads_stays_small(name: str, limit: int) -> None:
    """Bytes as they travel: compressed."""
    assert len(gzip.compress((PORTAL / "static" / name).read_bytes(), 9)) <= limit


def test_a_class_of_ours_is_not_also_tablers_unless_we_restyle_it() -> None:
    restyled = {
        "btn",
        "form-control",
        "form-select",
        "form-check-input",
        "is-invalid",
        "h3",
        "small",
        "prose",
        "required",
        "empty-title",
    }
    names = re.compile(r"\.([a-zA-Z_][\w-]*)")
    theirs = set(names.findall((PORTAL / "static/vendor/tabler.min.css").read_text()))
    ours = set(names.findall(re.sub(r"/\*.*?\*/|@import[^;]*;", "", STYLE, flags=re.DOTALL)))
    shared = {name for name in ours & theirs if name not in restyled and not name.startswith("btn-")}
    assert not shared


def tokens(scheme: int) -> dict[str, str]:
    return {name: values[scheme] for name, *values in re.findall(r"--([\w-]+): light-dark\((#\w+), (#\w+)\)", STYLE)}


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


GROUNDS = ("page", "surface", "sunken")
STATES = ("in_compliance", "short", "ending", "ended", "reserved", "evaluation", "waiting", "neutral")


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_text_can_be_read_on_every_ground(scheme: int) -> None:
    """WCAG 2.2, 1.4.3 (4.5:1) and 1.4.11 (3:1 for the borders of controls, the focus ring and charts)."""
    colour = tokens(scheme)
    pairs = [
        (text, ground, 4.5)
        for text in ("text", "text-2", "text-3", "link", "link-hover")
        for ground in (*GROUNDS, "selected")
    ]
    pairs += [("on-fill", fill, 4.5) for fill in ("primary", "primary-hover", "danger", "danger-hover")]
    pairs += [(state, f"{state}-tint", 4.5) for state in STATES] + [(state, "surface", 4.5) for state in STATES]
    pairs += [(border, ground, 3) for border in ("control", "focus") for ground in GROUNDS]
    pairs += [(f"chart-{n}", "surface", 3) for n in range(1, 6)]
    weak = {
        f"{a} on {b}": round(contrast(colour[a], colour[b]), 1)
        for a, b, least in pairs
        if contrast(colour[a], colour[b]) < least
    }
    assert not weak
