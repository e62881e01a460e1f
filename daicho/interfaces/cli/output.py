"""How a command answers: text for people, one JSON document with --json for scripts."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from daicho.core.errors import BusinessError, FieldErrors

type Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


def add_json(parser: argparse.ArgumentParser) -> None:
    """Give a command the --json option."""
    from django.utils.translation import gettext as _

    parser.add_argument("--json", action="store_true", help=_("answer as one JSON document"))


def read_input(path: Path) -> bytes:
    """A file that the command line names. Raises `file_unreadable`."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise BusinessError("file_unreadable", 422, f"{path}: {error.strerror}") from error


def answer(arguments: argparse.Namespace, data: Any, text: str) -> int:
    """Print the result in the wanted form."""
    print(as_json(data) if wants_json(arguments) else text)
    return 0


def refused(arguments: argparse.Namespace, error: BusinessError) -> int:
    """Print a refusal, with its fields where there are any; exit code 1."""
    lines = [error.text()]
    problem: dict[str, Any] = {"code": error.code, "message": error.text(), **error.data}
    if isinstance(error, FieldErrors):
        problem["errors"] = {name: {"code": e.code, "message": e.text()} for name, e in error.errors.items()}
        lines += [f"  {name}: {e.text()}" for name, e in error.errors.items()]
    return _stop(arguments, problem, "\n".join(lines), 1)


def failed(arguments: argparse.Namespace, code: str, message: str, exit_code: int) -> int:
    """Print what went wrong outside the rules of the business."""
    return _stop(arguments, {"code": code, "message": message}, message, exit_code)


def _stop(arguments: argparse.Namespace, problem: dict[str, Any], text: str, exit_code: int) -> int:
    if wants_json(arguments):
        print(as_json({"error": problem}))
    else:
        print(text, file=sys.stderr)
    return exit_code


def wants_json(arguments: argparse.Namespace) -> bool:
    return bool(getattr(arguments, "json", False))


def as_json(data: Any) -> str:
    return json.dumps(data, ensure_ascii=False, indent=2, default=str)
