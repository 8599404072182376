"""Acme Pay's declaration against its emulator, through the installed tap's own command."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import defaultdict
from datetime import timedelta
from decimal import Decimal
from typing import Any, NamedTuple

import pytest
from tap_billing_reports_acme.emulator import DAYS, KEY, MERCHANTS, Emulator, served
from tap_billing_reports_acme.source import ACME, INVOICE_FIELDS, run_of

from tap_billing_reports.declare.client import map_fields
from tap_billing_reports.vendors import all_sources

MERCHANT_IDS = [merchant["id"] for merchant in MERCHANTS]


class Synced(NamedTuple):
    status: int
    log: str
    state: dict[str, Any]
    records: dict[str, list[dict[str, Any]]]


def sync(folder, url, state=None, **settings) -> Synced:
    values = {"start_date": "2000-01-01", "acme_api_key": KEY, "acme_base_url": url, **settings}
    (folder / "config.json").write_text(json.dumps(values))
    (folder / "state.json").write_text(json.dumps(state or {}))
    command = [sys.executable, "-m", "tap_billing_reports", "--config", "config.json", "--state", "state.json"]
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600, check=False)
    records, last = defaultdict(list), {}
    for line in ran.stdout.splitlines():
        message = json.loads(line)
        if message["type"] == "RECORD":
            records[message["stream"]].append(message["record"])
        elif message["type"] == "STATE":
            last = message["value"]
    return Synced(ran.returncode, ran.stderr, last, records)


@pytest.fixture
def acme():
    emulator = Emulator()
    with served(emulator.app()) as url:
        emulator.url = url
        yield emulator


def test_the_tap_knows_the_source():
    assert ACME in all_sources()


def test_invoices_of_all_pages_and_merchants_are_exact(acme, tmp_path):
    found = sync(tmp_path, acme.url)
    assert found.status == 0, found.log
    assert [account["account_id"] for account in found.records["accounts"]] == MERCHANT_IDS
    invoices = found.records["invoices"]
    assert len(invoices) == len(MERCHANTS) * DAYS
    total = sum(Decimal(record["gross"]) for merchant in MERCHANT_IDS for record in acme.invoices(merchant))
    assert sum(Decimal(invoice["total_amount"]) for invoice in invoices) == total
    assert {invoice["acme_project"] for invoice in invoices} == {"harbour", None}
    assert {(invoice["type"], invoice["currency"]) for invoice in invoices} == {
        ("invoice", "DKK"),
        ("credit_note", "DKK"),
    }


def test_exports_are_ordered_once_and_every_line_arrives(acme, tmp_path):
    first_day = acme.today - timedelta(days=14)
    settings = {"acme_reports": [{"report_type": "settlements", "window": "week"}], "start_date": first_day.isoformat()}
    first = sync(tmp_path, acme.url, **settings)
    assert first.status == 0, first.log
    assert len(acme.orders) == len(set(acme.orders)) > 0
    rows = first.records["acme_settlements"]
    # A line for each merchant and day of the windows.
    asked = [line for merchant, _type, start, end in acme.orders for line in acme.settlements(merchant, start, end)[1:]]
    assert sorted(row["entry_id"] for row in rows) == sorted(line.split(",")[0] for line in asked)
    assert {(row["note"], row["fee"]) for row in rows} == {("paid, in full", "0.25")}
    orders = list(acme.orders)
    second = sync(tmp_path, acme.url, state=first.state, **settings)
    assert (second.status, second.records["acme_settlements"], acme.orders) == (0, [], orders)


def test_a_refused_key_is_one_line_that_names_the_setting(acme, tmp_path):
    found = sync(tmp_path, acme.url, acme_api_key="some-other-key")
    assert found.status == 1
    (line,) = [line for line in found.log.splitlines() if "failed: " in line]
    assert "wrong_key" in line
    assert "acme_api_key" in line
    assert "some-other-key" not in found.log


def test_an_unknown_state_is_an_error_and_not_pending():
    record = {"id": "x", "type": "t", "from": "a", "to": "b", "created_at": "2026-01-01T00:00:00Z", "error": None}
    with pytest.raises(KeyError):
        run_of({**record, "state": "paused", "file": None})


def test_a_record_becomes_columns():
    (record,) = [record for record in Emulator().invoices("m_north") if record["id"] == "m_north-10"]
    columns = map_fields(INVOICE_FIELDS, record)
    assert (columns["type"], columns["net_amount"], columns["total_amount"]) == ("credit_note", "-4.33", "-5.4125")
    assert columns["paid_at"] == f"{record['paid_at'][:10]}T10:00:00Z"
