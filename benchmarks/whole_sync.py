"""A whole sync of one big report, as its own command: ordered, fetched, checked, read and sent. Peak memory by size."""

from __future__ import annotations

import json
import tempfile
from datetime import datetime, timezone

from benchmarks.measure import TAP, peak_mib, synced
from tap_billing_reports.sandbox.core import Sandbox

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=timezone.utc)
SIZES = {"100mb": 100, "1gb": 1024}  # MiB
REPORT = {"report_type": "balance_change_from_activity.itemized.3", "name": "activity", "window": "month"}
RECORD = b'{"type":"RECORD","stream":"stripe_activity"'
FILE = b'{"type":"RECORD","stream":"report_files"'
STATUS = (
    "import atexit, sys; from pathlib import Path; status = Path(sys.argv.pop()); "
    "atexit.register(lambda: status.write_text(Path('/proc/self/status').read_text())); "
)


def measure():
    with Sandbox(NOW, vendors=("stripe",), stripe_run_seconds=0) as box:
        small = _sync(box, 1)
        results = {}
        for name, mib in SIZES.items():
            ran = _sync(box, -(-(mib << 20) // small["bytes"]))
            results[f"whole_sync.rss_mib.{name}"] = round(ran["rss_mib"], 1)
        results["whole_sync.rows_per_second"] = round(ran["rows"] / ran["seconds"])
    return results


def _sync(box, times):
    """One file, its rows repeated so many times: its size, its rows, seconds of processor time, peak memory."""
    box.control.reset()
    box.control.options["stripe_rows_multiplier"] = times
    settings = {"end_date": "2026-11-01", "stripe_reports": [REPORT]}
    rows, file = 0, {}
    with tempfile.NamedTemporaryFile("r") as status:
        with synced(box, "2026-10-01", status.name, program=STATUS + TAP, **settings) as sync:
            for line in sync.lines:
                rows += line.startswith(RECORD)
                if line.startswith(FILE):
                    file = json.loads(line)["record"]
        peak = peak_mib(status.read())
    if file["rows"] != rows:
        raise RuntimeError(f"{rows} rows of {file}")
    return {"bytes": file["size"], "rows": rows, "seconds": sync.processor_seconds, "rss_mib": peak}
