"""Every setting an installation can make: one table, read once from the environment.

`docs/operations.md` is generated from this table, the system checks (`checks.py`) report what is wrong with it, and
nothing else in Daicho reads the environment. A wrong value never stops the reading: it is kept as a problem, the
default stands in, and the system check refuses to start with a message and a hint.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import secrets
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

PACKAGE = Path(__file__).resolve().parent.parent

type Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class InvalidValueError(ValueError):
    """A setting's text cannot be read. The message says what was expected."""


@dataclass(frozen=True)
class Setting:
    """One environment variable: its name, how its text is read, what stands in for it, and what it is for."""

    name: str
    read: Callable[[str], Any]
    default: str
    purpose: str
    secret: bool = False


@dataclass(frozen=True)
class Problem:
    """A value that was refused. `code` is the number of the system check, as in `daicho.E004`."""

    code: str
    message: str
    hint: str


@dataclass
class Values:
    """The settings as read. `problems` is empty for a sound environment."""

    by_name: dict[str, Any]
    given: frozenset[str]
    problems: list[Problem] = field(default_factory=list)

    def __getitem__(self, name: str) -> Any:
        return self.by_name[name]


def text(value: str) -> str:
    return value.strip()


def yes_or_no(value: str) -> bool:
    """1, true, yes, on and 0, false, no, off, in any case."""
    known = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    try:
        return known[value.strip().lower()]
    except KeyError:
        raise InvalidValueError("expected 1 or 0") from None


def site_url(value: str) -> SplitResult:
    """http or https, a host, no path: it begins every link in a mail."""
    url = urlsplit(value.strip())
    if (
        url.scheme not in {"http", "https"}
        or not url.hostname
        or url.port == 0
        or url.path not in {"", "/"}
        or url.query
    ):
        raise InvalidValueError("expected an address such as https://licenses.example.co.jp, without a path")
    return url


def port(value: str) -> int:
    if not value.isascii() or not value.isdigit() or not 0 < int(value) < 65536:
        raise InvalidValueError("expected a port between 1 and 65535")
    return int(value)


def whole_number(least: int, most: int) -> Callable[[str], int]:
    """A number between these."""

    def read_number(value: str) -> int:
        if not value.isascii() or not value.isdigit() or not least <= int(value) <= most:
            raise InvalidValueError(f"expected a whole number between {least} and {most}")
        return int(value)

    return read_number


def networks(value: str) -> tuple[Network, ...]:
    """Addresses or networks, separated by commas: `10.0.0.0/8, ::1`."""
    try:
        return tuple(ipaddress.ip_network(part.strip(), strict=False) for part in value.split(",") if part.strip())
    except ValueError as error:
        raise InvalidValueError(f"expected addresses or networks separated by commas ({error})") from None


def directory(value: str) -> Path:
    return Path(value).expanduser().absolute()


def log_level(value: str) -> str:
    level = value.strip().upper()
    if level not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
        raise InvalidValueError("expected DEBUG, INFO, WARNING or ERROR")
    return level


def language(value: str) -> str:
    if value not in {"ja", "en"}:
        raise InvalidValueError("expected ja or en")
    return value


def mail_address(value: str) -> str:
    if value and value.count("@") != 1:
        raise InvalidValueError("expected a mail address")
    return value.strip()


def tls_mode(value: str) -> str:
    mode = value.strip().lower()
    if mode not in {"starttls", "tls", "none"}:
        raise InvalidValueError("expected starttls, tls or none")
    return mode


def database_url(value: str) -> str:
    if value and urlsplit(value).scheme not in {"sqlite", "postgres", "postgresql"}:
        raise InvalidValueError("expected sqlite:///absolute/path or postgres://user:password@host:5432/name")
    return value.strip()


def smtp_url(value: str) -> SplitResult | None:
    if not value.strip():
        return None
    url = urlsplit(value.strip())
    if url.scheme not in {"smtp", "smtps"} or not url.hostname:
        raise InvalidValueError("expected smtp://user:password@host:587 or smtps://user:password@host:465")
    return url


