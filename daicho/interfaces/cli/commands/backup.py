"""`daicho backup FILE`, `daicho restore FILE`: the whole database in one file, and back."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from daicho.interfaces.cli.output import Subparsers, add_json, answer
from daicho.interfaces.cli.progress import Bar
from daicho.interfaces.cli.settings_check import settings_are_sound


def register(subparsers: Subparsers) -> None:
    write = subparsers.add_parser(
        "backup", help=_("write the whole database into a new file; others may go on working")
    )
    write.add_argument("file", type=Path)
    add_json(write)
    write.set_defaults(run=backup)
    back = subparsers.add_parser("restore", help=_("fill the database from a backup, and check what is there then"))
    back.add_argument("file", type=Path)
    back.add_argument("--replace", action="store_true", help=_("lose what the database holds now"))
    add_json(back)
    back.set_defaults(run=restore)


def backup(arguments: argparse.Namespace) -> int:
    from daicho.core.backup import write_backup

    if not settings_are_sound():
        return 3
    with Bar(_("Backup")) as bar:
        manifest = write_backup(arguments.file, bar.tell)
    size = arguments.file.stat().st_size
    rows = sum(manifest.rows.values())
    text = _("%(rows)s rows of %(tables)d tables, %(size)s MB, in %(file)s. Keep DAICHO_SECRET_KEY with it.")
    return answer(
        arguments,
        {"file": str(arguments.file), "bytes": size, "made_at": manifest.made_at, "rows": manifest.rows},
        text % {"rows": f"{rows:,}", "tables": len(manifest.rows), "size": f"{size / 1e6:,.1f}",
                "file": arguments.file},
    )  # fmt: skip


def restore(arguments: argparse.Namespace) -> int:
    """Exit code 1 when what was restored is not sound: that was so before the backup."""
    from daicho.core.backup import restore_backup
    from daicho.core.backup.manifest import secret_mark
    from daicho.domain.audit.seal import verify
    from daicho.domain.ledger.check import check_ledger

    if not settings_are_sound():
        return 3
    with Bar(_("Restore")) as bar:
        manifest = restore_backup(arguments.file, bar.tell, replace=arguments.replace)
    findings, wrong = check_ledger(), verify()
    same_key = manifest.secret == secret_mark()
    found: dict[str, Any] = {
        "ok": not findings and wrong is None, "made_at": manifest.made_at, "version": manifest.daicho,
        "rows": manifest.rows, "ledger": [str(one) for one in findings], "first_wrong": str(wrong) if wrong else None,
        "same_secret_key": same_key,
    }  # fmt: skip
    lines = [
        _("Restored the state of %(at)s: %(rows)s rows.")
        % {"at": manifest.made_at, "rows": f"{sum(manifest.rows.values()):,}"},
        *(found["ledger"] or [_("The ledger is sound.")]),
        str(wrong) if wrong else _("Every sealed event is unchanged."),
    ]
    if not same_key:
        lines.append(_("DAICHO_SECRET_KEY is another one than at the backup: everybody has to log in anew."))
    answer(arguments, found, "\n".join(lines))
    return 0 if found["ok"] else 1
