"""Forty runs of twenty seconds each, ten at a time: eighty seconds, and what the tap needs. Real time."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from benchmarks.measure import PROJECT
from tap_billing_reports.sandbox.core import Sandbox

RUNS, BUDGET, RUN_SECONDS = 40, 10, 20
IDEAL = RUNS / BUDGET * RUN_SECONDS
REPORT = "balance_change_from_activity.summary.1"


def measure():
    with Sandbox(vendors=("stripe",), stripe_run_seconds=RUN_SECONDS, stripe_concurrent_runs=BUDGET) as box:
        # Data lag behind by up to two days.
        last = (box.control.now() - timedelta(days=3)).date()
        config = {
            **box.settings(start_date=str(last - timedelta(days=RUNS))),
            "end_date": str(last),
            "stripe_connected_accounts": [],
            "stripe_max_concurrent_runs": BUDGET,
            "stripe_reports": [{"report_type": REPORT, "window": "day"}],
        }
        started = time.monotonic()
        ran = _sync(config)
        seconds = time.monotonic() - started
        orders = box.control.counters()["orders"]["stripe"]["total"]
    if ran.returncode or orders != RUNS:
        raise RuntimeError(f"{orders} orders, exit status {ran.returncode}: {ran.stderr[-2000:]}")
    return {"waiting.ratio_to_ideal": round(seconds / IDEAL, 3), "waiting.seconds": round(seconds, 1)}


def _sync(config):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "config.json"
        path.write_text(json.dumps(config))
        command = [sys.executable, "-m", "tap_billing_reports", "--config", str(path)]
        return subprocess.run(command, capture_output=True, text=True, cwd=PROJECT, check=False)
