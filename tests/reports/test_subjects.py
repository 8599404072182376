"""Reports of one run an invoice: each invoice once, whatever is listed again."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import hypothesis.strategies as st
import pytest
from hypothesis import given

from tap_billing_reports.reports.keys import split_key, subject_key
from tap_billing_reports.reports.per_invoice import (
    Bounds,
    Subject,
    first_listed,
    list_from,
    note_subjects,
    subject_done,
)
from tap_billing_reports.reports.state.layout import OpenPeriod
from tap_billing_reports.reports.state.ledger import Ledger
from tests.reports.steps import Counted, steps
from tests.typed import some

TODAY = date(2026, 6, 1)
BOUNDS = Bounds(start_date=date(2026, 1, 1), today=TODAY, lookback_days=30, horizon_days=365)


def invoice(number, day, account="a", available=True):
    return Subject(str(number), account, day.isoformat() if day else None, available)


def note(ledger, invoices, bounds=BOUNDS, account="a", before=None):
    note_subjects(ledger, account, invoices, bounds, before=before)


def waiting(ledger, account="a"):
    return sorted(ledger.entry(account).subjects_due)


def test_invoices_with_a_specification_are_due_once():
    ledger = Ledger(dict)
    listed = [
        invoice(1, date(2026, 5, 1)),
        invoice(2, date(2026, 5, 2), available=False),
        invoice(3, date(2026, 5, 3), available=False),
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


def test_what_waits_for_an_account_that_is_read_no_more_is_due_for_another_that_lists_it():
    ledger = Ledger(dict)
    listed = [invoice(number, date(2026, 1, 1 + number), account="new") for number in range(3)]
    note(ledger, listed, account="old")
    note(ledger, [*listed, invoice(9, date(2026, 5, 30), account="new")], account="new")
    subject_done(ledger.entry("old"), "0@new")
    ledger.entry("old").open["1@new"] = OpenPeriod(period="1@new", run="run1", attempt=1)
    assert waiting(ledger, "new") == ["9"]
    subject_done(ledger.entry("new"), "9")
    ledger.leave({"new"})
    assert list_from(ledger.entry("new"), BOUNDS) == date(2026, 4, 30), "the look-back of an account alone"
    assert list_from(ledger.entry("new"), BOUNDS, ledger) == date(2026, 1, 2), "back to what waits for nobody"
    forgotten = invoice(8, date(2026, 1, 20), account="new")
    note(ledger, [*listed, forgotten], account="new")
    assert waiting(ledger, "new") == ["1", "2"], "neither what was done nor what is known no more"
    assert ledger.entry("new").open == {"1": OpenPeriod(period="1", run="run1", attempt=1)}, "its run is gone on with"
    assert waiting(ledger, "old") == []
    ledger.leave({"new", "old"})
    note(ledger, listed, account="old")
    assert waiting(ledger, "old") == [], "and not twice should that account come back"


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
        st.tuples(
            st.integers(0, 150),
            st.sets(st.integers(0, 40), max_size=6),
            st.integers(0, 3),
            st.sets(st.integers(0, 40), max_size=3),
        ),
        min_size=1,
        max_size=12,
    )
)
def test_no_invoice_is_due_again_after_it_was_done(syncs):
    """Days pass, runs fail, specifications come late, the start date moves: done stays done, and none is missed.

    Lists begin where they must. What is not known any more lies before the look-back and before all that waits.
    """
    days = {number: date(2026, 1, 1) + timedelta(days=4 * number) for number in range(41)}
    ledger, today, first = Ledger(dict), date(2026, 1, 1), date.max
    done: set[int] = set()
    for passed, finished, moved, without in syncs:
        today += timedelta(days=passed // 10)
        entry = ledger.entry("a")
        start = date(2026, 1, 1) + timedelta(days=13 * moved)
        start = min(start, date.fromisoformat(entry.seen)) if entry.seen else start
        bounds = Bounds(start, today, 30, 365)
        since = list_from(entry, bounds)
        before = entry.forgotten_from or "9", entry.forgotten_until or ""
        listed = {n for n, day in days.items() if since <= day <= today}
        late = without - done - {int(key) for key in waiting(ledger)}
        note(ledger, [invoice(n, days[n], available=n not in late) for n in listed], bounds)
        first = min(first, start) if entry.seen else date.max
        job = {int(key) for key in waiting(ledger)}
        assert not job & done
        missing = {n for n in listed - late - job - done if first <= days[n]}
        assert all(before[0] <= days[n].isoformat() < before[1] for n in missing)
        if not any(without for *_, without in syncs):
            assert job | done == {n for n, day in days.items() if first <= day <= today}
        for number in finished & job:
            subject_done(entry, str(number))
            done.add(number)


def test_a_late_specification_is_not_passed_by_while_an_older_invoice_waits():
    ledger = Ledger(dict)
    old, late, new = invoice(1, date(2026, 2, 1)), date(2026, 2, 10), invoice(3, date(2026, 5, 30))
    note(ledger, [old, invoice(2, late, available=False), new])
    subject_done(ledger.entry("a"), "3")
    note(ledger, [old, invoice(2, late), new])
    assert waiting(ledger) == ["1", "2"]


def test_a_look_back_that_grows_takes_what_is_known_no_more_for_new():
    ledger = Ledger(dict)
    listed = [invoice(number, date(2026, 1, 1) + timedelta(days=10 * number)) for number in range(15)]
    note(ledger, listed)
    for number in range(15):
        subject_done(ledger.entry("a"), str(number))
    note(ledger, listed)
    assert (ledger.entry("a").forgotten_from, ledger.entry("a").forgotten_until) == ("2026-01-01", "2026-04-21")
    wider = replace(BOUNDS, lookback_days=60)
    note(ledger, [invoice(99, date(2026, 4, 2)), *listed], wider)
    assert waiting(ledger) == ["10", "8", "9", "99"], "it may have come late: rather one report too many"


def test_days_that_were_never_listed_are_not_taken_for_done():
    ledger = Ledger(dict)
    note(ledger, [invoice(1, date(2026, 1, 5)), invoice(2, date(2026, 2, 20))], before=date(2026, 3, 1))
    for key in ("1", "2"):
        subject_done(ledger.entry("a"), key)
    note(ledger, [invoice(4, date(2026, 5, 30))], replace(BOUNDS, start_date=date(2026, 4, 1)))
    subject_done(ledger.entry("a"), "4")
    note(ledger, [invoice(4, date(2026, 5, 30))], replace(BOUNDS, start_date=date(2026, 4, 1)))
    assert ledger.entry("a").forgotten_from == "2026-04-01"
    between = invoice(3, date(2026, 3, 10))
    note(ledger, [between, invoice(4, date(2026, 5, 30))])
    assert waiting(ledger) == ["3"]


@pytest.mark.parametrize(
    ("listed_from", "seen", "start", "until", "expected"),
    [
        (None, None, "2026-03-01", "2026-03-31", "2026-03-01"),
        (None, "2026-03-05", "2026-03-01", "2026-03-31", "2026-03-01"),
        ("2026-03-01", "2026-03-31", "2026-04-01", "2026-04-30", "2026-03-01"),
        ("2026-03-01", "2026-03-31", "2026-04-02", "2026-04-30", "2026-04-02"),
        ("2026-03-01", "2026-03-31", "2026-02-01", "2026-02-28", "2026-02-01"),
        ("2026-03-01", "2026-03-31", "2026-02-01", "2026-02-27", "2026-03-01"),
    ],
    ids=["first", "unknown", "meets", "leaves a gap after", "meets before", "leaves a gap before"],
)
def test_from_which_day_on_all_was_listed(listed_from, seen, start, until, expected):
    assert first_listed(listed_from, seen, date.fromisoformat(start), date.fromisoformat(until), until) == expected


def steps_for(count):
    """What it takes to note so many invoices, and again when they are known."""
    ledger = Ledger(dict)
    listed = [invoice(n, date(2026, 1, 1) + timedelta(days=n % 150)) for n in range(count)]
    listed = [each._replace(number=Counted(each.number)) for each in listed]

    def twice():
        note(ledger, listed)
        note(ledger, listed)

    found = steps(twice)
    assert len(waiting(ledger)) == count
    return found


def test_many_invoices_take_no_quadratic_time():
    assert steps_for(20_000) < 11 * steps_for(2_000)


@given(
    st.lists(
        st.tuples(st.integers(0, 20), st.one_of(st.just(0), st.integers(-400, 400)), st.sets(st.integers(0, 60))),
        max_size=6,
    )
)
def test_no_wrong_clock_loses_an_invoice_or_has_one_ordered_twice(syncs):
    """Days pass, clocks jump ahead and back, runs fail; a sync with a right clock then knows all there is."""
    days = {number: date(2026, 1, 1) + timedelta(days=5 * number) for number in range(61)}
    ledger, true, start = Ledger(dict), date(2026, 10, 1), date(2026, 1, 1)
    done: set[int] = set()
    for passed, off, finished in (*syncs, (1, 0, set())):
        true += timedelta(days=passed)
        bounds = Bounds(start, true + timedelta(days=off), 30, 365)
        entry = ledger.entry("a")
        since = max(list_from(entry, bounds, ledger), true - timedelta(days=365))
        listed = {n for n, day in days.items() if since <= day <= min(true, bounds.today)}
        note(ledger, [invoice(n, days[n]) for n in sorted(listed)], bounds)
        job = {int(key) for key in waiting(ledger)}
        if all(off >= 0 for _passed, off, _finished in syncs):
            # After one that was far behind, what was forgotten may be listed, and ordered, once more.
            assert not job & done, "ordered twice"
        for number in finished & job:
            subject_done(entry, str(number))
            done.add(number)
    assert job | done == {n for n, day in days.items() if day <= true}, "none is lost"
    entry, bounds = ledger.entry("a"), Bounds(start, true + timedelta(days=1), 30, 365)
    usual = min([*entry.subjects_due.days, bounds.look_back(some(entry.seen)).isoformat()])
    assert list_from(entry, bounds).isoformat() >= usual, "the next list is a short one again"
