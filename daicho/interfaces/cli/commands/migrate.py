"""`daicho migrate`: brings database and static files to the state of this version."""

from __future__ import annotations

import argparse

from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils.translation import gettext as _

from daicho.interfaces.cli.output import Subparsers, add_json, answer
from daicho.interfaces.cli.settings_check import settings_are_sound


def register(subparsers: Subparsers) -> None:
    parser = subparsers.add_parser("migrate", help=_("bring the database and the static files up to date"))
    parser.add_argument("--check", action="store_true", help=_("only say what would be done; exit code 1 if anything"))
    parser.add_argument("--no-static", action="store_true", help=_("leave the static files alone"))
    add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    if not settings_are_sound():
        return 3
    pending = pending_migrations()
    if arguments.check:
        answer(arguments, {"pending": pending}, "\n".join(pending) or _("The database is up to date."))
        return 1 if pending else 0
    if pending:
        call_command("migrate", interactive=False, verbosity=0)
    call_command("createcachetable", verbosity=0)
    if not arguments.no_static:
        call_command("collectstatic", interactive=False, verbosity=0)
    text = (
        _("Migrations applied: %(count)d.") % {"count": len(pending)} if pending else _("The database is up to date.")
    )
    return answer(arguments, {"applied": pending}, text)


def pending_migrations() -> list[str]:
    """Names of the migrations that the database has not seen, as `room.0001_name`."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _backwards in plan]
