"""The command itself: wrong settings are one line each on stderr, exit 1, no traceback, and nothing on stdout."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from tap_billing_reports.tap import TapBillingReports

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
            timeout=60,
        )
        return done.returncode, done.stdout, done.stderr
    done = CliRunner().invoke(TapBillingReports.get_singer_command(), arguments, env=environment)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.stdout, done.stderr


@pytest.fixture
def config(tmp_path: Path):
    def write(content: Any) -> str:
        path = tmp_path / "config.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return str(path)

    return write


@pytest.mark.parametrize("mode", [[], ["--discover"], ["--test"], ["--test=schema"]])
def test_wrong_settings(config, mode):
    path = config({**GOOD, "max_new_runs": CANARY, "stripe_reports": {CANARY: CANARY}})
    status, out, err = run("--config", path, *mode, command=True)
    assert status == 1
    assert out == ""
    assert "setting max_new_runs must be of type integer" in err
    assert "setting stripe_reports must be of type array" in err
    assert CANARY not in err
    assert "Traceback" not in err
    assert len([line for line in err.splitlines() if "ERROR" in line]) == 2


@pytest.mark.parametrize("mode", [[], ["--discover"], ["--test"]])
def test_a_wrong_environment(mode):
    environment = {
        "TAP_BILLING_REPORTS_START_DATE": "2026-01-01",
        "TAP_BILLING_REPORTS_STRIPE_API_KEY": CANARY,
        "TAP_BILLING_REPORTS_STRIPE_ACCOUNT_ID": "acct_1",
        "TAP_BILLING_REPORTS_RUN_DEADLINE_MINUTES": CANARY,
        "TAP_BILLING_REPORTS_STRIPE_REPORTS": f'[{{"report_type": "{CANARY}"',
        "TAP_BILLING_REPORTS_BRING_CUSTOMERS": "",
        "TAP_BILLING_REPORTS_MAX_NEW_RUNS": "",
    }
    status, out, err = run("--config", "ENV", *mode, environment=environment, command=True)
    assert status == 1
    assert out == ""
    assert "setting run_deadline_minutes must be of type integer" in err
    assert "setting stripe_reports must be of type array" in err
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


def test_discovery_needs_nothing():
    status, out, _ = run("--discover", command=True)
    assert status == 0
    assert "invoices" in {stream["tap_stream_id"] for stream in json.loads(out)["streams"]}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{broken " + CANARY, "--config names a file that cannot be read: it must hold one JSON object"),
        ("[1]", "it must hold one JSON object"),
        ("", "it must hold one JSON object"),
        ("[" * 100_000, "it must hold one JSON object"),
    ],
)
@pytest.mark.parametrize("mode", [[], ["--discover"]])
def test_a_file_that_holds_no_settings(config, content, said, mode, caplog):
    status, out, err = run("--config", config(content), *mode)
    assert (status, out) == (1, "")
    assert said in caplog.text
    assert CANARY not in caplog.text + err


def test_a_file_that_is_not_there(tmp_path, caplog):
    status, _, _ = run("--config", str(tmp_path / "none.json"))
    assert status == 1
    assert "--config names a file that cannot be read" in caplog.text


@pytest.mark.parametrize("content", ["{broken " + CANARY, "[]", '"text"', "", "[" * 100_000])
@pytest.mark.parametrize("option", ["--state", "--catalog"])
def test_a_state_or_catalogue_that_is_none(config, tmp_path, content, option, caplog):
    path = tmp_path / "given.json"
    path.write_text(content)
    status, out, err = run("--config", config(GOOD), option, str(path))
    assert (status, out) == (1, "")
    assert f"{option} names a file that holds no" in caplog.text
    assert CANARY not in caplog.text + err
    assert not any(record.exc_info for record in caplog.records)


def test_about_shows_no_value(config):
    status, out, err = run("--config", config(GOOD), "--about", "--format=json", command=True)
    assert status == 0
    assert json.loads(out)["name"] == "tap-billing-reports"
    assert CANARY not in out + err
