"""Forty runs of twenty seconds each, ten at a time: eighty seconds, and what the tap needs. Real time."""

from __future__ import annotations

from datetime import timedelta

from benchmarks.measure import synced
from tap_billing_reports.sandbox.core import Sandbox

RUNS, BUDGET, RUN_SECONDS = 40, 10, 20
IDEAL = RUNS / BUDGET * RUN_SECONDS
REPORT = {"report_type": "balance_change_from_activity.summary.1", "window": "day"}


def measure():
    with Sandbox(vendors=("stripe",), stripe_run_seconds=RUN_SECONDS, stripe_concurrent_runs=BUDGET) as box:
        # Data lag behind by up to two days.
        last = (box.control.now() - timedelta(days=3)).date()
        settings = {"end_date": str(last), "stripe_max_concurrent_runs": BUDGET, "stripe_reports": [REPORT]}
        with synced(box, str(last - timedelta(days=RUNS)), **settings) as sync:
            sync.lines.read()
        orders = box.control.counters()["orders"]["stripe"]["total"]
    if orders != RUNS:
        raise RuntimeError(f"{orders} orders")
    return {"waiting.ratio_to_ideal": round(sync.seconds / IDEAL, 3), "waiting.seconds": round(sync.seconds, 1)}
