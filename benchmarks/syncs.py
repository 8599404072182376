"""Whole commands: memory and speed of a sync, bytes of STATE, how long the start takes and how well waiting is used."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timedelta, timezone
from functools import partial
from pathlib import Path
from subprocess import PIPE, Popen

from benchmarks.measure import PROJECT, ratio, run
from benchmarks.rows import SIZES
from scripts.airflow.measure import Taken, timed
from tap_billing_reports.sandbox.core import Sandbox

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=timezone.utc)
ACTIVITY = {"report_type": "balance_change_from_activity.itemized.3", "name": "activity"}
RECORD = b'{"type":"RECORD","stream":"stripe_activity"'
FILE = b'{"type":"RECORD","stream":"report_files"'

ACCOUNTS = (10, 100, 500)
SUBJECTS, INVOICES = 2000, 100_000

STARTS = 9
SDK_ALONE = "import pathlib, singer_sdk; [one.read_bytes() for one in pathlib.Path('schemas').rglob('*.json')]"

RUNS, AT_ONCE, RUN_SECONDS = 40, 10, 20
SUMMARY = {"report_type": "balance_change_from_activity.summary.1", "window": "day"}

BYTES_A_SECOND, ROWS_A_SECOND = 2_000_000, 3_000
TIMES = 300  # each row of the sandbox's; files of about 2 to 5 MB
ONE_BY_ONE = "from tap_billing_reports.reports.files.prefetch import Ahead; Ahead.begin = lambda *_, **__: None; "


def _synced(box, start, read, *, before="", **settings):
    """A sync of the sandbox's Stripe from that day on, by a process that runs `before` first.

    Returns what `read` makes of its lines, its seconds by the clock, and what it has taken.
    """
    config = {**box.settings(start_date=start), "stripe_connected_accounts": [], **settings}
    with tempfile.TemporaryDirectory() as folder:
        path, log, report = (Path(folder, name) for name in ("config.json", "log", "report"))
        path.write_text(json.dumps(config))
        tap = [sys.executable, "-c", f"{before}import tap_billing_reports.__main__", "--config", str(path)]
        started = time.monotonic()
        with log.open("wb") as said, Popen(timed(report, tap), stdout=PIPE, stderr=said, cwd=PROJECT) as process:
            found = read(process.stdout)
        seconds = time.monotonic() - started
        if process.returncode:
            raise RuntimeError(f"exit status {process.returncode}: {log.read_text()[-2000:]}")
        return found, seconds, Taken.read(report)


def _read(lines, *, pause=0.0):
    """How many rows of the report came, and the record of its last file; a pause after each hundred rows."""
    rows, file = 0, {}
    for line in lines:
        if line.startswith(RECORD):
            rows += 1
            if pause and rows % 100 == 0:
                time.sleep(pause)
        elif line.startswith(FILE):
            file = json.loads(line)["record"]
    return rows, file


def whole_sync():
    """One big report, as the tap's own command: ordered, fetched, checked, read and sent. Peak memory by size."""
    settings = {"end_date": "2026-11-01", "stripe_reports": [{**ACTIVITY, "window": "month"}]}
    with Sandbox(NOW, vendors=("stripe",), stripe_run_seconds=0) as box:

        def sync(times):
            """Each row of the sandbox's so many times: what it took, the rows and the record of the one file."""
            box.control.reset()
            box.control.options["stripe_rows_multiplier"] = times
            (rows, file), _, took = _synced(box, "2026-10-01", _read, **settings)
            if file["rows"] != rows:
                raise RuntimeError(f"{rows} rows of {file}")
            return took, rows, file

        *_, small = sync(1)
        found = {}
        for name in ("100mb", "1gb"):
            took, rows, _ = sync(-(-(SIZES[name] << 20) // small["size"]))
            found[f"whole_sync.rss_mib.{name}"] = took.mib
        return found | {"whole_sync.rows_per_second": rows / took.cpu}


def state_bytes():
    """STATE bytes of a sync, all STATEs together, by the number of accounts: invoices and a report of each."""

    def sync(*words):
        return run("-m", "benchmarks.bigbring", *words)

    found = {f"state_bytes.{accounts}": sync(accounts, 1)["state_bytes"] for accounts in ACCOUNTS}
    few, many = ACCOUNTS[0], ACCOUNTS[-1]
    growth = (found[f"state_bytes.{many}"] / many) / (found[f"state_bytes.{few}"] / few)
    found[f"state.bytes_an_account_{many}_to_{few}"] = growth
    for what, words in {f"{SUBJECTS}_subjects": (SUBJECTS,), f"{INVOICES}_invoices": (INVOICES, "unspecified")}.items():
        told = sync(1, *words)
        found[f"state.{what}_bytes"] = told["state_bytes"]
        found[f"state.{what}_messages"] = told["states"]
        found[f"state.{what}_seconds"] = told["seconds"]
    return found


def startup():
    """`--discover` against importing the SDK and reading our schemas: processor time of whole processes."""
    # As installed: with the byte code that pip leaves beside the modules.
    env = {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}

    def seconds(*words):
        with tempfile.NamedTemporaryFile() as report:
            command = timed(report.name, [sys.executable, *words])
            subprocess.run(command, capture_output=True, env=env, cwd=PROJECT, check=True)
            return Taken.read(Path(report.name)).cpu

    discover, alone = partial(seconds, "-m", "tap_billing_reports", "--discover"), partial(seconds, "-c", SDK_ALONE)
    discover(), alone()  # the first time writes byte code
    figures = ("ratio_to_sdk_import", "discover_seconds", "sdk_import_seconds")
    return {f"startup.{name}": seen for name, seen in zip(figures, ratio(discover, alone, STARTS), strict=True)}


def waiting():
    """Forty runs of twenty seconds each, ten at a time: eighty seconds, and what the tap needs. Real time."""
    with Sandbox(vendors=("stripe",), stripe_run_seconds=RUN_SECONDS, stripe_concurrent_runs=AT_ONCE) as box:
        # Data lag behind by up to two days.
        last = (box.control.now() - timedelta(days=3)).date()
        settings = {"end_date": str(last), "stripe_max_concurrent_runs": AT_ONCE, "stripe_reports": [SUMMARY]}
        _, seconds, _ = _synced(box, str(last - timedelta(days=RUNS)), _read, **settings)
        orders = box.control.counters()["orders"]["stripe"]["total"]
    if orders != RUNS:
        raise RuntimeError(f"{orders} orders")
    ideal = RUNS / AT_ONCE * RUN_SECONDS
    return {"waiting.ratio_to_ideal": seconds / ideal, "waiting.seconds": seconds}


def overlap():
    """Files that come slowly and a target that takes rows slowly: side by side, or one after the other. Real time."""

    slowly = partial(_read, pause=100 / ROWS_A_SECOND)
    with Sandbox(NOW, vendors=("stripe",), stripe_run_seconds=0, stripe_rows_multiplier=TIMES) as box:
        box.control.fault({"drip": BYTES_A_SECOND}, {"path": "/contents"})
        settings = {"end_date": "2026-11-17", "stripe_reports": [ACTIVITY]}
        syncs = (_synced(box, "2026-11-08", slowly, before=before, **settings) for before in ("", ONE_BY_ONE))
        ((rows, _), together, _), ((again, _), apart, _) = syncs
    if rows != again or not rows:
        raise RuntimeError(f"{rows} rows and {again}")
    return {
        "overlap.ratio_to_one_by_one": together / apart,
        "overlap.seconds": together,
        "overlap.one_by_one_seconds": apart,
    }
