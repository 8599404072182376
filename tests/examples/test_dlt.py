"""examples/dlt as its user has it, against emulated vendors: two syncs, and the vendors' own sums beside what arrived.

Collected where .tools/dlt is (see conftest), which `make dlt` makes.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from datetime import datetime, timedelta, timezone

import pytest

from scripts import venvs
from scripts.totals import OF_SYNCS, compare
from scripts.warehouse import FILE, query, tables
from tap_billing_reports.sandbox.core import Sandbox
from tests.examples.places import DLT, ROOT
from tests.waiting import HANG_SECONDS

NOW = datetime.now(timezone.utc)
ROWS = "stripe_balance_change_from_activity_itemized_3"


@pytest.fixture
def sandbox():
    with Sandbox(now=NOW - timedelta(days=2), stripe_run_seconds=0, vendors=("stripe", "brp")) as box:
        yield box


@pytest.fixture
def sync(tmp_path):
    """A sync by the example's command; its exit status has to be the expected one."""
    python = venvs.ENVIRONMENTS["dlt"].python

    def run(config, expect=0):
        environment = {
            **os.environ,
            "DLT_DATA_DIR": str(tmp_path / "pipelines"),
            "RUNTIME__DLTHUB_TELEMETRY": "false",
            "PYTHONPATH": str(ROOT),  # of the tap, which is another interpreter's
        }
        command = [str(python), str(DLT / "billing_pipeline.py"), "--tap", f"{sys.executable} -m tap_billing_reports"]
        done = subprocess.run(
            [*command, "--config", str(config)],
            cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=HANG_SECONDS, check=False,
        )  # fmt: skip
        assert done.returncode == expect, done.stderr[-3000:]
        return done.stderr

    return run


def test_two_syncs(sandbox, sync, tmp_path):
    settings = {
        **sandbox.settings((NOW - timedelta(days=9)).date().isoformat()),
        "stripe_connected_accounts": [],
        "stripe_reports": [{"report_type": "balance_change_from_activity.itemized.3", "window": "day"}],
    }
    config = tmp_path / "config.json"
    config.write_text(json.dumps(settings))
    warehouse = f"{FILE}{tmp_path / 'billing_reports.duckdb'}"

    def check():
        for line in compare(sandbox.control.totals(settings), tables(warehouse, "billing")):
            assert line.equal or line.stream in OF_SYNCS, line

    def periods():
        """Of each load, in their order: the days whose rows it brought."""
        found: dict[str, list[str]] = {}
        asked = f"select distinct _dlt_load_id, period from billing.{ROWS} order by 1, 2"
        for load, period in query(warehouse, asked):
            found.setdefault(load, []).append(period)
        return list(found.values())

    sync(config)
    check()
    loaded = tables(warehouse, "billing")
    types = {**loaded[ROWS].columns, **loaded["invoices"].columns}
    assert {types[name] for name in ("gross", "fee", "net", "total_amount")} == {"DECIMAL(38,12)"}
    assert not {"DOUBLE", "FLOAT"} & set(types.values())
    assert (types["invoice_date"], types["created"]) == ("DATE", "TIMESTAMP WITH TIME ZONE")
    (first,) = periods()

    sandbox.control.next_day()
    sync(config)
    check()
    (same, new) = periods()
    assert same == first, "what was there was not read again"
    assert new
    assert min(new) > max(first)

    # STATE is in the destination, too: the pipeline's own folder may be lost.
    shutil.rmtree(tmp_path / "pipelines")
    sandbox.control.next_day()
    sandbox.control.fault({"status": 403}, {"vendor": "brp"})
    said = sync(config, expect=1)
    assert "brp" in said
    for line in compare(sandbox.control.totals(settings), tables(warehouse, "billing")):
        assert line.equal or line.source == "brp" or line.stream in OF_SYNCS, "one account's trouble is its own"
    (_, _, newest) = periods()
    assert min(newest) > max(new), "it went on behind the second sync"
