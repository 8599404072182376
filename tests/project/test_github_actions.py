"""The workflows, and the script that the example runs: here it runs against the emulated vendors."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from scripts.demo.meltano import as_variable
from tap_billing_reports.sandbox.core import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "github-actions"
SCRIPT = EXAMPLE / "sync.sh"
WORKFLOWS = [EXAMPLE / "billing-sync.yml", ROOT / ".github" / "workflows" / "test.yml"]
ROWS = "stripe_balance_change_from_activity_summary_1"

# Stores nothing but the number of records, and lets the states through, as a target does.
TARGET = """
import json, sys
for line in sys.stdin:
    message = json.loads(line)
    if message["type"] == "RECORD":
        with open("loaded.txt", "a") as file:
            file.write(message["stream"] + "\\n")
    if message["type"] == "STATE":
        print(json.dumps(message["value"]), flush=True)
"""
KILLED_TARGET = """
import sys
sys.stdin.readline()
print('{"bookmarks": {"from": "a whole line"}}')
print('{"bookmarks": {"fro', end="", flush=True)
sys.stdin.read()
sys.exit(3)
"""


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


def test_the_example_restores_the_state_keeps_it_always_and_never_overlaps():
    workflow = loaded(WORKFLOWS[0])
    assert workflow["concurrency"]["cancel-in-progress"] is False
    assert workflow["on"]["schedule"]
    found = steps(workflow)
    uses = [step.get("uses", "").partition("@")[0] for step in found]
    sync = next(index for index, step in enumerate(found) if step.get("run") == f"bash scripts/{SCRIPT.name}")
    kept = [uses.index("actions/cache/save"), uses.index("actions/upload-artifact")]
    assert uses.index("actions/cache/restore") < sync < min(kept)
    for index in kept:
        assert found[index]["if"].startswith("always()")
    secrets = [step for step in found if "secrets." in json.dumps(step)]
    assert secrets == [found[sync]]
    variables = {name for name in found[sync]["env"] if name.startswith("TAP_BILLING_REPORTS_")}
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


@dataclass
class Script:
    """The script, run by a call, and what it left."""

    run: Callable[..., subprocess.CompletedProcess[str]]
    folder: Path
    sandbox: Sandbox

    def __call__(self, target=TARGET, **variables):
        return self.run(target, **variables)

    @property
    def state(self) -> Path:
        return self.folder / "state" / "state.json"

    def orders(self) -> int:
        return self.sandbox.control.counters()["orders"].get("stripe", {}).get("total", 0)


@pytest.fixture
def sync(sandbox, tmp_path):
    """Runs the script as the workflow does; what it ended with."""
    sandbox.control.reset()
    settings = sandbox.settings((datetime.now(timezone.utc) - timedelta(days=40)).date().isoformat()) | {
        "stripe_connected_accounts": [],
        "stripe_reports": [{"report_type": "balance_change_from_activity.summary.1", "window": "month"}],
    }
    programs = tmp_path / "bin"
    programs.mkdir()
    tap = programs / "tap-billing-reports"
    tap.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m tap_billing_reports "$@"\n')
    tap.chmod(0o755)
    (programs / "python3").symlink_to(sys.executable)
    work = tmp_path / "work"
    work.mkdir()

    def run(target, **variables):
        (work / "target.py").write_text(target)
        env = {
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "STATE_DIR": "state",
            "TARGET": "python3 target.py",
            "GITHUB_STEP_SUMMARY": str(work / "summary.md"),
        }
        env |= {f"TAP_BILLING_REPORTS_{name.upper()}": as_variable(value) for name, value in settings.items()}
        return subprocess.run(
            ["bash", str(SCRIPT)], cwd=work, env=env | variables, capture_output=True, text=True, check=False
        )

    return Script(run, work, sandbox)


def test_the_second_sync_goes_on_where_the_first_ended(sync):
    first = sync()
    assert first.returncode == 0, first.stdout + first.stderr
    state = json.loads(sync.state.read_text())
    assert state["bookmarks"][ROWS]
    assert ROWS in (sync.folder / "loaded.txt").read_text().split()
    ordered = sync.orders()
    assert ordered > 0
    (sync.folder / "loaded.txt").unlink()
    second = sync()
    assert second.returncode == 0, second.stdout + second.stderr
    assert sync.orders() == ordered
    assert ROWS not in (sync.folder / "loaded.txt").read_text().split()
    assert "exit status 0, target: exit status 0" in (sync.folder / "summary.md").read_text()
    assert sorted(path.name for path in sync.state.parent.iterdir()) == ["state.json"]


def test_a_failed_tap_is_seen_and_its_state_kept(sync):
    ended = sync(TAP_BILLING_REPORTS_STRIPE_API_KEY="rk_test_wrong")
    assert ended.returncode == 1
    assert "::error title=Billing sync failed::tap: exit status 1, target: exit status 0" in ended.stdout
    assert "rk_test_wrong" not in ended.stdout + ended.stderr
    assert isinstance(json.loads(sync.state.read_text()), dict)


def test_a_killed_target_is_seen_and_its_last_whole_state_kept(sync):
    ended = sync(KILLED_TARGET)
    assert ended.returncode == 1
    assert "target: exit status 3" in ended.stdout
    assert json.loads(sync.state.read_text()) == {"bookmarks": {"from": "a whole line"}}


def test_a_target_that_says_nothing_leaves_the_earlier_state(sync):
    sync.state.parent.mkdir()
    sync.state.write_text('{"bookmarks": {}}')
    ended = sync("import sys; sys.exit(5)")
    assert ended.returncode == 1
    assert json.loads(sync.state.read_text()) == {"bookmarks": {}}
