"""One order a period: keys, adoption, attempts, replays, refusals, throttling, vanished runs."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from typing import Any

import pytest

from tap_billing_reports.core.errors import AuthenticationFailed, NotFound, Refused, Throttled, Unavailable
from tap_billing_reports.declare import Interval, Windowed
from tap_billing_reports.reports.jobs import Collected
from tests.reports.syncs import DAILY, KilledError
from tests.reports.vendor import Made
from tests.typed import some

UTC = timezone.utc
ONE_DAY = {"start": date(2026, 3, 3)}
"""Of all windows the last one only."""
PARAMETERS = {"start": "2026-03-03T00:00:00Z", "end": "2026-03-04T00:00:00Z"}


def at(hour: int, day: int = 4) -> datetime:
    return datetime(2026, 3, day, hour, tzinfo=UTC)


def listed(vendor, run_id: str, created_at: datetime, **facts) -> Made:
    """A run that somebody has ordered before the sync."""
    made = Made(run_id, "daily.1", dict(PARAMETERS), created_at, created_at, **facts)
    vendor.runs[run_id] = made
    return made


# -- adoption ------------------------------------------------------------------------------------------


def test_the_newest_listed_run_of_equal_parameters_is_adopted(sync, vendor, target):
    listed(vendor, "older", at(1))
    listed(vendor, "newer", at(2))
    listed(vendor, "other", at(3)).parameters["currency"] = "usd"
    ended = sync(vendor, **ONE_DAY).run()
    assert [(f.run.run_id, f.origin) for f in ended.finished] == [("newer", "adopted")]
    assert "order" not in vendor.calls
    assert vendor.calls.count("list") == 1
    assert len(target.rows) == 3


def test_a_pending_run_is_adopted_and_waited_for(sync, vendor):
    listed(vendor, "pending", at(5)).ready_at = at(7)
    ended = sync(vendor, deadline=10_000.0, **ONE_DAY).run()
    assert [(f.run.run_id, f.origin) for f in ended.finished] == [("pending", "adopted")]


@pytest.mark.parametrize(
    "facts",
    [{"fate": "failed"}, {"file_gone": True}],
    ids=["failed", "expired"],
)
def test_dead_runs_are_not_adopted_but_count_as_attempts(sync, vendor, facts):
    listed(vendor, "dead", at(2), **facts)
    ended = sync(vendor, **ONE_DAY).run()
    assert [(f.origin, f.attempt) for f in ended.finished] == [("ordered", 2)]


def test_runs_from_before_the_window_ended_or_reuse_runs_since_are_not_adopted(sync, vendor):
    listed(vendor, "early", at(23, day=3))
    listed(vendor, "before", at(2))
    ended = sync(vendor, reuse_runs_since=at(3), **ONE_DAY).run()
    assert [(f.origin, f.attempt) for f in ended.finished] == [("ordered", 1)]


@pytest.mark.parametrize(("hours", "expected"), [(6, "adopted"), (4, "ordered")])
def test_runs_from_before_the_vendor_keeps_any_are_not_adopted(sync, vendor, clock, hours, expected):
    vendor.listed_for = timedelta(hours=hours)
    listed(vendor, "five hours old", clock.now() - timedelta(hours=5))
    ended = sync(vendor, **ONE_DAY).run()
    assert [f.origin for f in ended.finished] == [expected]


def test_reuse_runs_since_is_part_of_the_key(sync, vendor):
    sync(vendor, **ONE_DAY).run()
    sync(vendor, reuse_runs_since=at(7), **ONE_DAY).run()
    assert len(vendor.runs) == 2


def test_a_run_that_the_ledger_has_read_is_not_adopted_for_another_reading(sync, vendor, target, clock):
    report = replace(DAILY, cadence=Windowed(lookback_days=5))
    sync(vendor, reports=(report,), **ONE_DAY).run()
    clock.advance(60)
    again = sync(vendor, reports=(report,), state=target.state, **ONE_DAY).run()
    assert [(f.origin, f.attempt) for f in again.finished] == [("ordered", 2)]
    clock.advance(60)
    last = sync(vendor, reports=(report,), state=target.state, **ONE_DAY).run()
    assert [(f.origin, f.attempt) for f in last.finished] == [("ordered", 3)]


def test_a_list_that_fails_is_asked_for_once_and_named_for_each_period(sync, vendor):
    vendor.errors["list"].append(Unavailable("HTTP 503 for the list"))
    ended = sync(vendor).run()
    assert vendor.calls == ["list"]
    assert len(ended.errors) == 3
    assert all("HTTP 503 for the list" in error for error in ended.errors)


# -- failed and vanished runs --------------------------------------------------------------------------


def test_a_failed_run_is_ordered_again_under_the_next_number(sync, vendor, target):
    vendor.next_fates.append("failed")
    ended = sync(vendor, **ONE_DAY).run()
    assert [(f.attempt, isinstance(f, Collected)) for f in ended.finished] == [(1, False), (2, True)]
    assert "it went wrong" in ended.notes[0]
    assert not ended.errors
    assert len(target.rows) == 3


def test_three_orders_a_period_and_sync(sync, vendor, target):
    vendor.next_fates.extend(["failed"] * 4)
    ended = sync(vendor, **ONE_DAY).run()
    assert len(vendor.runs) == 3
    assert len(ended.errors) == 1
    assert "run3 failed (it went wrong), as did the 2 before it" in ended.errors[0]
    once = sync(vendor, state=target.state, **ONE_DAY).run()
    assert "run4 failed (it went wrong), as did the 3 before it" in once.errors[0]
    assert len(vendor.runs) == 4, "one in each sync after it"
    again = sync(vendor, state=target.state, **ONE_DAY).run()
    assert [f.attempt for f in again.finished] == [5]
    assert not again.errors


def test_a_vanished_run_is_ordered_again_as_its_key_would_bring_it_back(sync, vendor, target):
    vendor.run_seconds = 10_000
    sync(vendor, deadline=5.0, **ONE_DAY).run()
    vendor.runs["run1"].gone = True
    vendor.run_seconds = 0
    ended = sync(vendor, state=target.state, **ONE_DAY).run()
    assert [(f.origin, f.attempt, isinstance(f, Collected)) for f in ended.finished] == [
        ("resumed", 1, False),
        ("ordered", 2, True),
    ]


def test_an_expired_file_is_ordered_again(sync, unkeyed):
    unkeyed.errors["download"].append(NotFound("expired", status=404))
    ended = sync(unkeyed, **ONE_DAY).run()
    assert [(f.attempt, isinstance(f, Collected)) for f in ended.finished] == [(1, False), (2, True)]


def test_a_run_that_has_expired_is_ordered_again_and_is_not_called_a_failure(sync, vendor, target):
    vendor.next_fates.extend(["expired", "expired", "expired", "succeeded"])
    ended = sync(vendor, **ONE_DAY).run()
    assert [f.note for f in ended.finished if f.note] == [
        "run run1 has expired; ordering again",
        "run run2 has expired; ordering again",
    ]
    assert "run run3 has expired, as did the 2 before it" in ended.errors[0]
    again = sync(vendor, state=target.state, **ONE_DAY).run()
    assert [(f.attempt, isinstance(f, Collected)) for f in again.finished] == [(4, True)]


def test_an_expired_run_that_is_listed_is_not_adopted(sync, vendor):
    theirs = listed(vendor, "theirs", at(5))
    theirs.fate, theirs.ready_at = "expired", at(5)
    ended = sync(vendor, **ONE_DAY).run()
    assert [(f.origin, f.attempt) for f in ended.finished] == [("ordered", 2)]


def test_the_next_number_survives_a_kill(sync, vendor, target):
    vendor.next_fates.append("failed")

    def dies(event):
        if event == "order" and len(vendor.runs) == 1:
            raise KilledError

    vendor.hook = dies
    first = sync(vendor, **ONE_DAY)
    with pytest.raises(KilledError):
        first.run()
    first.checkpoint()
    vendor.hook = lambda _event: None
    assert [job.attempt for job in sync(vendor, state=target.state, **ONE_DAY).jobs()] == [2]


# -- answers -------------------------------------------------------------------------------------------


def test_a_replayed_failure_lists_again_and_adopts(sync, vendor):
    vendor.errors["order"].append(vendor.fail_and_replay())

    def made_after_all(event):
        if event == "order":
            listed(vendor, "made", at(6))

    vendor.hook = made_after_all
    ended = sync(vendor, **ONE_DAY).run()
    assert [(f.run.run_id, f.origin) for f in ended.finished] == [("made", "adopted")]
    assert vendor.calls.count("list") == 2


def test_a_replayed_failure_without_a_run_goes_on_with_the_next_number(sync, vendor):
    vendor.errors["order"].extend([vendor.fail_and_replay(), vendor.fail_and_replay()])
    ended = sync(vendor, **ONE_DAY).run()
    assert [(f.origin, f.attempt) for f in ended.finished] == [("ordered", 3)]


def test_replayed_failures_end_after_three_numbers(sync, vendor):
    vendor.errors["order"].extend([vendor.fail_and_replay() for _ in range(5)])
    ended = sync(vendor, **ONE_DAY).run()
    assert vendor.calls.count("order") == 3
    assert "same stored failure" in ended.errors[0]


def test_an_order_without_an_answer_fails_its_period_and_is_the_same_order_next_time(sync, vendor, target):
    def lose(event):
        if event == "ordered" and len(vendor.runs) == 1 and vendor.calls.count("order") == 1:
            raise Unavailable("no answer")

    vendor.hook = lose
    ended = sync(vendor).run()
    assert len(ended.errors) == 1
    assert len(ended.finished) == 3
    again = sync(vendor, state=target.state).run()
    assert not again.errors
    assert len(vendor.runs) == 3


def test_an_optional_refusal_is_a_note_and_any_other_an_error(sync, vendor):
    for report, errors in ((DAILY, 1), (replace(DAILY, optional=True), 0)):
        vendor.errors["order"].append(Refused("needs a live key", status=400))
        ended = sync(vendor, reports=(report,), **ONE_DAY).run()
        assert len(ended.errors) == errors
        assert len(ended.notes) == 1 - errors


def test_wrong_credentials_are_never_optional(sync, vendor):
    vendor.errors["order"].append(AuthenticationFailed("wrong key", status=401))
    ended = sync(vendor, reports=(replace(DAILY, optional=True),), **ONE_DAY).run()
    assert "wrong key" in ended.errors[0]


def test_a_refused_report_is_asked_for_once(sync, vendor):
    vendor.errors["order"].append(Refused("no such report", status=404, code="report"))
    vendor.budget = 1
    ended = sync(vendor).run()
    assert vendor.calls.count("order") == 1
    assert len(ended.errors) == 1
    assert [note.partition(":")[0] for note in ended.notes] == ["not ordered", "not ordered"]


def test_one_refused_period_stops_no_other(sync, vendor, target):
    vendor.errors["order"].append(Refused("not this one", status=400))
    ended = sync(vendor).run()
    assert len(ended.errors) == 1
    assert {period for _, period, _ in target.rows} == {"2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z"}


# -- availability --------------------------------------------------------------------------------------


def out_of_range() -> Refused:
    return Refused("only available from", status=400, code="range")


def moves(vendor, available: Interval):
    """Availability is another one once the first order has been refused."""
    vendor.errors["order"].append(out_of_range())

    def hook(event):
        if event == "order":
            vendor.available = available

    vendor.hook = hook


def test_data_that_begin_later_are_ordered_from_there(sync, vendor):
    vendor.available = Interval(at(0, day=1), at(12))
    moves(vendor, Interval(at(5, day=3), at(12)))
    ended = sync(vendor, **ONE_DAY).run()
    assert not ended.errors
    assert [made.parameters["start"] for made in vendor.runs.values()] == ["2026-03-03T05:00:00Z"]
    assert vendor.calls.count("availability") == 2


def test_data_that_are_not_there_yet_are_deferred_without_more_orders(sync, vendor):
    vendor.available = Interval(at(0, day=1), at(12))
    moves(vendor, Interval(at(0, day=1), at(12, day=2)))
    ended = sync(vendor, start=date(2026, 3, 2)).run()
    assert not ended.errors
    assert len(ended.notes) == 2
    assert vendor.calls.count("order") == 1


def test_data_that_are_gone_are_left_out(sync, vendor):
    vendor.available = Interval(at(0, day=1), at(12))
    moves(vendor, Interval(at(5), at(12)))
    ended = sync(vendor, **ONE_DAY).run()
    assert (ended.errors, len(ended.notes), vendor.calls.count("order")) == ([], 1, 1)


def test_a_refusal_that_availability_does_not_explain_is_an_error(sync, vendor):
    vendor.available = Interval(at(0, day=1), at(12))
    moves(vendor, vendor.available)
    ended = sync(vendor, **ONE_DAY).run()
    assert len(ended.errors) == 1
    assert vendor.calls.count("order") == 1


def test_availability_that_cannot_be_read_again_fails_the_period_alone(sync, vendor):
    vendor.available = Interval(at(0, day=1), at(12))
    vendor.errors["order"].append(out_of_range())
    run = sync(vendor, start=date(2026, 3, 2))
    jobs = run.jobs()
    vendor.errors["availability"].append(Unavailable("HTTP 503"))
    ended = list(run.runner.finished(jobs))
    assert [f.error is None for f in ended] == [False, True]
    assert "HTTP 503" in str(ended[0].error)


# -- many at once --------------------------------------------------------------------------------------


def test_more_than_max_new_runs_are_deferred_and_named(sync, vendor, target):
    ended = sync(vendor, max_new_runs=2).run()
    assert ended.notes == ["deferred: more than max_new_runs=2 are due"]
    assert [f.job.key for f in ended.finished if f.note] == ["2026-03-03T00:00:00Z"]
    again = sync(vendor, state=target.state, max_new_runs=2).run()
    assert not again.notes
    assert len(vendor.runs) == 3


def test_adopted_runs_do_not_count_as_new(sync, vendor):
    listed(vendor, "there", at(2))
    ended = sync(vendor, max_new_runs=2).run()
    assert not ended.notes


def test_no_more_runs_are_made_at_once_than_the_budget(sync, vendor):
    vendor.run_seconds, vendor.budget, vendor.limit = 30.0, 2, 2
    ended = sync(vendor, start=date(2026, 2, 20)).run()
    assert len(ended.finished) == 12
    assert not ended.errors
    assert vendor.calls.count("order") == 12


def test_a_throttled_order_waits_for_a_run_of_ones_own(sync, vendor, clock):
    vendor.run_seconds, vendor.budget, vendor.limit = 30.0, 5, 2
    ended = sync(vendor, start=date(2026, 2, 20)).run()
    assert not ended.errors
    assert len(vendor.runs) == 12
    # Two at a time, 30 s each: no order waits much longer than for a free place.
    assert clock.monotonic() < 6 * 30 * 1.25


def test_a_throttled_order_never_comes_before_retry_after(sync, vendor, clock):
    vendor.errors["order"].append(Throttled("slowly", retry_after=90.0))
    sync(vendor, **ONE_DAY).run()
    assert clock.monotonic() >= 90.0


def test_a_vendor_that_throttles_for_ever_fails_at_the_deadline(sync, vendor, clock):
    vendor.limit = 0
    ended = sync(vendor, deadline=300.0).run()
    assert len(ended.errors) == 3
    assert all("throttled for" in error for error in ended.errors)
    assert 300.0 < clock.monotonic() < 400.0


def test_pending_runs_of_all_reports_come_before_any_new_order(sync, vendor, target):
    # They take their places at the vendor already.
    second = replace(DAILY, name="second", report_type="second.1")
    vendor.run_seconds, vendor.budget = 10_000, 2
    sync(vendor, reports=(second,), deadline=5.0, max_new_runs=2).run()
    vendor.calls.clear()
    vendor.limit = 2
    vendor.run_seconds = 0
    run = sync(vendor, reports=(DAILY, second), state=target.state, deadline=20_000.0).run()
    assert not run.errors
    assert vendor.calls.index("status") < vendor.calls.index("order")


# -- polling -------------------------------------------------------------------------------------------


def test_the_deadline_keeps_the_id_and_the_next_sync_goes_on(sync, vendor, target):
    vendor.run_seconds = 1_000
    ended = sync(vendor, deadline=600.0, **ONE_DAY).run()
    assert "run1 is still pending after 10 minutes; the next sync goes on with it" in ended.errors[0]
    again = sync(vendor, deadline=600.0, state=target.state, **ONE_DAY).run()
    assert [(f.run.run_id, f.origin) for f in again.finished] == [("run1", "resumed")]
    assert len(vendor.runs) == 1


def test_an_adopted_run_stays_adopted_when_it_is_resumed(sync, vendor, target):
    listed(vendor, "theirs", at(5)).ready_at = at(8)
    sync(vendor, deadline=60.0, **ONE_DAY).run()
    again = sync(vendor, deadline=10_000.0, state=target.state, **ONE_DAY).run()
    assert [(f.origin, f.job.adopted) for f in again.finished] == [("resumed", True)]


def test_an_unknown_status_is_an_error_and_keeps_the_id(sync, vendor, target):
    vendor.run_seconds = 1.0
    run = sync(vendor, **ONE_DAY)
    orders = replace(some(run.client.api.orders(None)), read_status=_unknown)
    run.client.api = replace(run.client.api, retrieval=orders)
    ended = run.run()
    assert "unknown shape or status (MAYBE, test_orders.py, line " in ended.errors[0]
    again = sync(vendor, state=target.state, **ONE_DAY).run()
    assert [f.origin for f in again.finished] == ["resumed"]


def _unknown(_answer, _run_id):
    raise ValueError("MAYBE")


def test_polls_grow_apart_to_a_minute(sync, vendor, clock):
    vendor.run_seconds = 3_000
    sync(vendor, deadline=10_000.0, **ONE_DAY).run()
    assert all(0.9 <= pause <= 66.0 for pause in clock.slept)
    assert clock.slept[0] <= 1.1
    assert max(clock.slept) > 54.0
    assert clock.monotonic() <= 3_000 + 66


def test_state_with_the_ids_goes_out_before_the_first_poll(sync, vendor, target):
    vendor.run_seconds = 1.0
    seen: list[Any] = []

    def hook(event):
        if event == "status" and not seen:
            seen.append(target.state)

    vendor.hook = hook
    sync(vendor).run()
    assert '"run1"' in seen[0]
    assert '"run2"' in seen[0]


@pytest.mark.parametrize("call", ["status", "download"])
def test_a_vendor_that_stumbles_costs_one_period_and_no_order(sync, vendor, target, call):
    # A run that is made when it is ordered is not asked about.
    vendor.run_seconds = 1.0
    vendor.errors[call].append(Unavailable("HTTP 503"))
    ended = sync(vendor).run()
    assert len(ended.errors) == 1
    assert len(target.live()) == 6
    again = sync(vendor, state=target.state).run()
    assert not again.errors
    assert len(target.live()) == 9
    assert len(vendor.runs) == 3


def test_a_year_is_as_far_as_runs_are_looked_for(sync, vendor):
    run = sync(vendor, start=date(2024, 1, 1), max_new_runs=1)
    oldest = run.jobs()[0]
    assert run.orders.adoption.adoptable_from(oldest) == vendor.clock.now() - timedelta(days=365)


def test_an_order_is_in_the_state_before_the_next_one_goes_out(sync, unkeyed, target):
    orders_in_state = []

    def watch(event):
        if event == "order":
            state = json.loads(target.state) if target.states else {}
            entries = [entry for stream in state.values() for entry in stream["ledger"]]
            orders_in_state.append(sum(len(entry.get("open", ())) for entry in entries))

    unkeyed.hook = watch
    sync(unkeyed).run()
    assert orders_in_state[:2] == [0, 1]
