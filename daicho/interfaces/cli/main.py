"""`daicho`: finds the commands, speaks the operator's language, turns refusals into exit codes.

Exit codes: 0 done · 1 refused, or something is wrong with what was checked · 2 wrong usage · 3 wrong settings.
"""

from __future__ import annotations

import argparse
import os
import pkgutil
import signal
import sys
from collections.abc import Sequence
from importlib import import_module

DONE, REFUSED, WRONG_USAGE, WRONG_SETTINGS = 0, 1, 2, 3


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "daicho.config.settings")
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `daicho … | head` ends quietly

    import django
    from django.core.exceptions import ImproperlyConfigured
    from django.db import Error, OperationalError
    from django.utils import translation

    django.setup()

    from daicho.core.errors import BusinessError
    from daicho.core.storage import storage_fault
    from daicho.interfaces.cli import output

    with translation.override(operators_language()):
        arguments = parser().parse_args(argv)
        try:
            return int(arguments.run(arguments) or DONE)
        except BusinessError as error:
            return output.refused(arguments, error)
        except Error as error:
            if (fault := storage_fault(error)) is not None and fault.data["reason"] != "unreachable":
                return output.refused(arguments, fault)
            if not isinstance(error, OperationalError):
                raise
            return output.failed(arguments, "database_unavailable", str(error).strip(), REFUSED)
        except ImproperlyConfigured as error:
            return output.failed(arguments, "wrong_settings", str(error), WRONG_SETTINGS)
        except KeyboardInterrupt:
            return 128 + signal.SIGINT


def operators_language() -> str:
    """Japanese where the shell's locale is Japanese, else English."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := os.environ.get(name):
            return "ja" if value.startswith("ja") else "en"
    return "en"


def parser() -> argparse.ArgumentParser:
    """Every module of `daicho.interfaces.cli.commands` adds its command through `register(subparsers)`."""
    from daicho.interfaces.cli import commands

    top = argparse.ArgumentParser(prog="daicho", allow_abbrev=False)
    subparsers = top.add_subparsers(metavar="command", required=True)
    for module in sorted(pkgutil.iter_modules(commands.__path__), key=lambda found: found.name):
        import_module(f"{commands.__name__}.{module.name}").register(subparsers)
    return top


if __name__ == "__main__":
    sys.exit(main())
