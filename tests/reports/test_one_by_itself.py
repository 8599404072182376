"""What is refused or bad fails by itself, is tried again in bounds, and does not stick."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from datetime import date

import pytest

from tap_billing_reports.core.errors import AbsenceUnproven, Refused
from tap_billing_reports.declare import Subjects
from tests.reports.syncs import DAILY

ONE_DAY = {"start": date(2026, 3, 3)}
SUBJECTS = tuple(f"po_{number}" for number in range(1, 8))
BY_SUBJECT = replace(DAILY, name="by_subject", cadence=Subjects(SUBJECTS))


def refuse(vendor, times, **facts):
    vendor.errors["order"] = deque(Refused("not this one", **{"status": 404, **facts}) for _ in range(times))


# -- orders that are refused ---------------------------------------------------------------------------


@pytest.mark.parametrize("status", [400, 403, 404])
@pytest.mark.parametrize("optional", [False, True])
def test_one_refused_subject_stops_no_other(sync, vendor, target, status, optional):
    refuse(vendor, 1, status=status)
    ended = sync(vendor, reports=(replace(BY_SUBJECT, optional=optional),)).run()
    assert {period for _, period, _ in target.rows} == set(SUBJECTS[1:])
    assert len(ended.errors) == (0 if optional else 1)


@pytest.mark.parametrize("optional", [False, True])
def test_after_three_in_a_row_the_next_sync_begins_with_the_others(sync, vendor, target, optional):
    report = replace(BY_SUBJECT, optional=optional)
    refuse(vendor, 3)
    ended = sync(vendor, reports=(report,)).run()
    assert vendor.calls.count("order") == 3
    assert ended.errors, "those that nobody asked for are not excused by others"
    refuse(vendor, 0)
    again = sync(vendor, reports=(report,), state=target.state)
    ranked = sorted(again.jobs(), key=lambda job: job.rank)
    assert [job.period.key for job in ranked] == [*SUBJECTS[3:], *SUBJECTS[:3]]
    again.run()
    assert {period for _, period, _ in target.rows} == set(SUBJECTS)


def test_refusals_that_are_not_in_a_row_end_nothing(sync, vendor, target):
    good = [None, None]
    vendor.budget = 1
    hits = iter([True, True, False, True, True, False, True])

    def hook(event):
        if event == "order" and next(hits):
            raise Refused("not this one", status=404)

    vendor.hook = hook
    ended = sync(vendor, reports=(BY_SUBJECT,)).run()
    assert (len(ended.errors), len({period for _, period, _ in target.rows})) == (5, len(good))


def test_what_refuses_the_report_by_the_vendors_words_ends_it_at_once(sync, vendor):
    refuse(vendor, 1, code="report")
    ended = sync(vendor, reports=(replace(BY_SUBJECT, optional=True),)).run()
    assert vendor.calls.count("order") == 1
    assert not ended.errors
    assert len(ended.notes) == len(SUBJECTS)


# -- runs that are no good -----------------------------------------------------------------------------


@pytest.fixture(params=["with a journal", "without"])
def kept(request, storage):
    return {"storage": storage} if request.param == "with a journal" else {}


def garble(vendor, *run_ids):
    """These runs' files cannot be read."""

    def hook(event):
        if event == "ordered":
            vendor.last_ordered.garbled = vendor.last_ordered.run_id in run_ids

    vendor.hook = hook


@pytest.mark.parametrize("allows", ["orders are free", "the settings"])
@pytest.mark.parametrize("keyed", [True, False], ids=["listed", "not listed"])
@pytest.mark.parametrize("forgets", [False, True], ids=["", "STATE is lost"])
def test_a_run_that_is_bad_twice_is_given_up(sync, vendor, target, kept, keyed, forgets, allows):
    vendor.free, vendor.keyed = allows == "orders are free", keyed
    vendor.reorders = True if allows == "the settings" else None
    garble(vendor, "run1")
    forgets = forgets and bool(kept)
    for bad in (1, 2):
        state = target.state if bad == 2 and not forgets else None
        ended = sync(vendor, state=state, **ONE_DAY, **kept).run()
        assert ended.errors
        assert len(vendor.runs) == 1
    ended = sync(vendor, state=None if forgets else target.state, **ONE_DAY, **kept).run()
    assert not ended.errors
    assert len(vendor.runs) == 2
    assert len(target.period("fake_daily", "2026-03-03T00:00:00Z")) == 3
    assert not sync(vendor, state=target.state, **ONE_DAY, **kept).jobs()


