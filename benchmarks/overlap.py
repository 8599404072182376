"""Files that come slowly and a target that takes rows slowly: side by side, against one after the other. Real time."""

from __future__ import annotations

import time
from datetime import datetime, timezone

from benchmarks.measure import TAP, synced
from tap_billing_reports.sandbox.core import Sandbox

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=timezone.utc)
REPORT = {"report_type": "balance_change_from_activity.itemized.3", "name": "activity"}
BYTES_A_SECOND = 2_000_000
ROWS_A_SECOND = 3_000
TAKEN_TOGETHER = 100
RECORD = b'{"type":"RECORD","stream":"stripe_activity"'
TIMES = 300  # each row of the sandbox's; files of about 2 to 5 MB
ALONE = "from tap_billing_reports.reports.files.prefetch import Ahead; Ahead.begin = lambda *_, **__: None; "


def measure():
    with Sandbox(NOW, vendors=("stripe",), stripe_run_seconds=0, stripe_rows_multiplier=TIMES) as box:
        box.control.fault({"drip": BYTES_A_SECOND}, {"path": "/contents"})
        side_by_side, rows = _sync(box, TAP)
        one_by_one, again = _sync(box, ALONE + TAP)
    if rows != again or not rows:
        raise RuntimeError(f"{rows} rows and {again}")
    return {
        "overlap.ratio_to_one_by_one": round(side_by_side / one_by_one, 3),
        "overlap.seconds": round(side_by_side, 1),
        "overlap.one_by_one_seconds": round(one_by_one, 1),
    }


def _sync(box, program):
    """Seconds from start to end, and how many rows came."""
    rows = 0
    with synced(box, "2026-11-08", program=program, end_date="2026-11-17", stripe_reports=[REPORT]) as sync:
        for line in sync.lines:
            rows += line.startswith(RECORD)
            if line.startswith(RECORD) and rows % TAKEN_TOGETHER == 0:
                time.sleep(TAKEN_TOGETHER / ROWS_A_SECOND)
    return sync.seconds, rows
