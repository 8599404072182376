"""A whole sync of one big report, as its own command: ordered, fetched, checked, read and sent. Peak memory by size."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from datetime import datetime, timezone
from pathlib import Path

from benchmarks.measure import PROJECT, peak_mib
from tap_billing_reports.sandbox.core import Sandbox

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=timezone.utc)
SIZES = {"100mb": 100, "1gb": 1024}  # MiB
REPORT = "balance_change_from_activity.itemized.3"
ROWS = "stripe_activity"
TAP = """
import atexit, sys
from pathlib import Path
status = Path(sys.argv.pop())
atexit.register(lambda: status.write_text(Path("/proc/self/status").read_text()))
import tap_billing_reports.__main__
"""


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
    config = {
        **box.settings(start_date="2026-10-01"),
        "end_date": "2026-11-01",
        "stripe_connected_accounts": [],
        "stripe_reports": [{"report_type": REPORT, "name": "activity", "window": "month"}],
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "config.json"
        path.write_text(json.dumps(config))
        status = Path(folder) / "status"
        command = [sys.executable, "-c", TAP, "--config", str(path), str(status)]
        with (
            (Path(folder) / "log").open("wb") as log,
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, cwd=PROJECT) as tap,
        ):
            rows, file = _taken(tap.stdout)
            _, ended, used = os.wait4(tap.pid, 0)
            tap.returncode = os.waitstatus_to_exitcode(ended)
        if tap.returncode or file["rows"] != rows:
            said = (Path(folder) / "log").read_text()[-2000:]
            raise RuntimeError(f"{rows} rows of {file}, exit status {tap.returncode}: {said}")
        peak = peak_mib(status.read_text())
    return {
        "bytes": file["size"],
        "rows": rows,
        "seconds": used.ru_utime + used.ru_stime,
        "rss_mib": peak,
    }


def _taken(lines):
    """Reads what a target would: how many rows there are, and the file's record."""
    rows, file = 0, {}
    for line in lines:
        if line.startswith(b'{"type":"RECORD","stream":"%s"' % ROWS.encode()):
            rows += 1
        elif b'"stream":"report_files"' in line and line.startswith(b'{"type":"RECORD"'):
            file = json.loads(line)["record"]
    return rows, file
