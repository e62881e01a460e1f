"""Wrong settings are refused before anything starts, with an id and a hint."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.serving import console, environment

pytestmark = pytest.mark.production
HTTPS = {"DAICHO_SITE_URL": "https://licenses.example.co.jp"}


def refusal(tmp_path: Path, command: str = "check", **settings: str) -> tuple[int, str]:
    result = console(command, environment=environment(tmp_path, 8000, **settings))
    return result.returncode, result.stdout + result.stderr


def test_a_sound_environment_is_accepted(tmp_path: Path) -> None:
    assert refusal(tmp_path, **HTTPS)[0] == 0


@pytest.mark.parametrize(
    ("settings", "check"),
    [
        ({"DAICHO_SITE_URL": "licenses.example.co.jp"}, "daicho.E001"),
        ({"DAICHO_SITE_URL": "https://licenses.example.co.jp/portal"}, "daicho.E001"),
        ({"DAICHO_DATABASE_URL": "mysql://localhost/daicho"}, "daicho.E003"),
        ({"DAICHO_SMTP_URL": "mail.example.co.jp"}, "daicho.E006"),
        ({"DAICHO_SMTP_PORT": "99999"}, "daicho.E008"),
        ({"DAICHO_SMTP_TLS": "perhaps"}, "daicho.E011"),
        ({"DAICHO_TRUSTED_PROXIES": "10.0.0.0/99"}, "daicho.E019"),
        ({"DAICHO_LOG_LEVEL": "LOUD"}, "daicho.E020"),
        ({"DAICHO_DEMO": "perhaps"}, "daicho.E021"),
        ({"DAICHO_SMPT_HOST": "mail.example.co.jp"}, "daicho.E100"),
        (HTTPS | {"DAICHO_SECRET_KEY": "short"}, "daicho.E101"),
        (HTTPS | {"DAICHO_SECRET_KEY": "", "DAICHO_DATABASE_URL": "postgres://localhost/daicho"}, "daicho.E102"),
        ({"DAICHO_SITE_URL": "http://licenses.example.co.jp"}, "daicho.E103"),
        (HTTPS | {"DAICHO_DEBUG": "1"}, "daicho.E104"),
        (HTTPS | {"DAICHO_DEMO": "1"}, "daicho.W105"),
        ({"DAICHO_DATABASE_URL": "sqlite:///nowhere/at/all.sqlite3"}, "daicho.E106"),
    ],
)
def test_a_wrong_value_is_named(tmp_path: Path, settings: dict[str, str], check: str) -> None:
    exit_code, said = refusal(tmp_path, **settings)
    assert check in said
    assert exit_code == (0 if ".W" in check else 3)


def test_no_command_that_stays_starts_with_wrong_settings(tmp_path: Path) -> None:
    for command in ("serve", "worker", "migrate"):
        exit_code, said = refusal(tmp_path, command, DAICHO_SMTP_PORT="none")
        assert (exit_code, "daicho.E008" in said) == (3, True)
    assert not (tmp_path / "daicho.sqlite3").exists()


def test_a_secret_is_never_printed(tmp_path: Path) -> None:
    said = refusal(tmp_path, DAICHO_SMTP_URL="nonsense-with-Passw0rd", DAICHO_DATABASE_URL="mysql://u:Passw0rd@h/d")[1]
    assert "daicho.E006" in said
    assert "Passw0rd" not in said


def test_the_key_of_a_sqlite_installation_is_made_once_and_readable_by_its_owner_only(tmp_path: Path) -> None:
    settings = environment(tmp_path, DAICHO_SECRET_KEY="")
    assert console("check", environment=settings).returncode == 0
    kept = (tmp_path / "secret_key").read_text()
    assert console("check", environment=settings).returncode == 0
    assert (tmp_path / "secret_key").read_text() == kept
    assert (tmp_path / "secret_key").stat().st_mode & 0o777 == 0o600
