"""Reports of one run an invoice: each invoice once, whatever is listed again."""

from __future__ import annotations

import time
from datetime import date, timedelta

import hypothesis.strategies as st
from hypothesis import given

from tap_billing_reports.reports.ledger import Ledger
from tap_billing_reports.reports.subjects import Bounds, list_from, note_invoices, split_key, subject_done, subject_key

TODAY = date(2026, 6, 1)
BOUNDS = Bounds(start_date=date(2026, 1, 1), today=TODAY, lookback_days=30, horizon_days=365)


def invoice(number, day, account="a", available=True):
    return {
        "invoice_id": str(number),
        "account_id": account,
        "invoice_date": day.isoformat() if day else None,
        "specification_available": available,
    }


def note(ledger, invoices, bounds=BOUNDS, account="a", before=None):
    note_invoices(ledger, account, invoices, bounds, before=before)


def waiting(ledger, account="a"):
    return sorted(key for keys in ledger.entry(account).subjects_due.values() for key in keys)


def test_invoices_with_a_specification_are_due_once():
    ledger = Ledger(dict)
    listed = [
        invoice(1, date(2026, 5, 1)),
        invoice(2, date(2026, 5, 2), available=False),
        invoice(3, date(2026, 5, 3), available=None),
        invoice(4, None),
        invoice(1, date(2026, 5, 1)),
    ]
    note(ledger, listed)
    note(ledger, listed)
    assert waiting(ledger) == ["1", "4"], "one without a date has lines as well"
    assert ledger.entry("a").seen == "2026-05-03"
    for key in ("1", "4"):
        subject_done(ledger.entry("a"), key)
    note(ledger, listed)
    assert waiting(ledger) == []


def test_a_specification_that_comes_later_is_ordered_then():
    ledger = Ledger(dict)
    note(ledger, [invoice(1, date(2026, 5, 20), available=False)])
    note(ledger, [invoice(1, date(2026, 5, 20))])
    assert waiting(ledger) == ["1"]


def test_an_invoice_that_is_listed_under_two_accounts_is_due_once():
    ledger = Ledger(dict)
    listed = [invoice(1, date(2026, 5, 1), account="new")]
    note(ledger, listed, account="new")
    note(ledger, listed, account="old")
    assert waiting(ledger, "new") == ["1"]
    assert waiting(ledger, "old") == []


def test_the_same_number_of_two_billed_accounts_is_two_invoices():
    ledger = Ledger(dict)
    note(ledger, [invoice(1, date(2026, 5, 1), account="b"), invoice(1, date(2026, 5, 1), account="a")])
    assert waiting(ledger) == ["1", "1@b"]
    assert [split_key(key, "a") for key in waiting(ledger)] == [("1", "a"), ("1", "b")]
    assert subject_key("1", "b", "a") == "1@b"


def test_nothing_from_the_end_date_on_is_due():
    ledger = Ledger(dict)
    note(ledger, [invoice(1, date(2026, 5, 1)), invoice(2, date(2026, 5, 2))], before=date(2026, 5, 2))
    assert waiting(ledger) == ["1"]
    assert ledger.entry("a").seen == "2026-05-01"


def test_lists_begin_at_the_look_back_and_never_after_what_waits():
    ledger = Ledger(dict)
    entry = ledger.entry("a")
    assert list_from(entry, BOUNDS) == date(2026, 1, 1)
    note(ledger, [invoice(1, date(2026, 2, 1)), invoice(2, date(2026, 5, 20))])
    assert list_from(entry, BOUNDS) == date(2026, 2, 1)
    subject_done(entry, "1")
    assert list_from(entry, BOUNDS) == date(2026, 4, 20)


def test_lists_do_not_begin_before_what_the_vendor_keeps():
    ledger = Ledger(dict)
    note(ledger, [invoice(1, date(2026, 1, 2))])
    later = Bounds(date(2026, 1, 1), date(2027, 3, 1), 30, 365)
    assert list_from(ledger.entry("a"), later) == date(2026, 3, 1)


def test_what_was_seen_is_never_after_today():
    ledger = Ledger(dict)
    note(ledger, [invoice(1, TODAY + timedelta(days=400))])
    assert ledger.entry("a").seen == TODAY.isoformat()


@given(
    st.lists(
        st.tuples(st.integers(0, 150), st.sets(st.integers(0, 40), max_size=6), st.integers(0, 3)),
        min_size=1,
        max_size=12,
    )
)
def test_no_invoice_is_due_again_after_it_was_done(syncs):
    """Days pass, some runs fail and wait on, lists begin where they must: whatever is done stays done."""
    days = {number: date(2026, 1, 1) + timedelta(days=4 * number) for number in range(41)}
    ledger, done, today = Ledger(dict), set(), date(2026, 1, 1)
    for passed, finished, _ in syncs:
        today += timedelta(days=passed // 10)
        bounds = Bounds(date(2026, 1, 1), today, 30, 365)
        entry = ledger.entry("a")
        since = list_from(entry, bounds)
        note(ledger, [invoice(n, day) for n, day in days.items() if since <= day <= today], bounds)
        due = {int(key) for key in waiting(ledger)}
        assert not due & done
        assert due | done == {n for n, day in days.items() if day <= today}
        for number in finished & due:
            subject_done(entry, str(number))
            done.add(number)


def test_a_hundred_thousand_invoices_take_no_quadratic_time():
    ledger = Ledger(dict)
    listed = [invoice(n, date(2026, 1, 1) + timedelta(days=n % 150)) for n in range(100_000)]
    began = time.process_time()
    note(ledger, listed)
    note(ledger, listed)
    assert time.process_time() - began < 5
    assert len(waiting(ledger)) == 100_000