SETTINGS = (
    Setting("DAICHO_SITE_URL", site_url, "http://localhost:8000", "Address under which people reach the portal. With "
            "https, cookies are marked secure, HSTS is sent and plain http is redirected."),
    Setting("DAICHO_SECRET_KEY", text, "", "Signs sessions and links, at least 50 characters. On SQLite it is made "
            "once and kept as secret_key in the data directory; on PostgreSQL it must be set.", secret=True),
    Setting("DAICHO_DATABASE_URL", database_url, "", "sqlite:///absolute/path or postgres://user:password@host:5432/name. "
            "Default: daicho.sqlite3 in the data directory.", secret=True),
    Setting("DAICHO_DATA", directory, "var", "Directory of the SQLite database, the secret key and the static files."),
    Setting("DAICHO_STATIC_ROOT", text, "", "Directory of the collected static files. Default: static in the data "
            "directory."),
    Setting("DAICHO_SMTP_URL", smtp_url, "", "Mail server in one line: smtp://user:password@host:587 (STARTTLS) or "
            "smtps://user:password@host:465. Stands instead of the single settings below.", secret=True),
    Setting("DAICHO_SMTP_HOST", text, "localhost", "Mail server."),
    Setting("DAICHO_SMTP_PORT", port, "25", "Port of the mail server."),
    Setting("DAICHO_SMTP_USER", text, "", "User at the mail server, if it asks for one."),
    Setting("DAICHO_SMTP_PASSWORD", text, "", "Password at the mail server.", secret=True),
    Setting("DAICHO_SMTP_TLS", tls_mode, "none", "starttls, tls (from the first byte) or none."),
    Setting("DAICHO_MAIL_FROM", mail_address, "", "Sender of all mail. Default: daicho@ and the host of the site."),
    Setting("DAICHO_OPERATOR_NAME", text, "Daicho", "Name of whoever runs this installation; stands in mail, on the "
            "guide and beside one-time codes."),
    Setting("DAICHO_SUPPORT_MAIL", mail_address, "", "Mail address of the support desk, shown to customers."),
    Setting("DAICHO_SUPPORT_PHONE", text, "", "Telephone number of the support desk, shown to customers."),
    Setting("DAICHO_MAINTENANCE_NOTICE", text, "", "Text shown as a banner on every page, for example before an "
            "update."),
    Setting("DAICHO_MAINTENANCE_NOTICE_JA", text, "", "The same in Japanese. Default: the text above."),
    Setting("DAICHO_LANGUAGE", language, "en", "Language of whoever states no preference: ja or en."),
    Setting("DAICHO_TRUSTED_PROXIES", networks, "", "Addresses or networks of reverse proxies whose X-Forwarded-For "
            "and X-Forwarded-Proto are believed, separated by commas."),
    Setting("DAICHO_LOG_LEVEL", log_level, "INFO", "DEBUG, INFO, WARNING or ERROR. Logs are JSON lines on standard "
            "error."),
    Setting("DAICHO_DEMO", yes_or_no, "0", "Demonstration: mails are shown on a page of the portal and are not sent. "
            "Never for real data."),
    Setting("DAICHO_DEBUG", yes_or_no, "0", "Error pages with source code, for development only."),
    Setting("DAICHO_DEVICE_CERTIFICATE_DAYS", whole_number(2, 3_650), "365", "How long the certificate of a device holds."),
    Setting("DAICHO_DEVICE_RENEW_DAYS", whole_number(1, 3_650), "180", "Age from which a device renews its certificate."),
    Setting("DAICHO_DEVICE_CONTACT_DAYS", whole_number(1, 365), "30", "How often a device is to come."),
    Setting("DAICHO_DEVICE_SHORT_HOURS", whole_number(1, 720), "12", "How often one is to come that lacks licenses."),
    Setting("DAICHO_DEVICE_SILENCE_DAYS", whole_number(1, 3_650), "90", "After so long without a word its authorization "
            "expires and its use returns."),
    Setting("DAICHO_DEVICE_EVALUATION_DAYS", whole_number(0, 3_650), "90", "How long a device may be used for evaluation, "
            "counted while it is in use."),
    Setting("DAICHO_DEVICE_KEY_NOTICE_DAYS", whole_number(0, 3_650), "60", "How long a new key for what devices are "
            "granted is known before it signs."),
)  # fmt: skip

