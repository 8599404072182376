"""The command itself: wrong settings are one line each on stderr, exit 1, no traceback, and nothing on stdout."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from tap_billing_reports.singer import tap
from tap_billing_reports.singer.tap import TapBillingReports
from tests.waiting import HANG_SECONDS

if TYPE_CHECKING:
    from pathlib import Path

CANARY = "CaNaRy-0123456789"
GOOD = {"start_date": "2026-01-01", "stripe_api_key": "sk_test_CaNaRy-0123456789", "stripe_account_id": "acct_1"}


def run(*arguments: str, environment: dict[str, str] | None = None, command: bool = False) -> tuple[int, str, str]:
    """Exit status, stdout, stderr; in a process of its own where `command` asks for it."""
    if command:
        base = {name: value for name, value in os.environ.items() if not name.startswith("TAP_BILLING_REPORTS_")}
        done = subprocess.run(
            [sys.executable, "-m", "tap_billing_reports", *arguments],
            capture_output=True,
            text=True,
            env={**base, **(environment or {})},
            check=False,
            timeout=HANG_SECONDS,
            # Whoever works on this has perhaps an `.env` in the project's folder.
            cwd=tempfile.gettempdir(),
        )
        return done.returncode, done.stdout, done.stderr
    called = CliRunner().invoke(TapBillingReports.get_singer_command(), arguments, env=environment)
    if called.exception is not None and not isinstance(called.exception, SystemExit):
        raise called.exception
    return called.exit_code, called.stdout, called.stderr


@pytest.fixture
def config(tmp_path: Path):
    def write(content: Any) -> str:
        path = tmp_path / "config.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return str(path)

    return write


@pytest.mark.parametrize("mode", [[], ["--discover"], ["--test"], ["--test=schema"]])
def test_wrong_settings(config, mode, caplog):
    path = config({**GOOD, "max_new_runs": CANARY, "stripe_reports": {CANARY: CANARY}})
    status, out, err = run("--config", path, *mode, command=not mode)
    err += caplog.text
    assert status == 1
    assert out == ""
    assert "setting max_new_runs must be a whole number" in err
    assert "setting stripe_reports must be a list" in err
    assert CANARY not in err
    assert "Traceback" not in err
    assert len([line for line in err.splitlines() if "ERROR" in line]) == 2


@pytest.mark.parametrize("mode", [[], ["--discover"], ["--test"]])
def test_a_wrong_environment(mode, caplog):
    environment = {
        "TAP_BILLING_REPORTS_START_DATE": "2026-01-01",
        "TAP_BILLING_REPORTS_STRIPE_API_KEY": CANARY,
        "TAP_BILLING_REPORTS_STRIPE_ACCOUNT_ID": "acct_1",
        "TAP_BILLING_REPORTS_RUN_DEADLINE_MINUTES": CANARY,
        "TAP_BILLING_REPORTS_STRIPE_REPORTS": f'[{{"report_type": "{CANARY}"',
        "TAP_BILLING_REPORTS_BRING_CUSTOMERS": "",
        "TAP_BILLING_REPORTS_MAX_NEW_RUNS": "",
    }
    status, out, err = run("--config", "ENV", *mode, environment=environment, command=not mode)
    err += caplog.text
    assert status == 1
    assert out == ""
    assert "setting run_deadline_minutes must be a whole number" in err
    assert "setting stripe_reports must be a list; the given text is no JSON at line 1, column" in err
    assert CANARY not in err
    assert "Traceback" not in err


def test_discovery_from_the_environment():
    environment = {
        "TAP_BILLING_REPORTS_STRIPE_API_KEY": CANARY,
        "TAP_BILLING_REPORTS_STRIPE_ACCOUNT_ID": "acct_1",
        "TAP_BILLING_REPORTS_STRIPE_REPORTS": '[{"report_type": "balance.summary.1", "name": "of_mine"}]',
    }
    status, out, err = run("--config", "ENV", "--discover", environment=environment, command=True)
    assert status == 0, err
    assert "stripe_of_mine" in {stream["tap_stream_id"] for stream in json.loads(out)["streams"]}
    assert CANARY not in out + err


def test_no_env_file_is_looked_for_where_the_tap_is_installed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    read = []
    monkeypatch.setattr(tap, "parse_environment_config", lambda *given: read.append(given[-1]))
    assert TapBillingReports.in_environment() == {}
    assert read == []
    (tmp_path / ".env").touch()
    TapBillingReports.in_environment()
    assert read == [tmp_path / ".env"]


def test_discovery_needs_nothing():
    status, out, _ = run("--discover")
    assert status == 0
    assert "invoices" in {stream["tap_stream_id"] for stream in json.loads(out)["streams"]}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{broken " + CANARY, "is no JSON at line 1, column 2: look there and just before it"),
        ('{"a": 1,\n "stripe_api_key": "' + CANARY + '"\n "b": 2}', "is no JSON at line 3, column 2: look there"),
        ('{"stripe_api_key": "' + CANARY, "is no JSON at line 1, column 20"),
        ("[1]", "holds a list, and must hold one JSON object in { }"),
        (f'"{CANARY}"', "holds a text, and must hold one JSON object in { }"),
        ("1.5", "holds a number, and must hold one JSON object in { }"),
        (" \n", "is empty, and must hold one JSON object in { }"),
        ("[" * 100_000, "is no JSON that can be read: its brackets are nested too deep"),
    ],
)
@pytest.mark.parametrize("mode", [[], ["--discover"]])
def test_a_file_that_holds_no_settings(config, content, said, mode, caplog):
    path = config(content)
    status, out, err = run("--config", path, *mode)
    assert (status, out) == (1, "")
    assert f"--config: the file {path} {said}" in caplog.text
    assert CANARY not in caplog.text + err
    assert not any(record.exc_info for record in caplog.records)


def test_a_file_of_another_encoding(tmp_path, caplog):
    path = tmp_path / "config.json"
    path.write_bytes(b'{"a": 1,\n"b": "\xe5"}')
    status, _, _ = run("--config", str(path))
    assert status == 1
    assert f"--config: the file {path} is not UTF-8 text in line 2: save it as UTF-8" in caplog.text


def test_a_file_with_a_byte_order_mark_is_read(config, tmp_path):
    path = tmp_path / "with_a_mark.json"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(GOOD).encode())
    status, _, err = run("--config", str(path), "--discover")
    assert status == 0, err


def test_of_several_files_the_later_wins_and_the_wrong_one_is_named(config, tmp_path, caplog):
    later = tmp_path / "later.json"
    later.write_text('{"start_date": "no day"}')
    status, _, _ = run("--config", config(GOOD), "--config", str(later))
    assert (status, "setting start_date" in caplog.text) == (1, True)
    later.write_text("{,}")
    run("--config", config(GOOD), "--config", str(later))
    assert f"--config: the file {later} is no JSON at line 1, column 2" in caplog.text


def test_a_file_that_is_not_there(tmp_path, caplog):
    status, _, _ = run("--config", str(tmp_path / "none.json"))
    assert status == 1
    assert f"--config: the file {tmp_path / 'none.json'} cannot be read: No such file or directory" in caplog.text


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{broken " + CANARY, "is no JSON at line 1, column 2"),
        ('{"bookmarks":\n{"invoices": {}}', "is no JSON at line 2, column"),
        ("[]", "holds a list"),
        ('"text"', "holds a text"),
        ("", "is empty"),
        ("[" * 100_000, "is no JSON that can be read"),
    ],
)
@pytest.mark.parametrize("option", ["--state", "--catalog"])
def test_a_state_or_catalogue_that_is_none(config, tmp_path, content, said, option, caplog):
    path = tmp_path / "given.json"
    path.write_text(content)
    status, out, err = run("--config", config(GOOD), option, str(path))
    assert (status, out) == (1, "")
    assert f"{option}: the file {path} {said}" in caplog.text
    assert CANARY not in caplog.text + err
    assert not any(record.exc_info for record in caplog.records)


ANOTHER = {"streams": [{"tap_stream_id": "orders", "stream": "orders", "schema": {}, "metadata": []}]}


@pytest.mark.parametrize(
    ("catalog", "said"),
    [
        ({}, "--catalog: the file holds no catalogue"),
        ({"streams": {}}, "--catalog: the file holds no catalogue"),
        ({"streams": [{"stream": "invoices"}]}, "--catalog: the file holds no catalogue"),
        ({"streams": ["invoices"]}, "--catalog: the file holds no catalogue"),
        ({"streams": []}, "the catalogue has no stream of this tap (it has none): create it again with --discover"),
        (ANOTHER, "the catalogue has no stream of this tap (it has orders): create it again with --discover"),
    ],
)
def test_a_catalogue_that_is_none_of_this_tap_sends_nothing_and_fails(config, tmp_path, catalog, said, caplog):
    path = tmp_path / "catalog.json"
    path.write_text(json.dumps(catalog))
    status, out, _ = run("--config", config(GOOD), "--catalog", str(path))
    assert (status, out) == (1, "")
    assert said in caplog.text
    assert not any(record.exc_info for record in caplog.records)


def test_about_shows_no_value(config):
    status, out, err = run("--config", config(GOOD), "--about", "--format=json")
    assert status == 0
    assert json.loads(out)["name"] == "tap-billing-reports"
    assert CANARY not in out + err
