"""One text, two papers: a small part of Markdown becomes HTML for a page and a typst document for a PDF.

Headings (#, ##, ###), paragraphs, lists (-, 1.), > notes, `code`, **words**, [links](address). Nothing else is markup, so
that a text entered by an operator cannot carry any: everything is escaped on both ways.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import noto_cjk_sans_jp_regular
import typst
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

HEADING = re.compile(r"(#{1,3}) +(.+)")
BULLET = re.compile(r"[-・] +(.+)")
NUMBER = re.compile(r"\d{1,3}[.．] +(.+)")
NOTE = re.compile(r"(?:>|※) *(.+)")
INLINE = re.compile(r"\*\*(?P<strong>[^*]+)\*\*|`(?P<code>[^`]+)`|\[(?P<label>[^\]]+)\]\((?P<url>[^)\s]+)\)")
SAFE_URL = re.compile(r"(?:https?://|mailto:|tel:|/(?!/))", re.IGNORECASE)


@dataclass(frozen=True)
class Block:
    """A heading (`level` 1–3), paragraph, note or list of the text; `lines` are its items or its one text."""

    kind: str
    lines: tuple[str, ...]
    level: int = 0


def parse(text: str) -> list[Block]:
    """The blocks of a text; lines of a paragraph that follow each other are one, empty lines part."""
    blocks: list[Block] = []
    open_kind = ""
    for raw in text.replace("\r\n", "\n").split("\n"):
        line = raw.strip()
        if not line:
            open_kind = ""
            continue
        kind, content, level = _kind(line)
        if kind in ("ul", "ol") and open_kind == kind:
            blocks[-1] = Block(kind, (*blocks[-1].lines, content))
        elif kind == "p" and open_kind in ("p", "ul", "ol", "note"):
            last = blocks[-1]
            joined = last.lines[-1] + _between(last.lines[-1], content) + content
            blocks[-1] = Block(last.kind, (*last.lines[:-1], joined))
        else:
            blocks.append(Block(kind, (content,), level))
            open_kind = kind
    return blocks


def _kind(line: str) -> tuple[str, str, int]:
    if found := HEADING.fullmatch(line):
        return "h", found[2], len(found[1])
    for kind, pattern in (("ul", BULLET), ("ol", NUMBER), ("note", NOTE)):
        if found := pattern.fullmatch(line):
            return kind, found[1], 0
    return "p", line, 0


def _between(before: str, after: str) -> str:
    """A space between words, none between Japanese lines."""
    return " " if before[-1].isascii() and after[0].isascii() else ""


def html(text: str, *, first_heading: int = 2) -> SafeString:
    """The text for a page. `first_heading` is the rank that # becomes (the page's own title is h1)."""
    parts = []
    for block in parse(text):
        items = [_html_line(line) for line in block.lines]
        if block.kind == "h":
            rank = min(block.level - 1 + first_heading, 6)
            parts.append(f"<h{rank}>{items[0]}</h{rank}>")
        elif block.kind in ("ul", "ol"):
            parts.append(f"<{block.kind}>" + "".join(f"<li>{item}</li>" for item in items) + f"</{block.kind}>")
        elif block.kind == "note":
            parts.append(f'<p class="muted">{items[0]}</p>')
        else:
            parts.append(f"<p>{items[0]}</p>")
    return mark_safe("\n".join(parts))  # noqa: S308  every piece was escaped


def _pieces(line: str) -> list[tuple[str, str, str]]:
    """(kind, text, url) of the parts of a line; a link with a strange scheme is plain text."""
    found: list[tuple[str, str, str]] = []
    last = 0
    for match in INLINE.finditer(line):
        found.append(("text", line[last : match.start()], ""))
        if match["strong"]:
            found.append(("strong", match["strong"], ""))
        elif match["code"]:
            found.append(("code", match["code"], ""))
        elif SAFE_URL.match(match["url"]):
            found.append(("link", match["label"], match["url"]))
        else:
            found.append(("text", match[0], ""))
        last = match.end()
    return [piece for piece in [*found, ("text", line[last:], "")] if piece[1]]


def _html_line(line: str) -> str:
    parts = []
    for kind, text, url in _pieces(line):
        shown = escape(text)
        if kind == "link":
            parts.append(f'<a href="{escape(url)}">{shown}</a>')
        else:
            parts.append(
                {"strong": f"<strong>{shown}</strong>", "code": f'<span class="code">{shown}</span>'}.get(kind, shown)
            )
    return "".join(parts)


def pdf(title: str, text: str, *, language: str, facts: list[tuple[str, str]] | None = None, foot: str = "") -> bytes:
    """The text as PDF on A4 with page numbers; `facts` stand under the title, `foot` at the end of every page."""
    font = Path(noto_cjk_sans_jp_regular.FONT_PATH)
    lines = [
        f"#set document(title: {_quoted(title)}, date: none)",
        f'#set text(font: "Noto Sans CJK JP", lang: {_quoted(language)}, size: 10pt)',
        "#set par(leading: 0.9em, spacing: 1.2em)",
        "#show link: set text(fill: rgb(0, 85, 173))",
        "#show heading: set text(fill: rgb(0, 66, 140))",
        "#show heading: set block(above: 1.6em, below: 0.9em)",
        f"#set page(paper: \"a4\", margin: (x: 22mm, y: 20mm), footer: context [#set text(size: 8pt)\n#{_quoted(foot)} #h(1fr) "
        "#counter(page).display() / #counter(page).final().first()])",
        f"#text(size: 17pt, fill: rgb(0, 66, 140))[#{_quoted(title)}]",
    ]  # fmt: skip
    if facts:
        cells = ", ".join(f"[#{_quoted(label)}], [#{_quoted(value)}]" for label, value in facts)
        lines.append(f"#table(columns: (auto, 1fr), stroke: 0.4pt + rgb(217, 220, 225), inset: 5pt, {cells})")
    lines += [_typst_block(block) for block in parse(text)]
    made = typst.compile("\n".join(lines).encode(), font_paths=[str(font.parent)], ignore_system_fonts=True)  # type: ignore[misc]  # its stub cannot tell bytes from a path
    return bytes(made)


def _typst_block(block: Block) -> str:
    items = [_typst_line(line) for line in block.lines]
    if block.kind == "h":
        return f"#heading(level: {block.level})[{items[0]}]"
    if block.kind in ("ul", "ol"):
        name = "list" if block.kind == "ul" else "enum"
        return f"#{name}(" + ", ".join(f"[{item}]" for item in items) + ")"
    if block.kind == "note":
        return f"#text(size: 9pt, fill: rgb(77, 77, 77))[{items[0]}]\n#parbreak()"
    return f"#par[{items[0]}]"


def _typst_line(line: str) -> str:
    parts = []
    for kind, text, url in _pieces(line):
        shown = f"#{_quoted(text)}"
        if kind == "link":
            parts.append(f"#link({_quoted(url)})[{shown}]")
        elif kind == "strong":
            parts.append(f"#underline[{shown}]")
        else:
            parts.append(shown)
    return "".join(parts)


def _quoted(text: str) -> str:
    """A typst string: nothing in it is markup."""
    clean = "".join(sign if sign.isprintable() else " " for sign in text)
    return '"' + clean.replace("\\", "\\\\").replace('"', '\\"') + '"'
