"""docs/openapi.json: the contract of /api/v1, as the code declares it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import django

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "openapi.json"


def contract() -> str:
    from daicho.interfaces.api.main import api

    schema = api.get_openapi_schema(path_prefix="/api/v1/")
    return json.dumps(schema, ensure_ascii=False, indent=1, sort_keys=True, default=str) + "\n"


def main(arguments: list[str]) -> int:
    django.setup()
    current = contract()
    if "--check" in arguments:
        if not DOCUMENT.exists() or DOCUMENT.read_text() != current:
            print("docs/openapi.json is not up to date: run bin/openapi.", file=sys.stderr)
            return 1
        return 0
    DOCUMENT.write_text(current)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