CODES = {setting.name: f"E{number:03d}" for number, setting in enumerate(SETTINGS, start=1)}
"""The system check of a value that cannot be read. Combinations of settings have numbers from 100 on (`checks.py`)."""


def read(environ: Mapping[str, str]) -> Values:
    """Read all settings; what cannot be read becomes a problem and its default stands in."""
    by_name: dict[str, Any] = {}
    problems = []
    for setting in SETTINGS:
        given = environ.get(setting.name, "")
        try:
            by_name[setting.name] = setting.read(given or setting.default)
        except ValueError as error:
            by_name[setting.name] = setting.read(setting.default)
            shown = "its value" if setting.secret else repr(given)
            problems.append(Problem(CODES[setting.name], f"{setting.name}: {shown} cannot be read: {error}.",
                                    f"Change or unset {setting.name}. {setting.purpose}"))  # fmt: skip
    known = {setting.name for setting in SETTINGS}
    unknown = sorted(name for name in environ if name.startswith("DAICHO_") and name not in known | OF_TOOLS)
    problems += [
        Problem("E100", f"{name} is not a setting of Daicho.", "Correct its spelling; docs/operations.md lists all.")
        for name in unknown
    ]
    return Values(by_name, frozenset(environ) & known, problems)


OF_TOOLS = frozenset({"DAICHO_REAL_DATA", "DAICHO_TEST_DB"})
"""Names that the test run reads; they mean nothing to the product."""


def database(url: str, data: Path) -> dict[str, Any]:
    """Django's settings of the one database.

    SQLite: every transaction begins IMMEDIATE, so that a reader that becomes a writer cannot fail with "database is
    locked"; WAL, so that readers do not wait; synchronous FULL, so that a commit survives loss of power.
    """
    parts = urlsplit(url)
    if parts.scheme in {"", "sqlite"}:
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": str(Path(unquote(parts.path)) if url else data / "daicho.sqlite3"),
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;",
            },
        }
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": 300,
        "CONN_HEALTH_CHECKS": True,
    }


def mailer(values: Values) -> dict[str, Any]:
    """Django's settings of the mail server; in a demonstration nothing leaves the machine."""
    if values["DAICHO_DEMO"] and not {"DAICHO_SMTP_URL", "DAICHO_SMTP_HOST"} & values.given:
        return {"BACKEND": "django.core.mail.backends.dummy.EmailBackend"}
    options: dict[str, Any] = {"timeout": 20}
    if url := values["DAICHO_SMTP_URL"]:
        tls = "tls" if url.scheme == "smtps" else "starttls"
        options |= {
            "host": url.hostname,
            "port": url.port or (465 if tls == "tls" else 587),
            "username": unquote(url.username or ""),
            "password": unquote(url.password or ""),
        }
    else:
        tls = values["DAICHO_SMTP_TLS"]
        options |= {
            "host": values["DAICHO_SMTP_HOST"],
            "port": values["DAICHO_SMTP_PORT"],
            "username": values["DAICHO_SMTP_USER"],
            "password": values["DAICHO_SMTP_PASSWORD"],
        }
    options |= {"use_tls": tls == "starttls", "use_ssl": tls == "tls"}
    return {"BACKEND": "django.core.mail.backends.smtp.EmailBackend", "OPTIONS": options}


def kept_secret_key(data: Path) -> str:
    """The key kept in the data directory, made on the first start (readable by its owner only)."""
    path = data / "secret_key"
    if not path.exists():
        data.mkdir(parents=True, exist_ok=True)
        descriptor, draft = tempfile.mkstemp(dir=data, prefix=".secret_key-")
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(64))
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
        os.unlink(draft)
    return path.read_text().strip()
