"""The agent's sentences: English in the code, Japanese where the environment asks for it (LC_ALL, LC_MESSAGES, LANG)."""

from __future__ import annotations

import os
from typing import Any

from daicho_agent.japanese import JAPANESE


def say(text: str, /, **data: Any) -> str:
    """The sentence in the language of the environment, with its values filled in."""
    if speaks_japanese():
        text = JAPANESE.get(text, text)
    return text.format(**data) if data else text


def speaks_japanese() -> bool:
    """Whether messages are wanted in Japanese; as for any console program the first variable that is set decides."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        value = os.environ.get(name)
        if value:
            return value.startswith("ja")
    return False
