"""The console: exit codes, the operator's language, answers for scripts."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from django.core.management import call_command

from daicho.core.errors import BusinessError, FieldErrors
from daicho.domain.ledger.finding import Finding
from daicho.interfaces.cli import main as console
from daicho.interfaces.cli.commands import migrate, version


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setenv("LC_ALL", "C.UTF-8")

    def run(*arguments: str) -> tuple[int, str, str]:
        code = console.main(arguments)
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def test_every_command_of_the_folder_is_offered(run, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        console.main(["--help"])
    offered = capsys.readouterr().out
    assert stopped.value.code == 0
    for name in ("serve", "worker", "migrate", "check-ledger", "create-operator", "import-catalog", "audit", "version"):
        assert f"  {name} " in offered


def test_wrong_usage_is_exit_code_two(run) -> None:
    for arguments in ([], ["no-such-command"], ["serve", "--port", "many"]):
        with pytest.raises(SystemExit) as stopped:
            console.main(arguments)
        assert stopped.value.code == 2


def test_the_version_is_the_installed_one(run) -> None:
    code, said, _ = run("version", "--json")
    assert (code, list(json.loads(said))) == (0, ["version"])


@pytest.mark.django_db
def test_a_sound_ledger_is_exit_code_zero(run) -> None:
    code, said, _ = run("check-ledger", "--json")
    assert (code, json.loads(said)) == (0, {"ok": True, "findings": []})


@pytest.mark.django_db
def test_findings_in_the_ledger_are_exit_code_one(run, monkeypatch: pytest.MonkeyPatch) -> None:
    finding = Finding("I9", "entry", {"entry": 7}, "raised a shortage")
    with monkeypatch.context() as patch:
        patch.setattr("daicho.domain.ledger.check.check_ledger", lambda deep: [finding] if deep else [])
        code, said, _ = run("check-ledger", "--deep", "--json")
    assert code == 1
    assert json.loads(said)["findings"][0]["invariant"] == "I9"


@pytest.mark.django_db
def test_an_untouched_event_log_is_verified(run) -> None:
    code, said, _ = run("audit", "verify", "--json")
    assert (code, json.loads(said)["ok"]) == (0, True)


@pytest.mark.django_db
def test_a_migrated_database_has_nothing_pending(run) -> None:
    assert json.loads(run("migrate", "--check", "--json")[1]) == {"pending": []}


def refuse(error: BusinessError) -> Any:
    def refusing(_: object) -> int:
        raise error

    return refusing


def test_a_refusal_is_exit_code_one_with_its_code_for_scripts(run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(version, "run", refuse(BusinessError("no_stock", 409, "Only %(left)d left.", left=3)))
    code, said, _ = run("version", "--json")
    error = {"code": "no_stock", "message": "Only 3 left.", "left": 3}
    assert (code, json.loads(said)) == (1, {"error": error})


def test_a_refusal_names_each_field_on_standard_error(run, monkeypatch: pytest.MonkeyPatch) -> None:
    errors = {"email": BusinessError("bad", 422, "This is no address.")}
    monkeypatch.setattr(version, "run", refuse(FieldErrors(errors)))
    code, said, complained = run("version")
    assert (code, said) == (1, "")
    assert complained.splitlines()[1:] == ["  email: This is no address."]


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"LC_ALL": "ja_JP.UTF-8", "LANG": "en_US.UTF-8"}, "ja"),
        ({"LC_MESSAGES": "en_US.UTF-8", "LANG": "ja_JP.UTF-8"}, "en"),
        ({"LANG": "ja_JP.UTF-8"}, "ja"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({}, "en"),
    ],
)
def test_the_shells_locale_chooses_the_language(variables, expected, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert console.operators_language() == expected


def test_the_japanese_console_speaks_japanese(run, monkeypatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("LC_ALL", "ja_JP.UTF-8")
    with pytest.raises(SystemExit):
        console.main(["check-ledger", "--help"])
    assert "全履歴の再計算も行う" in capsys.readouterr().out


@pytest.mark.django_db
def test_create_operator_makes_somebody_who_can_log_in(run, monkeypatch: pytest.MonkeyPatch, client) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("a long enough password\n"))
    code, said, _ = run("create-operator", "desk@vendor.example", "--password-stdin", "--json")
    assert (code, json.loads(said)) == (0, {"email": "desk@vendor.example"})
    assert client.login(username="desk@vendor.example", password="a long enough password")


@pytest.mark.django_db
def test_a_file_that_is_not_there_is_said_plainly(run) -> None:
    code, _, complained = run("import-catalog", "/no/such/file.csv")
    assert code == 1
    assert "/no/such/file.csv" in complained


@pytest.mark.django_db
def test_pending_migrations_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert migrate.pending_migrations() == []
    call_command("migrate", "schedule", "zero", fake=True, verbosity=0)
    assert migrate.pending_migrations() == ["schedule.0001_initial"]
