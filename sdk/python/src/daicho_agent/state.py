"""What a device remembers, in one file: replaced as a whole or not at all, readable by its owner alone.

The file holds the device's private key. It is written to a new file beside it, synced, and renamed over the old one, so
that a power cut or a full disk leaves the old state. A second file, `….lock`, keeps two processes apart.
"""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import fcntl
import json
import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from daicho_agent.errors import BusyError, StateError

VERSION = 1
LOCK_WAIT = 90.0  # seconds; longer than one request with its repetitions takes


@dataclass
class Pending:
    """A request that was sent or is about to be, and whose answer is not known."""

    what: str
    request_id: str
    body: str
    sequence: int = 0
    agreement_key: str = ""  # private, ephemeral
    next_private_key: str = ""


@dataclass
class State:
    """All that lasts. Keys are base64url without padding; times are seconds since 1970 by the server's clock."""

    private_key: str = ""
    server: str = ""
    ca_file: str = ""
    product_id: str = ""
    serial: str = ""
    name: str = ""
    software_name: str = ""
    software_version: str = ""

    instance: str = ""  # set while registered
    certificate: str = ""
    mac_key: str = ""
    mac_generation: int = 0
    pin: str = ""  # thumbprint of the server's key from which the chain of key sets is walked
    key_sets: list[str] = field(default_factory=list)

    sequence: int = 0
    wanted: dict[str, int] = field(default_factory=dict)
    authorization: str = ""
    pending: Pending | None = None
    conflict: int | None = None  # the server's last sequence, when it was not this device that sent it
    stopped: str = ""  # the code with which the server has ended this identity

    clock_offset: float = 0.0  # server's clock − ours
    newest: float = 0.0  # the latest time seen: a clock that is set back prolongs nothing
    last_contact: float = 0.0
    next_contact: float = 0.0
    failures: int = 0
    retry_after: float = 0.0
    last_error: str = ""
    last_attempt: float = 0.0

    evaluation_seconds: float = 0.0  # of use
    evaluation_counted_at: float = 0.0  # 0: not counting

    @property
    def is_registered(self) -> bool:
        return bool(self.instance)


class Store:
    """The state file of one device."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextlib.contextmanager
    def locked(self, wait: float = LOCK_WAIT) -> Iterator[State]:
        """The state, for one process at a time. It is not written by itself: see `save`."""
        self._make_folder()
        try:
            descriptor = os.open(f"{self.path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as problem:
            raise _not_written(self.path, problem) from problem
        try:
            _take(descriptor, wait, str(self.path))
            yield self.load()
        finally:
            os.close(descriptor)

    def load(self) -> State:
        """What was saved last, or an empty state. Needs no lock: the file is only ever replaced as a whole."""
        try:
            document = json.loads(self.path.read_text(encoding="utf-8"))
            if not isinstance(document, dict):
                raise ValueError("not an object")
        except FileNotFoundError:
            return State()
        except OSError as problem:
            text = "The state {path} cannot be read: {reason}"
            raise StateError("state_unreadable", text, path=self.path, reason=problem.strerror) from problem
        except ValueError as problem:
            text = "The state {path} is damaged ({reason}). Restore it, or move it away and register again."
            raise StateError("state_damaged", text, path=self.path, reason=problem) from problem
        if document.pop("version", 0) > VERSION:
            text = "The state {path} was written by a newer daicho-agent."
            raise StateError("state_newer", text, path=self.path)
        known = {one.name for one in dataclasses.fields(State)}
        values = {name: value for name, value in document.items() if name in known}
        if values.get("pending"):
            values["pending"] = Pending(**values["pending"])
        return State(**values)

    def save(self, state: State) -> None:
        """Replace the file, durably; raises StateError and leaves the old one if that fails (a full disk)."""
        content = json.dumps({"version": VERSION, **dataclasses.asdict(state)}, ensure_ascii=False, indent=1)
        self._make_folder()
        temporary = ""
        try:
            descriptor, temporary = tempfile.mkstemp(prefix=f".{self.path.name}.", dir=self.path.parent)  # 0600
            with open(descriptor, "w", encoding="utf-8") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, self.path)
            _sync_folder(self.path.parent)
        except OSError as problem:
            if temporary:
                with contextlib.suppress(OSError):
                    os.unlink(temporary)
            raise _not_written(self.path, problem) from problem

    def _make_folder(self) -> None:
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as problem:
            raise _not_written(self.path, problem) from problem


def default_path() -> Path:
    """$DAICHO_AGENT_STATE; else /var/lib/daicho-agent for root, and the user's own state folder for others."""
    named = os.environ.get("DAICHO_AGENT_STATE")
    if named:
        return Path(named)
    if os.geteuid() == 0:
        return Path("/var/lib/daicho-agent/state.json")
    home = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    return home / "daicho-agent" / "state.json"


def _take(descriptor: int, wait: float, path: str) -> None:
    until = time.monotonic() + wait
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                raise BusyError(path, wait) from None
            time.sleep(0.05)
        else:
            return


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _not_written(path: Path, problem: OSError) -> StateError:
    if problem.errno in {errno.ENOSPC, errno.EDQUOT}:
        text = "The disk is full: {path} was not written. Nothing was changed; make room and try again."
        return StateError("disk_full", text, path=path)
    text = "The state {path} cannot be written: {reason}"
    return StateError("state_not_written", text, path=path, reason=problem.strerror)
