"""A small DuckDB file in the demo's shape."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".tools" / "pictures" / "bin" / "python"

_LOAD = """
import duckdb, json, sys
asked = json.load(sys.stdin)
with duckdb.connect(asked["database"]) as connection:
    connection.execute("CREATE SCHEMA billing")
    for stream, rows in asked["streams"].items():
        columns = list(dict.fromkeys(name for row in rows for name in row))
        typed = ", ".join(f'"{name}" {asked["types"].get(name, "VARCHAR")}' for name in columns)
        connection.execute(f'CREATE TABLE billing."{stream}" ({typed})')
        marks = ", ".join("?" for _ in columns)
        for row in rows:
            connection.execute(f'INSERT INTO billing."{stream}" VALUES ({marks})', [row.get(name) for name in columns])
"""
TYPES = {
    "ok": "BOOLEAN",
    **dict.fromkeys(("created_utc", "created_at", "finished_at", "window_end", "checked_at"), "TIMESTAMP"),
    "_sdc_extracted_at": "TIMESTAMP",
}


def make_tools():
    """As `make pictures` does; nothing to do when they are there."""
    subprocess.run([sys.executable, "scripts/venvs.py", "pictures"], cwd=ROOT, check=True)


def load(database, streams):
    asked = json.dumps({"database": str(database), "streams": streams, "types": TYPES})
    subprocess.run([sys.executable, "-c", _LOAD], input=asked, text=True, check=True)
    return database


def invoice(month, source, status, currency, amount, **more):
    day = f"{month}-10" if month else None
    return {
        "source": source, "account_id": "a", "invoice_id": "i", "invoice_number": "n", "invoice_date": day,
        "status": status, "currency": currency, "total_amount": amount, "_sdc_deleted_at": None, **more,
    }  # fmt: skip


def line(currency, product, amount, **more):
    return {"currency_code": currency, "product": product, "agreement_price": amount, "_sdc_deleted_at": None, **more}


def transaction(moment, currency, category, net):
    return {"created_utc": moment, "currency": currency, "reporting_category": category, "net": net}


def check(name, ok, **more):
    return {
        "check": name, "source": "stripe", "account_id": "acct_1", "subject": "report <1>", "expected": None,
        "actual": None, "difference": None, "currency": None, "ok": ok, "reason": None, "checked_at": None, **more,
    }  # fmt: skip


def run(report, created, finished, **more):
    return {
        "source": "stripe", "account_id": "acct_1", "report_name": report, "report_type": "type", "run_id": created,
        "period": "2026-05-01T00:00:00Z", "window_end": "2026-06-01 00:00:00", "parameters": None,
        "status": "succeeded", "origin": "ordered", "created_at": created, "finished_at": finished, **more,
    }  # fmt: skip


SINCE_MAY = '{"interval_start": "1777593600"}'
STREAMS = {
    "invoices": [
        invoice("2026-05", "stripe", "paid", "USD", "0.10"),
        invoice("2026-05", "stripe", "paid", "usd", "0.20"),
        invoice("2026-07", "stripe", "open", "KWD", "-1234.567"),
        invoice("2026-07", "brp", "open", "SEK", "123456789012345678.90"),
        invoice("2026-07", "brp", "open", "SEK", "1.05"),
        invoice("2026-06", "stripe", "open", "USD", "99.00", _sdc_deleted_at="2026-07-01"),
        invoice("2026-06", "bring", "open", "NOK", "5", account_id="200", invoice_number="4700"),
    ],
    "bring_invoice_lines": [
        line("NOK", "Pakke <levert>", "10.10"),
        line("NOK", "Pakke <levert>", "-0.05"),
        line("NOK", None, "3"),
        line("NOK", "Pakke", "77", _sdc_deleted_at="2026-07-01"),
        {"invoice_currency_code": "EUR", "item_description": "Frakt", "amount": "1000000000000"},
    ],
    "stripe_activity_to_date": [
        transaction("2026-05-11 00:00:00", "usd", "charge", "100.01"),
        transaction("2026-05-17 23:59:59", "usd", "charge", "0.02"),
        transaction("2026-05-25 00:00:00", "usd", "brand_new_category", "-3.5"),
    ],
    # The same transactions once more: they must not be counted twice.
    "stripe_balance_change_from_activity_itemized_3": [
        transaction("2026-05-11 00:00:00", "usd", "charge", "100.01"),
    ],
    "reconciliations": [
        check("file_bytes", ok=True),
        check("file_bytes", ok=True),
        check("file_bytes", ok=False, expected="10", actual="9", difference="-1", reason="a byte is missing"),
        check("lines_net", ok=None, reason="the actual value is not known"),
    ],
    "report_runs": [
        run("daily", "2026-06-02 08:00:00", "2026-06-02 08:00:07"),
        run("daily", "2026-06-02 08:14:00", None, status="failed"),
        run("daily", "2026-06-03 08:00:00", "2026-06-03 08:01:00", period="all", parameters=SINCE_MAY),
        run("lines", "2026-06-03 08:00:01", None, source="bring", account_id="200", period="4700", window_end=None),
    ],
    "accounts": [{"account_id": "acct_1", "_sdc_extracted_at": "2026-06-03 09:00:00.25"}],
}  # fmt: skip
