"""Starts Daicho as an operator does: own processes, an own data directory, a free port."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email.message import Message
from functools import cache
from pathlib import Path
from typing import Any

CONSOLE = Path(sys.executable).parent / "daicho"
SECRET_KEY = "a key for tests, long enough to please the system check, secret to nobody"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(data: Path, port: int = 8000, /, **settings: str) -> dict[str, str]:
    """An environment of its own: nothing named DAICHO_… of the test run leaks into it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DAICHO_", "DJANGO_"))}
    ours = {"DAICHO_DATA": str(data), "DAICHO_SITE_URL": f"http://localhost:{port}", "DAICHO_SECRET_KEY": SECRET_KEY}
    return kept | ours | settings


def migrated(data: Path, port: int = 8000, /, **settings: str) -> dict[str, str]:
    """The same with its SQLite database migrated: a copy of what the console has made once in this run."""
    shutil.copytree(migrated_data(), data, dirs_exist_ok=True)
    return environment(data, port, **settings)


@cache
def migrated_data() -> Path:
    made = Path(tempfile.mkdtemp(prefix="daicho-migrated-"))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    done = console("migrate", environment=environment(made))
    assert done.returncode == 0, done.stderr
    return made


def console(
    *arguments: str, environment: Mapping[str, str], program: Path = CONSOLE, text: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run one console command to its end."""
    return subprocess.run(
        [program, *arguments], env=environment, input=text, capture_output=True, text=True, timeout=120
    )


@contextmanager
def running(
    *arguments: str, environment: Mapping[str, str], program: Path = CONSOLE
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a console command that stays, and stop it with SIGTERM (SIGKILL after 20 s)."""
    process = subprocess.Popen([program, *arguments], env=environment, stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def get(url: str, **headers: str) -> tuple[int, Message, bytes]:
    """Status, headers and body, whatever the status."""
    request = urllib.request.Request(url, headers={name.replace("_", "-"): value for name, value in headers.items()})
    try:
        with urllib.request.urlopen(request, timeout=20) as response:
            return response.status, response.headers, response.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read()


def get_json(url: str, **headers: str) -> tuple[int, Any]:
    status, _, body = get(url, **headers)
    return status, json.loads(body)


def wait_for(url: str, status: int = 200, seconds: float = 60) -> None:
    """Wait until an address answers with this status."""
    last: object = None
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            last = get(url)[0]
            if last == status:
                return
        except OSError as error:
            last = error
        time.sleep(0.2)
    raise AssertionError(f"{url} did not answer {status} within {seconds} s: {last}")
