"""Whatever the domain posts has a text, and every text gets the values it names."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import daicho
from daicho.domain.alerts.kinds import KINDS
from daicho.interfaces.mail.render import LANGUAGES, TEMPLATES

DOMAIN = Path(daicho.__file__).parent / "domain"
ALWAYS = {"site_url", "operator", "sender", "name", "email", "salutation", "desk", "forloop", "True", "False", "None"}
OWN = {"to", "to_name", "language", "time_zone", "once"}
WORDS = {"if", "elif", "else", "endif", "for", "endfor", "in", "not", "and", "or", "with", "endwith", "as", "columns"}


def posts() -> dict[str, set[str] | None]:
    """Templates posted by name, with the values all their calls give; None where a call passes a prepared mapping."""
    found: dict[str, set[str] | None] = {}
    for path in DOMAIN.rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text())):
            if not isinstance(call, ast.Call) or getattr(call.func, "id", "") != "post_mail" or not call.args:
                continue
            name = call.args[0]
            if isinstance(name, ast.Constant):
                names = {keyword.arg for keyword in call.keywords}
                given = None if None in names else {str(one) for one in names} - OWN
                before = found.get(name.value, given)
                found[name.value] = None if before is None or given is None else before & given
    return found


def values(text: str) -> set[str]:
    """The names a text takes from its context: what stands first in {{ }}, and in tags; not what a loop names."""
    text = re.sub(r'"[^"]*"', "", text)
    loops = set(re.findall(r"{% for (\w+) in", text))
    names = set(re.findall(r"{{ ?(\w+)", text))
    for tag in re.findall(r"{% (.*?) %}", text):
        names |= {word for word in re.findall(r"(?<![\w.|:])([A-Za-z_]\w*)", tag) if word not in WORDS}
    return names - loops - ALWAYS - {"count", "plural", "blocktranslate"} | ({"count"} & names - loops)


@pytest.mark.parametrize("name", sorted({*posts(), *(f"alert_{kind.code}" for kind in KINDS.values() if kind.tell)}))
def test_what_is_posted_has_a_text_in_both_languages(name: str) -> None:
    for language in LANGUAGES:
        assert (TEMPLATES / f"{name}.{language}.txt").exists()


@pytest.mark.parametrize(
    ("name", "given"), [(name, given) for name, given in sorted(posts().items()) if given is not None]
)
def test_every_text_gets_the_values_it_names(name: str, given: set[str]) -> None:
    for language in LANGUAGES:
        path = TEMPLATES / f"{name}.{language}.txt"
        if path.exists():
            assert values(path.read_text()) - given == set(), path.name
