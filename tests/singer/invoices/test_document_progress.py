"""The bookmark of `invoice_documents`: what it keeps, forgets, goes back to, and refuses."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from tap_billing_reports.core.errors import StateError
from tap_billing_reports.reports.per_invoice import Bounds
from tap_billing_reports.singer.invoices.document_state import DocumentMemory, Progress, check_state, kept_sizes
from tap_billing_reports.singer.invoices.reader import Brief

BOUNDS = Bounds(start_date=date(2026, 1, 1), today=date(2026, 11, 20), lookback_days=65, horizon_days=365)


def brief(number, day, billed="A"):
    return Brief(billed, number, day, None, None, None, None, None)


def memory_of(bookmark):
    return DocumentMemory(lambda: bookmark)


def test_it_comes_back_as_it_was_saved_beside_the_others():
    bookmark: dict[str, Any] = {}
    memory = memory_of(bookmark)
    for account in ("A", "B"):
        progress = Progress("bring", account)
        progress.note(brief("1", "2026-11-01", billed=account), 10)
        progress.note(brief("2", None, billed="Z"), 20)
        progress.pass_ended(BOUNDS, BOUNDS.today, newest="2026-11-01", retry_from="2026-02-01")
        memory.save(progress)
    assert bookmark == {}
    memory.write()
    restored = json.loads(json.dumps(bookmark))
    check_state("invoice_documents", restored)
    assert memory_of(restored).load("bring", "A") == Progress(
        "bring", "A", "2026-11-01", "2026-02-01", [["2026-11-01", "1", 10], ["", "2", 20, "Z"]], "2026-01-01"
    )
    assert dict(kept_sizes(restored)) == {
        ("bring", "A", "1"): 10,
        ("bring", "Z", "2"): 20,
        ("bring", "B", "1"): 10,
    }
    assert memory_of(restored).load("bring", "C") == Progress("bring", "C")


def test_documents_grow_into_the_bookmark_one_by_one():
    bookmark: dict[str, Any] = {}
    memory, progress = memory_of(bookmark), Progress("bring", "A")
    memory.save(progress)
    memory.write()
    progress.note(brief("1", "2026-11-01"), 10)
    assert dict(kept_sizes(bookmark)) == {("bring", "A", "1"): 10}


def test_an_account_that_is_gone_is_told_once():
    bookmark: dict[str, Any] = {}
    memory = memory_of(bookmark)
    for account in ("A", "B"):
        memory.save(Progress("bring", account))
    assert memory.lost({("stripe", "A")}) == [], "nobody has read Bring's"
    assert memory.lost({("bring", "A")}) == [("bring", "B")]
    memory.write()
    again = memory_of(json.loads(json.dumps(bookmark)))
    assert again.lost({("bring", "A")}) == []
    again.save(again.load("bring", "B"))
    assert again.lost({("bring", "A")}) == [("bring", "B")], "it was there again"


@pytest.mark.parametrize(
    ("seen", "retry_from", "expected"),
    [
        (None, None, date(2026, 1, 1)),
        ("2026-11-10", None, date(2026, 9, 6)),
        ("2026-11-10", "2026-05-05", date(2026, 5, 5)),
        ("2026-11-10", "2026-11-09", date(2026, 9, 6)),
        ("2026-11-10", "2024-05-05", date(2025, 11, 20)),
        ("2026-01-15", None, date(2026, 1, 1)),
    ],
)
def test_the_list_begins_at_the_look_back_or_at_what_must_be_tried_again(seen, retry_from, expected):
    assert Progress("bring", "A", seen, retry_from).list_from(BOUNDS) == expected


def test_what_cannot_be_listed_again_is_forgotten():
    progress = Progress("bring", "A")
    for number, day in enumerate(("2026-01-01", "2026-09-05", "2026-09-06", "2026-11-10", None)):
        progress.note(brief(str(number), day), 1)
    progress.pass_ended(BOUNDS, BOUNDS.today, newest="2026-11-10", retry_from=None)
    assert [item[1] for item in progress.done] == ["2", "3", "4"]


def test_it_never_goes_back_and_never_past_today():
    progress = Progress("bring", "A", seen="2026-11-10")
    progress.pass_ended(BOUNDS, BOUNDS.today, newest="2026-10-01", retry_from=None)
    assert progress.seen == "2026-11-10"
    progress.pass_ended(BOUNDS, BOUNDS.today, newest="2027-01-01", retry_from=None)
    assert progress.seen == "2026-11-20"
    fresh = Progress("bring", "A")
    fresh.pass_ended(BOUNDS, BOUNDS.today, newest=None, retry_from=None)
    assert fresh.seen is None


@pytest.mark.parametrize(
    "parts",
    [
        "text",
        {"a": 1},
        ["x"],
        [{}],
        [{"version": 2, "source": "bring", "account_id": "A", "done": []}],
        [{"version": 1, "source": "bring", "done": [["2026-01-01", "1", 2]]}],
        [{"version": 1, "source": "bring", "account_id": "A"}],
        [{"version": 1, "source": "bring", "account_id": "A", "done": [["2026-01-01"]]}],
        [{"version": 1, "source": "bring", "account_id": "A", "done": [], "seen": "yesterday"}],
    ],
)
def test_what_it_cannot_go_on_from_is_refused(parts):
    with pytest.raises(StateError, match=r"invoice_documents.*full refresh"):
        check_state("invoice_documents", {"documents": parts})


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(-400, 400)), max_size=5))
def test_no_wrong_clock_loses_a_document(syncs):
    """Clocks jump ahead and back; a sync with a right one lists every invoice whose document is not kept.

    All of it happens within the 365 days that a vendor lists.
    """
    days = {str(number): date(2026, 1, 1) + timedelta(days=5 * number) for number in range(61)}
    bookmark: dict[str, Any] = {}
    kept: set[str] = set()
    true = date(2026, 9, 1)
    for passed, off in (*syncs, (1, 0)):
        true += timedelta(days=passed)
        bounds = Bounds(date(2026, 1, 1), true + timedelta(days=off), 65, 365)
        memory = memory_of(bookmark)
        progress = memory.load("bring", "A")
        first = max(progress.list_from(bounds), true - timedelta(days=365))
        listed = [brief(n, day.isoformat()) for n, day in days.items() if first <= day <= min(true, bounds.today)]
        retry_from = None
        for one in listed:
            if any(item[1] == one.invoice_id for item in progress.done):
                continue
            if off and int(one.invoice_id) % 3 == 0:
                retry_from = retry_from or one.invoice_date
            else:
                progress.note(one, 1)
        kept |= {item[1] for item in progress.done}
        newest = max(filter(None, (progress.seen, *(one.invoice_date for one in listed))), default=None)
        progress.pass_ended(bounds, bounds.today, newest=newest, retry_from=retry_from)
        memory.save(progress)
        memory.write()
        if not off:
            assert progress.retry_from is None, "a right clock lists all that waits"
    assert kept == {n for n, day in days.items() if day <= true}
