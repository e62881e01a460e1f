"""docs/glossary.md is the law for words: what its last column bans stands in no Japanese text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GLOSSARY = ROOT / "docs/glossary.md"
# A banned word inside a longer, other word.
ALLOWED = re.compile(r"振替休日|拒否設定|受信拒否")


def rows() -> list[list[str]]:
    lines = [line for line in GLOSSARY.read_text().splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if not line.startswith("| English")]


def banned() -> list[str]:
    return [word.strip() for row in rows() for word in row[3].split(",") if re.search(r"[ぁ-ヿ一-鿿]", word)]


def japanese_texts() -> Iterator[tuple[str, str]]:
    for part in sorted((ROOT / "daicho/locale").rglob("*.po")):
        for number, line in enumerate(part.read_text().splitlines(), 1):
            if not line.startswith(("#", "msgid")):
                yield f"{part.relative_to(ROOT)}:{number}", line
    for pattern in (
        "interfaces/mail/templates/*.ja.txt",
        "interfaces/portal/texts/help/ja/*",
        "interfaces/portal/texts/*.ja.md",
    ):
        for file in sorted((ROOT / "daicho").glob(pattern)):
            for number, line in enumerate(file.read_text().splitlines(), 1):
                yield f"{file.relative_to(ROOT)}:{number}", line


def test_every_row_has_an_english_and_a_japanese_word() -> None:
    assert len(rows()) > 80
    for row in rows():
        assert len(row) == 4
        assert row[0]
        assert row[1]


def test_an_english_word_has_one_row() -> None:
    words = [row[0] for row in rows()]
    assert len(words) == len(set(words))


@pytest.mark.parametrize("word", banned())
def test_no_japanese_text_uses_a_banned_word(word: str) -> None:
    found = [f"{where}: {text}" for where, text in japanese_texts() if word in ALLOWED.sub("", text)]
    assert not found, f"「{word}」 is banned by docs/glossary.md:\n" + "\n".join(found)


def test_japanese_texts_are_typed_as_the_product_types() -> None:
    kana_or_kanji = "ぁ-んァ-ヶー一-鿿"
    odd = {
        "a space typed before Latin": rf"[{kana_or_kanji}、。（）「」] [A-Za-z0-9]",
        "a space typed after Latin": rf"[A-Za-z0-9)}}] [{kana_or_kanji}]",
        "half-width kana": r"[\uff61-\uff9f]",
        "a full-width letter or digit": r"[０-９Ａ-Ｚａ-ｚ]",
        "a half-width sign after Japanese": rf"[{kana_or_kanji}][:;?!,(]",
        "an exclamation mark": "！",
        "politeness twice over": "させていただ|いただけますよう|ございます|することができ",
        "kanji where kana are usual": "下さい|出来|全て|既に|予め|及び|又は|誰|わかり",
    }
    apart = re.compile(r"`[^`]*`|}} 様")  # code, and the title after a name
    found = [
        f"{where}: {what}: {text}"
        for where, text in japanese_texts()
        for what, pattern in odd.items()
        if re.search(pattern, apart.sub("", text))
    ]
    assert not found, "\n".join(found)


def test_license_is_spelled_one_way() -> None:
    wrong = []
    for path in [
        *ROOT.glob("daicho/**/*.py"),
        *ROOT.glob("daicho/**/*.html"),
        *ROOT.glob("docs/**/*.md"),
        ROOT / "README.md",
    ]:
        if path == GLOSSARY or "/static/vendor/" in str(path):
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if re.search(r"\blicences?\b|\blicenced\b", line, re.IGNORECASE):
                wrong.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()}")
    assert not wrong, "\n".join(wrong)
