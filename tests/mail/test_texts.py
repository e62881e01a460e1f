"""Every mail text keeps the rules of design.md §8, in both languages (docs/mail.md)."""

from __future__ import annotations

import re

import pytest
from django.template import Template

from daicho.interfaces.mail import words
from daicho.interfaces.mail.render import LANGUAGES, TEMPLATES, engine

NAMES = sorted({path.name.rsplit(".", 2)[0] for path in TEMPLATES.glob("[!_]*.txt")})
TEXTS = [(name, language) for name in NAMES for language in LANGUAGES]
PREFIXES = {
    "ja": re.compile(r"^(【再送】)?(【要対応】|【期限】|【お知らせ】)"),
    "en": re.compile(r"^(Reminder: )?(Action needed|Ending|Notice): "),
}
TAGS = re.compile(r"{%.*?%}|{{.*?}}")
LINK = re.compile(r"^(\{% if [^%]*%\})?\{\{ ?(site_url|link) ?\}\}\S*( ?\}\})?.*$")
FORBIDDEN = {
    "ja": "仮想アカウント スマアカ アクティベート 拒否 ロール デバイス 警告 監査ログ ご確認いただけますよう させていただき "
    "することができます 不正 違反 無効な ！ ① 【重要】 こちら もうすぐ 残高".split(),
    "en": ["!", "invalid", "please be advised", "click here", "kindly", "unfortunately"],
}


def source(name: str, language: str) -> str:
    return (TEMPLATES / f"{name}.{language}.txt").read_text()


@pytest.mark.parametrize("name", NAMES)
def test_a_text_exists_in_both_languages(name: str) -> None:
    for language in LANGUAGES:
        assert (TEMPLATES / f"{name}.{language}.txt").exists()


@pytest.mark.parametrize(("name", "language"), TEXTS)
def test_a_text_is_a_sound_template(name: str, language: str) -> None:
    assert isinstance(engine().get_template(f"{name}.{language}.txt"), Template)


@pytest.mark.parametrize(("name", "language"), TEXTS)
def test_the_subject_names_the_act_first_and_is_short(name: str, language: str) -> None:
    head, blank, _ = source(name, language).partition("\n\n")
    assert blank, "an empty line follows the subject"
    assert "\n" not in head, "the subject is one line"
    assert head.startswith("Subject: ")
    subject = head.removeprefix("Subject: ")
    for variant in variants(subject):
        assert PREFIXES[language].search(variant), f"{variant!r} begins with none of the agreed words"
        assert words.width(TAGS.sub("", variant)) <= 80, f"{variant!r} is longer than 40 full-width characters"


def variants(subject: str) -> list[str]:
    """What the branches of an if in a subject give, each without the others."""
    found = re.match(r"^(.*?){% (?:if|blocktranslate).*?%}(.*){% endif %}(.*)$", subject)
    if not found:
        return [subject]
    branches = re.split(r"{% (?:else|elif [^%]*) ?%}", found[2])
    return [f"{found[1]}{branch}{found[3]}" for branch in branches]


@pytest.mark.parametrize(("name", "language"), TEXTS)
def test_one_link_stands_on_a_line_of_its_own(name: str, language: str) -> None:
    body = source(name, language).partition("\n\n")[2]
    links = [line for line in body.splitlines() if LINK.match(line)]
    assert len(links) == 1 or (len(links) == 2 and "{% else %}" in body), f"{len(links)} links: {links}"


@pytest.mark.parametrize(("name", "language"), TEXTS)
def test_the_desk_is_named_by_the_shared_footer_only(name: str, language: str) -> None:
    assert "desk" not in re.findall(r"{{ ?(\w+)", source(name, language))


@pytest.mark.parametrize(("name", "language"), TEXTS)
def test_no_word_is_used_that_we_do_not_use(name: str, language: str) -> None:
    text = TAGS.sub("", source(name, language)).lower()
    assert [word for word in FORBIDDEN[language] if word in text] == []


@pytest.mark.parametrize(("name", "language"), TEXTS)
def test_japanese_texts_write_full_width_signs(name: str, language: str) -> None:
    if language == "en":
        assert not re.search(r"[\u3000-\u9fff]", source(name, language))
        return
    text = TAGS.sub("X", source(name, language))
    assert not re.search(r"[\uff61-\uff9f]", text), "half-width kana"
    assert not re.search(r"[ぁ-んァ-ヶ一-龠][!?:;]", text), "a half-width sign after a Japanese letter"
