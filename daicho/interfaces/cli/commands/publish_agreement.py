"""`daicho publish-agreement --ja FILE --en FILE`: a version of the account agreement."""

from __future__ import annotations

import argparse
import datetime as dt
from pathlib import Path

from django.utils.translation import gettext as _

from daicho.interfaces.cli.actor import console_actor
from daicho.interfaces.cli.output import Subparsers, add_json, answer, failed


def register(subparsers: Subparsers) -> None:
    parser = subparsers.add_parser(
        "publish-agreement", help=_("publish a version of the account agreement from two text files")
    )
    parser.add_argument(
        "--ja", type=Path, required=True, help=_("the Japanese text (UTF-8; its first line is the title)")
    )
    parser.add_argument(
        "--en", type=Path, required=True, help=_("the English text (UTF-8; its first line is the title)")
    )
    parser.add_argument(
        "--from",
        dest="effective_at",
        type=dt.datetime.fromisoformat,
        help=_("the instant from which it is in force (ISO 8601); at once without it"),
    )
    add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    from daicho.core.clock import now
    from daicho.domain.accounts.commands.agreements import publish_agreement

    texts: dict[str, str] = {}
    for language in ("ja", "en"):
        path: Path = getattr(arguments, language)
        try:
            title, _newline, text = path.read_text("utf-8").strip().partition("\n")
        except (OSError, UnicodeDecodeError) as error:
            return failed(arguments, "file_unreadable", f"{path}: {error}", 1)
        texts |= {f"title_{language}": title.lstrip("# ").strip(), f"text_{language}": text}
    effective_at = arguments.effective_at or now()
    if effective_at.tzinfo is None:
        effective_at = effective_at.astimezone()
    made = publish_agreement(console_actor(), effective_at=effective_at, **texts)
    data = {"uid": made.uid, "version": made.version, "effective_at": made.effective_at.isoformat()}
    told = _("Version %(version)s is in force from %(day)s.") % {
        "version": made.version, "day": made.effective_at.isoformat(timespec="minutes"),
    }  # fmt: skip
    return answer(arguments, data, told)
