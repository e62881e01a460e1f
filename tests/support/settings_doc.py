"""Writes the table of settings into docs/operations.md from `daicho.config.env`, so that it stands once."""

from __future__ import annotations

import sys
from pathlib import Path

from daicho.config.env import CODES, SETTINGS

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "operations.md"
BEGIN, END = "<!-- settings: begin -->", "<!-- settings: end -->"


def table() -> str:
    rows = ["| setting | default | what it does | check |", "|---|---|---|---|"]
    for setting in SETTINGS:
        default = f"`{setting.default}`" if setting.default else "–"
        rows.append(f"| `{setting.name}` | {default} | {setting.purpose} | daicho.{CODES[setting.name]} |")
    return "\n".join(rows)


def main(arguments: list[str]) -> int:
    current = DOCUMENT.read_text()
    before, _, rest = current.partition(BEGIN)
    after = rest.partition(END)[2]
    wanted = f"{before}{BEGIN}\n{table()}\n{END}{after}"
    if "--check" in arguments:
        if wanted != current:
            print("docs/operations.md is not up to date: python -m tests.support.settings_doc", file=sys.stderr)
            return 1
        return 0
    DOCUMENT.write_text(wanted)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
