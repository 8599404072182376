"""docs/operations.md is true: its commands run, and its words are those that the commands use."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import pytest

from tap_billing_reports.cli import plan
from tap_billing_reports.reports.jobs import GOT, Step
from tests.cli.desk import DAILY
from tests.docs.pages import ROOT, blocks, rows
from tests.waiting import HANG_SECONDS

PAGE = (ROOT / "docs" / "operations.md").read_text()


@pytest.mark.parametrize("block", blocks(PAGE, "sh"))
def test_the_commands_run_as_they_stand_there(desk, tmp_path, block):
    # The clock of a process of its own is not the vendors': runs are ready at once.
    desk.control.options["stripe_run_seconds"] = 0
    (tmp_path / "config.json").write_text(json.dumps(desk.only("stripe", DAILY)))
    (tmp_path / "state.json").write_text("{}")
    command = tmp_path / "billing-reports"
    command.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m tap_billing_reports.cli.main "$@"\n')
    command.chmod(0o755)
    shell = ["bash", "-euc", f"PATH=.:$PATH\n{block}"]
    # A temporary folder of its own: `doctor` looks at what killed syncs have left there.
    (tmp_path / "temporary").mkdir()
    environment = os.environ | {"TMPDIR": str(tmp_path / "temporary")}
    ran = subprocess.run(
        shell, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=HANG_SECONDS, check=False
    )
    assert ran.returncode == 0, ran.stderr + ran.stdout
    assert ran.stdout or ran.stderr, "a sync speaks on stderr"


def test_every_action_and_event_is_explained():
    actions = {name for cell, _ in rows(PAGE, "action") for name in re.findall(r"`(\w+)`", cell)}
    assert actions == {*plan._WORDS.values(), plan.SKIP, plan.WAIT, plan.FAIL}
    assert set(plan._WORDS) == GOT | {Step.DEFERRED}
    events = {name for cell, *_ in rows(PAGE, "event") for name in re.findall(r"`(\w+)`", cell)}
    assert events == {step.value for step in Step} | {"waiting", "progress"}
