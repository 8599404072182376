"""What the page shows is what SQL adds up: exact, once, and never across currencies."""

from __future__ import annotations

import sys
from datetime import date, datetime, timezone
from decimal import Decimal
from pathlib import Path

import pytest

from scripts.demo.warehouse import DuckDb
from scripts.pictures.facts import BalanceSum, CheckCount, FailedCheck, InvoiceSum, Money, ProductSum, Reader
from tests.pictures import loading


@pytest.fixture(scope="module")
def read(tmp_path_factory):
    def read(streams):
        database = loading.load(tmp_path_factory.mktemp("warehouse") / "small.duckdb", streams)
        return Reader(DuckDb(database, Path(sys.executable), "billing")).read()

    return read


@pytest.fixture(scope="module")
def facts(read):
    return read(loading.STREAMS)


def money(total, drawn=None, undrawn=0):
    return Money(Decimal(total), Decimal(total if drawn is None else drawn), undrawn)


def moment(year, month, day, hour=0, minute=0, second=0):
    return datetime(year, month, day, hour, minute, second, tzinfo=timezone.utc)


def test_invoices_are_summed_by_month_vendor_status_and_currency(facts):
    assert facts.invoices == [
        InvoiceSum("2026-05", "stripe", "paid", "USD", 2, money("0.3")),
        InvoiceSum("2026-06", "bring", "open", "NOK", 1, money("5")),
        # Deleted at the vendor: counted, without an amount.
        InvoiceSum("2026-06", "stripe", "deleted", None, 1, money("0")),
        # What is too large to draw is in the total, to the last digit, and not in what is drawn.
        InvoiceSum("2026-07", "brp", "open", "SEK", 2, money("123456789012345679.95", "1.05", 1)),
        InvoiceSum("2026-07", "stripe", "open", "KWD", 1, money("-1234.567")),
    ]


def test_cost_lines_of_every_format_are_summed_by_product(facts):
    assert facts.products == [
        ProductSum("EUR", "Frakt", 1, money("1000000000000", "0", 1)),
        ProductSum("NOK", "Pakke <levert>", 2, money("10.05")),
        ProductSum("NOK", "no product named", 1, money("3")),
    ]


def test_the_balance_is_read_from_one_report_by_week_from_monday(facts):
    assert facts.activity == "stripe_activity_to_date"
    assert facts.balance == [
        BalanceSum(date(2026, 5, 11), "USD", "charge", 2, money("100.03")),
        BalanceSum(date(2026, 5, 25), "USD", "brand_new_category", 1, money("-3.5")),
    ]


def test_checks_are_counted_and_the_failed_ones_listed(facts):
    assert facts.checks == [
        CheckCount("file_bytes", "stripe", ok=False, times=1, reason="a byte is missing"),
        CheckCount("file_bytes", "stripe", ok=True, times=2, reason=None),
        CheckCount("lines_net", "stripe", ok=None, times=1, reason="the actual value is not known"),
    ]
    assert facts.failed == [
        FailedCheck(
            *("file_bytes", "stripe", "acct_1", "report <1>", "10", "9", "-1"),
            currency=None,
            reason="a byte is missing",
        )
    ]


def test_runs_know_what_they_cover(facts):
    first, failed, whole, lines = facts.runs
    assert (first.created, first.finished) == (moment(2026, 6, 2, 8), moment(2026, 6, 2, 8, 0, 7))
    assert first.covers == (moment(2026, 5, 1), moment(2026, 6, 1))
    assert (failed.status, failed.finished) == ("failed", None)
    # A period that is no instant begins where its order says; an invoice's lines are of the invoice's day.
    assert whole.covers == (moment(2026, 5, 1), moment(2026, 6, 1))
    assert lines.covers == (moment(2026, 6, 10), moment(2026, 6, 10))
    assert facts.loaded == moment(2026, 6, 3, 9)


def test_streams_and_columns_that_were_not_loaded_are_empty(read):
    facts = read({"bring_invoice_lines": [{"invoice_currency_code": "EUR", "amount": "1.50"}]})
    assert facts.products == [ProductSum("EUR", "no product named", 1, money("1.5"))]
    assert (facts.invoices, facts.balance, facts.activity, facts.checks, facts.runs) == ([], [], None, [], [])
    assert facts.loaded is None


def test_a_sum_that_would_be_rounded_is_an_error(read):
    with pytest.raises(RuntimeError, match="too many digits"):
        read({"bring_invoice_lines": [{"currency_code": "EUR", "amount": "0.0000000000001"}]})
