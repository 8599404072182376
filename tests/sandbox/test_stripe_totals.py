"""Control totals against what comes over the wire."""

from __future__ import annotations

import csv
import io
import itertools
from decimal import Decimal

import pytest

from tap_billing_reports.sandbox.stripe.accounts import CONNECTED, PLATFORM
from tests.sandbox.stripe_calls import at

ACCOUNTS = [account.id for account in (PLATFORM, *CONNECTED)]
ITEMIZED = "balance_change_from_activity.itemized.3"
PLACES = {"jpy": 0, "kwd": 3}


@pytest.fixture
def settings(sandbox):
    return sandbox.settings("2026-10-05")


def totals(sandbox, settings, **report):
    found = sandbox.control.totals({**settings, "stripe_reports": [report] if report else []})
    return {stream: by_source["stripe"] for stream, by_source in found.items()}


def test_invoices(sandbox, settings, calls):
    rows, total, tax = 0, Decimal(), Decimal()
    for account in ACCOUNTS:
        query = {"limit": 100, "created[gte]": at(2026, 10, 5)}
        for invoice in calls.get("/v1/invoices", params=query, headers={"Stripe-Account": account}).json()["data"]:
            rows += 1
            scale = -PLACES.get(invoice["currency"], 2)
            total += Decimal(invoice["total"]).scaleb(scale)
            tax += sum(Decimal(part["amount"]).scaleb(scale) for part in invoice["total_taxes"])
    found = totals(sandbox, settings)["invoices"]
    assert found["rows"] == rows > 10
    assert Decimal(found["sums"]["total_amount"]) == total
    assert Decimal(found["sums"]["tax_amount"]) == tax


def test_types_and_accounts(sandbox, settings, calls):
    seen = sum(
        len(calls.get("/v1/reporting/report_types", headers={"Stripe-Account": account}).json()["data"])
        for account in ACCOUNTS
    )
    found = totals(sandbox, settings)
    assert found["report_types"]["rows"] == seen
    assert found["accounts"]["rows"] == 3
    assert found["report_runs"]["rows"] == 0


def test_rows_of_a_report(sandbox, settings, calls):
    sandbox.control.options["stripe_concurrent_runs"] = 100
    weeks = [at(2026, 10, 5) + 7 * 86_400 * n for n in range(7)]  # Mondays; the data end on Friday 20 November
    rows, net = 0, Decimal()
    for account in ACCOUNTS:
        for begin, end in itertools.pairwise(weeks):
            content = calls.file(ITEMIZED, {"Stripe-Account": account}, interval_start=begin, interval_end=end)
            for row in csv.DictReader(io.StringIO(content.decode(), newline="")):
                rows += 1
                net += Decimal(row["net"])
    found = totals(sandbox, settings, report_type=ITEMIZED, window="week")
    stream = found[f"stripe_{ITEMIZED.replace('.', '_')}"]
    assert stream["rows"] == rows
    assert Decimal(stream["sums"]["net"]) == net
    assert found["report_runs"]["rows"] == found["report_files"]["rows"] == 18


def test_runs_that_were_really_ordered_count_once(sandbox, settings, calls):
    report = {"report_type": "payouts.summary.1", "window": "month", "name": "months"}
    assert totals(sandbox, settings, **report)["report_runs"]["rows"] == 3  # October, in three accounts
    october = {"interval_start": at(2026, 10, 1), "interval_end": at(2026, 11, 1)}
    calls.order("payouts.summary.1", **october)
    assert totals(sandbox, settings, **report)["report_runs"]["rows"] == 3
    sandbox.control.options["stripe_run_rules"] = [{"do": {"fail": "no"}}]
    calls.order("payouts.summary.1", **october)
    found = totals(sandbox, settings, **report)
    assert (found["report_runs"]["rows"], found["report_files"]["rows"]) == (4, 3)
    assert found["stripe_months"]["rows"] > 0


@pytest.mark.parametrize(
    ("report", "runs"),
    [
        ({"window": "day"}, 46),  # 5 October to 19 November
        ({}, 46),
        ({"window": "day", "timezone": "Europe/Oslo"}, 46),
        ({"window": "day", "timezone": "America/Los_Angeles"}, 45),
        ({"window": "day", "timezone": "Asia/Tokyo", "include_partial": True}, 47),
        ({"window": "month", "include_partial": True}, 2),
        ({"window": "all"}, 1),
    ],
)
def test_windows(sandbox, settings, report, runs):
    alone = {**settings, "stripe_connected_accounts": []}
    assert totals(sandbox, alone, report_type=ITEMIZED, **report)["report_runs"]["rows"] == runs


def test_windows_end_at_the_end_date_and_start_with_the_data(sandbox, settings):
    alone = {**settings, "stripe_connected_accounts": [], "end_date": "2026-10-08"}
    assert totals(sandbox, alone, report_type=ITEMIZED)["report_runs"]["rows"] == 3
    long = {**alone, "start_date": "2020-01-01"}
    assert totals(sandbox, long, report_type=ITEMIZED, window="month")["report_runs"]["rows"] == 5
