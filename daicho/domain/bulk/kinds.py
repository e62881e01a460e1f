"""Kinds of jobs: public codes, added, never renamed, each with its name in words (placeholders: `Job.title`)."""

from __future__ import annotations

from typing import Final

from django.utils.functional import Promise

KINDS: Final[dict[str, str | Promise]] = {}
