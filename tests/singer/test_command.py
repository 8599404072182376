"""The Singer command as a process: what it prints where, and how it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tap_billing_reports.sandbox.core import Sandbox
from tests.forking import TAP, forking
from tests.waiting import HANG_SECONDS


@pytest.fixture(scope="module")
def warm():
    with forking("tests.warm") as warm:
        yield warm


@pytest.fixture(scope="module")
def box():
    with Sandbox(stripe_run_seconds=0, bring_run_seconds=0) as box:
        yield box


@pytest.fixture
def run(warm, tmp_path):
    """Runs the command; in a new interpreter where `anew` asks for it."""

    def run(
        *args: str, config: dict | None = None, env: dict | None = None, cwd=None, anew: bool = False
    ) -> subprocess.CompletedProcess:
        arguments = list(args)
        if config is not None:
            path = tmp_path / "config.json"
            path.write_text(json.dumps(config))
            arguments += ["--config", str(path)]
        clean = {name: value for name, value in os.environ.items() if not name.startswith("TAP_BILLING_REPORTS")}
        clean["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
        variables = {**clean, **(env or {})}
        if not anew:
            return warm.run(TAP, arguments, cwd or Path.cwd(), variables)
        return subprocess.run(
            [sys.executable, "-m", "tap_billing_reports", *arguments],
            capture_output=True, text=True, timeout=HANG_SECONDS, env=variables, cwd=cwd, check=False,
        )  # fmt: skip

    return run


def small(box: Sandbox) -> dict:
    return {
        **box.settings(start_date=box.control.now().date().isoformat()),
        "stripe_connected_accounts": [],
        "bring_invoice_lines": False,
    }


def test_discovery_needs_no_settings(run):
    ended = run("--discover", anew=True)
    assert ended.returncode == 0
    names = {stream["tap_stream_id"] for stream in json.loads(ended.stdout)["streams"]}
    assert {"accounts", "invoices", "report_types", "report_runs", "report_files", "reconciliations"} <= names


def test_discovery_with_wrong_credentials_asks_nobody(run, box):
    before = len(box.control.requests())
    config = {**small(box), "stripe_api_key": "sk_test_wrong_key", "stripe_reports": [{"report_type": "x.summary.1"}]}
    ended = run("--discover", config=config)
    assert ended.returncode == 0
    assert "stripe_x_summary_1" in {stream["tap_stream_id"] for stream in json.loads(ended.stdout)["streams"]}
    assert len(box.control.requests()) == before


@pytest.mark.parametrize("command", ["--discover", "--test", "--test=schema"])
def test_settings_that_are_no_file_end_a_command_with_one_line_and_no_summary(run, tmp_path, command):
    """Neither is a sync of which there is a summary."""
    ended = run(command, "--summary", str(tmp_path / "summary.json"), "--config", str(tmp_path / "none.json"))
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert "none.json" in line
    assert not (tmp_path / "summary.json").exists()


def test_stdout_holds_singer_messages_and_nothing_else(run, box):
    ended = run(config=small(box), anew=True)
    assert ended.returncode == 0, ended.stderr
    kinds = {json.loads(line)["type"] for line in ended.stdout.splitlines()}
    assert kinds == {"SCHEMA", "RECORD", "STATE"}


def test_settings_from_the_environment(run, box):
    env = {
        f"TAP_BILLING_REPORTS_{name.upper()}": value if isinstance(value, str) else json.dumps(value)
        for name, value in small(box).items()
    }
    ended = run("--config=ENV", env=env, anew=True)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.count('"RECORD"') > 3


def test_settings_from_a_file_named_env_in_the_working_directory(run, box, tmp_path):
    lines = [
        f"TAP_BILLING_REPORTS_{name.upper()}='{value if isinstance(value, str) else json.dumps(value)}'\n"
        for name, value in small(box).items()
    ]
    (tmp_path / ".env").write_text("".join(lines))
    (tmp_path / "below").mkdir()
    ended = run("--config=ENV", cwd=tmp_path / "below")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.count('"RECORD"') > 3


def test_a_test_run_orders_nothing(run, box):
    config = {**small(box), "start_date": "2020-01-01", "bring_invoice_lines": True}
    config["stripe_reports"] = [{"report_type": "balance_change_from_activity.summary.1", "window": "month"}]
    before = box.control.counters()["orders"]
    ended = run("--test", config=config)
    assert ended.returncode == 0, ended.stderr
    assert box.control.counters()["orders"] == before
    assert "ERROR" not in ended.stderr, "that it ends each stream after a record is no error"


def test_a_setting_that_does_not_exist_is_told(run, box):
    ended = run(config={**small(box), "bring_lookbak_days": 3, "canary": 1})
    assert ended.returncode == 0, ended.stderr
    assert "left: setting bring_lookbak_days does not exist and has no effect: is bring_lookback_days" in ended.stderr
    assert "left: setting canary does not exist and has no effect" in ended.stderr


def test_a_stream_map_that_cannot_be_read_is_one_line(run, box):
    ended = run(config={**small(box), "stream_maps": {"invoices": {"x": "bogus("}}})
    assert ended.returncode == 1
    assert "setting stream_maps: " in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("setting", ["stripe_api_key", "bring_api_key", "brp_api_key"])
def test_a_test_run_fails_where_a_sync_would(run, box, setting):
    ended = run("--test", config={**small(box), setting: "canary-0000-key"})
    assert ended.returncode == 1
    assert setting in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "canary-0000-key" not in ended.stdout + ended.stderr


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"start_date": None}, "start_date"),
        ({"start_date": "yesterday-canary"}, "start_date"),
        ({"stripe_account_id": ""}, "stripe_account_id"),
        ({"stripe_api_key": 12345678}, "stripe_api_key"),
        ({"stripe_reports": [{"report_type": "a.b.1", "window": "canary-window"}]}, "stripe_reports[0].window"),
        ({"bring_base_url": "http://canary.example"}, "bring_base_url"),
        ({"decimals_as": "canary"}, "decimals_as"),
    ],
)
def test_wrong_settings_are_one_line_each(run, box, change, named):
    config = {name: value for name, value in {**small(box), **change}.items() if value is not None}
    ended = run(config=config)
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert "Traceback" not in ended.stderr
    assert [line for line in ended.stderr.splitlines() if named in line]
    assert "canary" not in ended.stderr
    assert "12345678" not in ended.stderr


@pytest.mark.parametrize(
    ("setting", "source"),
    [("stripe_api_key", "stripe"), ("bring_api_key", "bring"), ("brp_api_key", "brp")],
)
def test_wrong_credentials_name_source_account_and_setting(run, box, setting, source):
    ended = run(config={**small(box), setting: "canary-0000-key"})
    assert ended.returncode == 1
    lines = [line for line in ended.stderr.splitlines() if setting in line]
    assert lines, ended.stderr
    assert all(f"{source} account" in line for line in lines)
    assert "canary-0000-key" not in ended.stdout + ended.stderr
    assert "Traceback" not in ended.stderr
    others = {json.loads(line)["record"]["source"] for line in ended.stdout.splitlines() if '"RECORD"' in line}
    assert len(others - {source}) == 2, "the other vendors have arrived"


FOREIGN_STATES = [
    {"type": "STATE", "value": {"bookmarks": {}}},
    {"singer_state": {"bookmarks": {}}},
    {"bookmarks": []},
    {"bookmarks": {"invoices": None}},
    {"bookmarks": {"orders": {"replication_key": "updated_at", "replication_key_value": "2026-01-01"}}},
    {"bookmarks": {"x": {"ledger": [{"version": 99, "account": "a"}]}}},
    {"bookmarks": {"invoices": {"partitions": [{"context": {"id": 1}, "replication_key_value": "2026-11-01"}]}}},
    {
        "bookmarks": {
            "invoices": {
                "partitions": [
                    {
                        "context": {"source": "stripe", "account_id": "a"},
                        "replication_key_value": "2026-11-01T00:00:00Z",
                    }
                ]
            }
        }
    },
    {"bookmarks": {"report_runs": {"listed": [{"source": "stripe", "account_id": "a", "created_at": "now"}]}}},
]


@pytest.mark.parametrize("state", FOREIGN_STATES)
def test_a_foreign_state_is_refused_before_any_state_goes_out(run, box, tmp_path, state):
    (tmp_path / "state.json").write_text(json.dumps(state))
    ended = run("--state", str(tmp_path / "state.json"), config=small(box))
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert "Traceback" not in ended.stderr
    assert "full refresh" in ended.stderr
