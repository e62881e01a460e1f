"""bin/install-production into an empty directory, and Daicho served from it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from pathlib import Path

import pytest

from tests.support.serving import CONSOLE, console, environment, free_port, get, get_json, migrated, running, wait_for

pytestmark = pytest.mark.production
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("installation") / "daicho"
    subprocess.run([ROOT / "bin" / "install-production", target], check=True, cwd="/", timeout=600)
    return target


def test_it_serves_and_becomes_ready_once_migrated_and_worked(installation: Path, tmp_path: Path) -> None:
    port = free_port()
    settings = environment(tmp_path, port)
    program = installation / "bin" / "daicho"
    site = f"http://127.0.0.1:{port}"
    with running("serve", "--port", str(port), environment=settings, program=program):
        wait_for(f"{site}/healthz")
        assert get_json(f"{site}/readyz") == (503, NOT_MIGRATED | version(program, settings))

        migrated = console("migrate", "--json", "--no-static", environment=settings, program=program)
        assert len(json.loads(migrated.stdout)["applied"]) > 10
        assert get_json(f"{site}/readyz")[1]["worker"] is False

        with running("worker", environment=settings, program=program):
            wait_for(f"{site}/readyz")

            status, headers, page = get(f"{site}/account/login/")
            assert status == 200
            assert "script-src 'self'" in headers["Content-Security-Policy"]
            assert_styles_are_served_and_kept(site, page.decode())

        assert get_json(f"{site}/readyz")[0] == 503, "a worker that stopped in order is gone at once"
    assert console("check-ledger", environment=settings, program=program).returncode == 0


NOT_MIGRATED = {"status": "not ready", "database": True, "storage": False, "migrations": False, "worker": False}


def version(program: Path, settings: dict[str, str]) -> dict[str, str]:
    answer: dict[str, str] = json.loads(console("version", "--json", environment=settings, program=program).stdout)
    return answer


def assert_styles_are_served_and_kept(site: str, page: str) -> None:
    hashed = re.findall(r'href="(/static/[^"]+\.[0-9a-f]{12}\.css)"', page)
    assert hashed, "every style sheet has a name that changes with its content"
    for path in hashed:
        status, headers, _ = get(site + path)
        assert status == 200
        assert "max-age=315360000" in headers["Cache-Control"]


def test_it_holds_nothing_that_only_developers_need(installation: Path) -> None:
    packages = {path.name.lower() for path in installation.glob("venv/lib/python*/site-packages/*")}
    assert not packages & {"pytest", "mypy", "playwright", "ruff", "schemathesis"}
    assert "daicho" in packages


def test_a_directory_that_holds_something_is_refused(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("mine")
    result = subprocess.run([ROOT / "bin" / "install-production", tmp_path], capture_output=True, text=True)
    assert result.returncode == 1
    assert os.listdir(tmp_path) == ["letter.txt"]


def test_behind_a_trusted_proxy_https_is_believed_and_from_elsewhere_it_is_not(tmp_path: Path) -> None:
    port = free_port()
    settings = migrated(tmp_path, DAICHO_SITE_URL="https://licenses.example.co.jp")
    site = f"http://127.0.0.1:{port}"
    asked = {"Host": "licenses.example.co.jp", "X_Forwarded_Proto": "https", "X_Forwarded_For": "203.0.113.9"}
    with running("serve", "--port", str(port), environment=settings | {"DAICHO_TRUSTED_PROXIES": "127.0.0.1"}):
        wait_for(f"{site}/healthz")
        status, headers, _ = get(f"{site}/account/login/", **asked)
        assert status == 200
        assert "max-age=31536000" in headers["Strict-Transport-Security"]
        assert "Secure" in headers["Set-Cookie"]
        assert get(f"{site}/account/login/", Host="elsewhere.example")[0] == 400
    port = free_port()
    site = f"http://127.0.0.1:{port}"
    with running("serve", "--port", str(port), environment=settings):
        wait_for(f"{site}/healthz")
        refused = subprocess.run(
            ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code} %{redirect_url}", f"{site}/account/login/"]
            + [part for name, value in asked.items() for part in ("-H", f"{name.replace('_', '-')}: {value}")],
            capture_output=True,
            text=True,
        )
        assert refused.stdout == "301 https://licenses.example.co.jp/account/login/"


def test_answers_and_log_lines_share_a_request_id(tmp_path: Path) -> None:
    port = free_port()
    settings = environment(tmp_path, port)
    program = [str(CONSOLE), "serve", "--port", str(port)]
    with subprocess.Popen(program, env=settings, stderr=subprocess.PIPE, text=True) as process:
        wait_for(f"http://127.0.0.1:{port}/healthz")
        _, headers, _ = get(f"http://127.0.0.1:{port}/healthz", X_Request_ID="from-the-proxy-1")
        assert headers["X-Request-ID"] == "from-the-proxy-1"
        _, headers, _ = get(f"http://127.0.0.1:{port}/healthz", X_Request_ID="no good\tid")
        assert re.fullmatch(r"[0-9a-f]{32}", headers["X-Request-ID"])
        time.sleep(0.2)
        process.terminate()
        _, logged = process.communicate(timeout=20)
    lines = [json.loads(line) for line in logged.splitlines()]
    assert any(line.get("request_id") == "from-the-proxy-1" and line["status"] == 200 for line in lines)