@pytest.mark.parametrize("reorders", [None, False])
def test_where_another_order_may_cost_the_run_is_kept(sync, vendor, target, reorders):
    vendor.reorders = reorders
    garble(vendor, "run1")
    for _ in range(4):
        ended = sync(vendor, state=target.state, **ONE_DAY).run()
        assert ended.errors
    assert len(vendor.runs) == 1
    vendor.runs["run1"].garbled = False
    assert not sync(vendor, state=target.state, **ONE_DAY).run().errors


@pytest.mark.parametrize(
    ("reorders", "said"),
    [
        (
            None,
            "used 2 times: a full refresh of fake_daily with reuse_runs_since set to now orders another",
        ),
        (False, "could not be used 2 times: with fake_reorder_bad_files the next sync orders another, which may cost"),
        (True, "could not be used 2 times and is given up: the next sync orders another"),
    ],
)
def test_what_may_be_done_about_a_bad_run_is_said(sync, vendor, target, reorders, said):
    vendor.reorders = reorders
    read = vendor._read
    vendor._read = lambda made: replace(read(made), file=None) if made.run_id == "run1" else read(made)
    first = sync(vendor, state=target.state, **ONE_DAY).run().errors
    second = sync(vendor, state=target.state, **ONE_DAY).run().errors
    assert ("could not be used" in str(first), said in str(second)) == (False, True)
    sync(vendor, state=target.state, **ONE_DAY).run()
    assert len(vendor.runs) == (2 if reorders else 1)


def test_succeeded_without_a_file_twice_is_ordered_anew(sync, vendor, target):
    vendor.free = True
    read = vendor._read
    vendor._read = lambda made: replace(read(made), file=None) if made.run_id == "run1" else read(made)
    said = []
    for _ in range(2):
        said = sync(vendor, state=target.state, **ONE_DAY).run().errors
    assert "names no file; run run1 could not be used 2 times and is given up: the next sync orders another" in said[0]
    assert not sync(vendor, state=target.state, **ONE_DAY).run().errors
    assert len(vendor.runs) == 2


@pytest.mark.parametrize("call", ["status", "download"])
def test_an_absence_without_proof_is_believed_after_a_day(sync, unkeyed, target, clock, call):
    """Where a vendor has no words for what is gone; each sync until then fails and orders nothing."""
    vendor = unkeyed
    vendor.free = True
    for hours, orders in ((0, 1), (2, 1), (20, 1), (3, 2)):
        clock.advance(hours * 3600)
        vendor.errors[call] = deque([AbsenceUnproven("a page")])
        ended = sync(vendor, state=target.state, end=date(2026, 3, 4), **ONE_DAY).run()
        assert len(ended.errors) == 2 - orders
        assert len(vendor.runs) == orders


@pytest.mark.parametrize("fate", ["failed", "expired"])
def test_what_comes_to_nothing_for_good_is_ordered_once_a_sync_and_then_once_a_day(sync, vendor, target, clock, fate):
    vendor.free = True
    vendor.next_fates.extend([fate] * 100)
    orders = []
    for _ in range(12):
        clock.advance(3600)
        ended = sync(vendor, state=target.state, end=date(2026, 3, 4), **ONE_DAY).run()
        assert len(ended.errors) == 1, "each sync says so"
        orders.append(len(vendor.runs))
    assert orders == [3, 4, 5, 6, 7, 8, 9, 10, 10, 10, 10, 10]
    assert "10 runs have failed or expired, the last one less than a day ago" in ended.errors[0]
    clock.advance(86400)
    vendor.next_fates.clear()
    assert not sync(vendor, state=target.state, end=date(2026, 3, 4), **ONE_DAY).run().errors
