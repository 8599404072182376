"""Settings that hold for everything, seen from a sync's end."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from singer_sdk.exceptions import ConfigValidationError

from tap_billing_reports.core.errors import SyncError
from tap_billing_reports.sandbox.core import Sandbox
from tap_billing_reports.singer import state_writer
from tap_billing_reports.storage.files import Storage
from tests.fakes import SandboxClock
from tests.running import run_tap

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=timezone.utc)
ITEMIZED = {"report_type": "balance_change_from_activity.itemized.3", "window": "week", "name": "movements"}
ROWS = "stripe_movements"


@pytest.fixture(scope="module")
def box():
    with Sandbox(NOW, stripe_run_seconds=0, bring_run_seconds=0) as box:
        yield box


@pytest.fixture
def sync(box):
    box.control.reset()
    config = {
        **box.settings(start_date="2026-11-01"),
        "stripe_connected_accounts": [],
        "stripe_reports": [ITEMIZED],
    }

    def run(state=None, **more):
        return run_tap({**config, **more}, state=state, clock=SandboxClock(box.control))

    return run


def test_source_records_can_be_left_out(sync):
    whole, without = sync(), sync(include_source_record=False)
    assert (whole.status, without.status) == (0, 0)
    carry = {stream for stream, schema in whole.schemas.items() if "source_record" in schema["properties"]}
    assert carry == {"accounts", "invoices", "report_types"}
    assert all(any(record["source_record"] for record in whole.of(stream)) for stream in carry)
    for stream, records in without.records.items():
        assert "source_record" not in without.schemas[stream]["properties"]
        assert records
        assert not any("source_record" in record for record in records)


def test_decimals_as_number_leaves_no_amount_as_text(sync):
    ended = sync(decimals_as="number")
    assert ended.status == 0, ended.log
    seen = set()
    for stream, records in ended.records.items():
        properties = ended.schemas[stream]["properties"]
        assert not [name for name, kind in properties.items() if kind.get("format") == "x-singer.decimal"]
        amounts = [name for name, kind in properties.items() if "number" in kind["type"]]
        for record in records:
            for name in amounts:
                if record.get(name) is not None:
                    assert isinstance(record[name], int | float), (stream, name)
                    seen.add(stream)
    assert seen == {"invoices", "bring_invoice_lines", ROWS, "reconciliations"}


def test_fail_fast_ends_the_sync_at_the_first_failure_and_keeps_what_was_done(box, sync):
    missing = {"report_type": "no_such.report.1", "window": "week"}
    other = {**ITEMIZED, "name": "others"}
    both = sync(stripe_reports=[missing, other])
    assert both.status == 1
    assert both.of("stripe_others"), "one failed report stops no other"
    box.control.reset()
    fast = sync(stripe_reports=[missing, other], fail_fast=True)
    assert fast.status == 1
    assert not fast.of("stripe_others")
    assert fast.of("invoices")
    assert fast.log.count("ERROR failed: ") == 1
    assert "ERROR 1 failed" in fast.log
    assert "fail_fast" in fast.log


def test_fail_fast_sends_what_was_done_before_the_failure_as_state(box, sync):
    box.control.fault({"status": 404}, {"path": "/contents"}, skip=1)
    ended = sync(fail_fast=True, bring_invoice_lines=False, stripe_max_concurrent_runs=1)
    assert ended.status == 1
    (entry,) = ended.state["bookmarks"][ROWS]["ledger"]
    assert (entry["first"], entry["through"]) == ("2026-10-26T00:00:00Z", "2026-11-02T00:00:00Z")


@pytest.mark.parametrize("fast", [True, False], ids=["fail_fast", "the storage refuses"])
def test_a_sync_that_ends_early_tells_of_its_orders_however_big_the_state(box, sync, monkeypatch, tmp_path, fast):
    """Bring's orders cannot be listed: what no STATE tells of is ordered, and paid for, a second time."""
    monkeypatch.setattr(state_writer, "FREE_BYTES", 0)
    monkeypatch.setattr(state_writer, "BYTES_A_SECOND", 1)
    more: dict[str, Any] = {"fail_fast": True}
    box.control.fault({"status": 400}, {"path": r"/reports/api/report/.*\.xml$"})
    if not fast:
        box.control.clear_faults()
        more = {"storage_url": str(tmp_path)}
        refusal = SyncError("setting storage_url: the disk is full")
        monkeypatch.setattr(Storage, "keep", lambda *_: (_ for _ in ()).throw(refusal))
    ended = sync(stripe_reports=[], **more)
    box.control.clear_faults()
    assert ended.status == 1
    known = {
        facts["run"]
        for entry in ended.state["bookmarks"]["bring_invoice_lines"]["ledger"]
        for facts in entry.get("open", ())
        if "run" in facts
    }
    assert len(known) == box.control.counters()["orders"]["bring"]["total"] > 1


def test_the_api_version_is_pinned_unless_it_is_set(box, sync):
    assert sync().status == 0
    with pytest.raises(ConfigValidationError) as refused:
        sync(stripe_api_version="not-a-version")
    assert "API version" in refused.value.errors[0]


def test_maps_see_every_record_and_change_no_bookmark(sync):
    plain = sync()
    mapped = sync(
        flattening_enabled=True,
        flattening_max_depth=2,
        stream_maps={
            ROWS: {"__alias__": "moves", "twice": "str(row_number * 2)", "description": None},
            "report_runs": {"__filter__": "report_name == 'movements'"},
            "bring_invoice_lines": None,
        },
    )
    assert (plain.status, mapped.status) == (0, 0), mapped.log
    rows = mapped.of("moves")
    assert len(rows) == len(plain.of(ROWS)) > 100
    assert all(row["twice"] == str(2 * row["row_number"]) and "description" not in row for row in rows)
    assert sum(Decimal(row["net"]) for row in rows) == sum(Decimal(row["net"]) for row in plain.of(ROWS))
    assert {run["report_name"] for run in mapped.of("report_runs")} == {"movements"}
    assert not mapped.of("bring_invoice_lines")
    ledgers = [
        {name: [{**entry, "open": []} for entry in bookmark["ledger"]] for name, bookmark in bookmarks.items()}
        for bookmarks in (
            {name: found for name, found in ended.state["bookmarks"].items() if "ledger" in found}
            for ended in (plain, mapped)
        )
    ]
    assert ledgers[0] == ledgers[1]


def test_rows_that_are_taken_back_pass_the_maps_of_the_guide(box, sync):
    guide = (Path(__file__).resolve().parents[2] / "docs" / "streams.md").read_text()
    (example,) = (
        json.loads(part.partition("```")[0]) for part in guide.split("```json")[1:] if "_sdc_deleted_at is not" in part
    )
    ((_, mapping),) = example["stream_maps"].items()
    more = {
        "stripe_reports": [{**ITEMIZED, "window": "all"}],
        "stream_maps": {ROWS: mapping},
        "bring_invoice_lines": False,
    }
    first = sync(**more)
    box.control.options["stripe_drop_rows"] = 300
    box.control.advance(86_400 / 2)
    second = sync(state=first.state, **more)
    assert (first.status, second.status) == (0, 0), second.log
    assert {row["currency"] for row in first.of(ROWS)} == {"USD"}
    gone = [row for row in second.of(ROWS) if row["_sdc_deleted_at"]]
    assert gone
    assert all(row["net"] is row["net_as_float"] is None for row in gone)
