"""Discovery imports what it needs, asks nobody, and leaves the rest to a sync."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).parents[2]
ONLY_FOR_A_SYNC = (
    "lxml",
    "pyarrow",
    "duckdb",
    "starlette",
    "uvicorn",
    "tap_billing_reports.sandbox",
    "tap_billing_reports.singer.lifecycle",
    "tap_billing_reports.singer.session",
    "tap_billing_reports.singer.console.progress",
    "tap_billing_reports.reports.runs.runner",
    "tap_billing_reports.reports.files.readers.csv",
)
PROGRAM = """
import atexit, json, socket, sys

def refuse(*_):
    raise RuntimeError("discovery asks nobody")

socket.socket.connect = socket.getaddrinfo = refuse
atexit.register(lambda: print(json.dumps(sorted(sys.modules)), file=sys.stderr))
from tap_billing_reports.singer.tap import TapBillingReports

TapBillingReports.cli(["--discover"])
"""


def test_discovery_imports_nothing_that_only_a_sync_uses():
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        capture_output=True,
        text=True,
        cwd=PROJECT,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(PROJECT), *filter(None, sys.path)])},
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    assert {stream["tap_stream_id"] for stream in json.loads(ran.stdout)["streams"]} > {"invoices", "report_runs"}
    modules = json.loads(ran.stderr.splitlines()[-1])
    assert "singer_sdk" in modules
    assert [name for name in modules if name.startswith(ONLY_FOR_A_SYNC)] == []
