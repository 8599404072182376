"""The workflows, and the step that the example runs: here it runs against the emulated vendors."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
import yaml

from scripts.demo.meltano import as_variable
from tap_billing_reports.sandbox.core import Sandbox

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = [ROOT / "examples" / "github-actions" / "billing-sync.yml", ROOT / ".github" / "workflows" / "test.yml"]


def loaded(path):
    """A workflow; YAML takes the key `on` for the truth value."""
    document = yaml.safe_load(path.read_text())
    return document | {"on": document[True]}


def steps(workflow):
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_may_do_little_and_ends(path):
    workflow = loaded(path)
    assert workflow["permissions"] == {"contents": "read"}
    assert workflow["concurrency"]["group"]
    for job in workflow["jobs"].values():
        assert job["timeout-minutes"]
        assert "permissions" not in job
        assert "continue-on-error" not in job
    for step in steps(workflow):
        assert "continue-on-error" not in step
        # What comes from outside reaches a shell through the environment alone.
        assert "${{" not in step.get("run", "")
        if "uses" in step:
            assert re.fullmatch(r"actions/[a-z/-]+@v\d+", step["uses"])
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


def test_the_projects_own_workflow_runs_the_verbs_with_each_python():
    workflow = loaded(WORKFLOWS[1])
    runs = [step["run"] for step in steps(workflow) if "run" in step]
    assert {"make test", "make demo"} <= set(runs)
    assert any("pip-audit" in run and "constraints.txt" in run for run in runs)
    project = (ROOT / "pyproject.toml").read_text()
    offered = re.findall(r"Programming Language :: Python :: (3\.\d+)", project)
    assert workflow["jobs"]["test"]["strategy"]["matrix"]["python"] == offered


def test_the_example_syncs_once_at_a_time_and_keeps_its_summary():
    workflow = loaded(WORKFLOWS[0])
    assert workflow["concurrency"]["cancel-in-progress"] is False
    assert workflow["on"]["schedule"]
    found = steps(workflow)
    sync = next(step for step in found if step.get("run", "").startswith("billing-reports sync "))
    (kept,) = [step for step in found if step.get("uses", "").startswith("actions/upload-artifact@")]
    assert kept["if"].startswith("always()")
    assert f"--summary {kept['with']['path']}" in sync["run"]
    assert [step for step in found if "secrets." in json.dumps(step)] == [sync]
    variables = {name for name in sync["env"] if name.startswith("TAP_BILLING_REPORTS_")}
    example = {
        f"TAP_BILLING_REPORTS_{setting['name'].upper()}"
        for setting in yaml.safe_load((ROOT / "meltano.yml").read_text())["plugins"]["extractors"][0]["settings"]
    }
    assert variables <= example


@pytest.fixture(scope="module")
def sandbox():
    now = datetime.now(timezone.utc) - timedelta(days=1)
    with Sandbox(now=now, vendors=("stripe",), stripe_run_seconds=0) as box:
        yield box


def test_the_examples_step_goes_on_where_the_last_one_ended(sandbox, tmp_path):
    """With the variables of the workflow, but for what names the vendor, and a DuckDB file for PostgreSQL."""
    sync = next(step for step in steps(loaded(WORKFLOWS[0])) if step.get("name") == "Sync")
    environment = {name: value for name, value in sync["env"].items() if "${{" not in value}
    settings = {name: value for name, value in sandbox.settings("2026-01-01").items() if name.startswith("stripe_")}
    settings |= {"start_date": (datetime.now(timezone.utc) - timedelta(days=40)).date().isoformat()}
    del settings["stripe_connected_accounts"]
    environment |= {f"TAP_BILLING_REPORTS_{name.upper()}": as_variable(value) for name, value in settings.items()}
    environment["BILLING_REPORTS_WAREHOUSE"] = f"duckdb:{tmp_path / 'warehouse.duckdb'}"
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}/usr/bin:/bin"

    def run(**changes):
        words = ["bash", "-e", "-c", sync["run"]]
        return subprocess.run(
            words, cwd=tmp_path, env=environment | changes, capture_output=True, text=True, check=False
        )

    def orders():
        return sandbox.control.counters()["orders"].get("stripe", {}).get("total", 0)

    first = run()
    assert first.returncode == 0, first.stderr
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary["loaded"]["stripe_balance_change_from_activity_itemized_3"] > 0
    ordered = orders()
    assert ordered > 0
    assert run().returncode == 0
    assert orders() == ordered, "nothing is read twice"
    failed = run(TAP_BILLING_REPORTS_STRIPE_API_KEY="rk_test_wrong")
    assert failed.returncode == 1
    assert "rk_test_wrong" not in failed.stdout + failed.stderr
    assert json.loads((tmp_path / "summary.json").read_text())["exit_status"] == 1
