"""What is due, and what the ledger says of it afterwards."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, timezone

import pytest

from tap_billing_reports.core.dates import parse_utc
from tap_billing_reports.core.errors import ConfigError, StateError
from tap_billing_reports.declare import Interval, Report, Subjects, Windowed
from tap_billing_reports.reports.state import subjects
from tap_billing_reports.reports.state.entry import Entry
from tap_billing_reports.reports.state.layout import DonePeriod, OpenPeriod
from tap_billing_reports.reports.state.ledger import Ledger, check_state
from tests.reports.syncs import ACCOUNT, DAILY

UTC = timezone.utc


def keys(sync) -> list[str]:
    return [job.key for job in sync.jobs()]


def entry(sync, report=DAILY) -> Entry:
    return sync.ledger(report.stream).entry(ACCOUNT.account_id)


def day(number: int) -> str:
    return f"2026-03-{number:02d}T00:00:00Z"


# -- windows -------------------------------------------------------------------------------------------


def test_whole_windows_before_today_are_due_oldest_first(sync, vendor):
    assert keys(sync(vendor)) == [day(1), day(2), day(3)]


def test_nothing_from_the_end_date_on_is_due(sync, vendor):
    assert keys(sync(vendor, end=date(2026, 3, 3))) == [day(1), day(2)]


def test_what_the_vendor_has_bounds_the_windows(sync, vendor):
    vendor.available = Interval(datetime(2026, 3, 1, 6, tzinfo=UTC), datetime(2026, 3, 3, 12, tzinfo=UTC))
    first, second = sync(vendor).jobs()
    assert (first.key, first.period.start) == (day(1), vendor.available.start)
    assert second.key == day(2)
    assert vendor.calls == ["availability"]


def test_done_windows_are_one_closed_range_in_state(sync, vendor, target):
    done = sync(vendor).run()
    assert (entry(done).first, entry(done).through) == (day(1), day(4))
    assert not entry(done).done
    assert not entry(done).open
    assert keys(sync(vendor, state=target.state)) == []


def test_a_gap_stays_due_and_closes_when_it_is_filled(sync, vendor, target):
    vendor.next_fates.extend(["failed"] * 3)
    vendor.budget = 1
    first = sync(vendor).run()
    assert len(first.errors) == 1
    assert keys(sync(vendor, state=target.state)) == [day(1)]
    again = sync(vendor, state=target.state).run()
    assert (entry(again).first, entry(again).through) == (day(1), day(4))


def test_a_range_never_reaches_over_a_gap(sync, vendor, target):
    vendor.budget = 1
    vendor.next_fates.extend(["succeeded", "failed", "failed", "failed", "succeeded"])
    first = sync(vendor).run()
    assert (entry(first).first, entry(first).through) == (day(1), day(2))
    assert list(entry(first).done) == [day(3)]
    again = sync(vendor, state=target.state)
    assert keys(again) == [day(2)]
    again.run()
    assert (entry(again).first, entry(again).through, entry(again).done) == (day(1), day(4), {})


def test_an_earlier_start_date_extends_the_range_backwards(sync, vendor, target):
    sync(vendor).run()
    again = sync(vendor, state=target.state, start=date(2026, 2, 27))
    assert keys(again) == ["2026-02-27T00:00:00Z", "2026-02-28T00:00:00Z"]
    again.run()
    assert (entry(again).first, entry(again).through) == ("2026-02-27T00:00:00Z", day(4))


def test_a_window_cut_at_its_start_is_read_again_once_the_vendor_has_older_data(sync, vendor, target):
    vendor.available = Interval(datetime(2026, 3, 1, 12, tzinfo=UTC), datetime(2026, 3, 4, tzinfo=UTC))
    cut = sync(vendor).run()
    assert (entry(cut).first, entry(cut).through, list(entry(cut).done)) == (day(2), day(4), [day(1)])
    assert keys(sync(vendor, state=target.state)) == []
    vendor.available = replace(vendor.available, start=datetime(2026, 3, 1, 18, tzinfo=UTC))
    assert keys(sync(vendor, state=target.state)) == [], "what the vendor has no more is no reason"
    vendor.available = replace(vendor.available, start=datetime(2026, 2, 1, tzinfo=UTC))
    again = sync(vendor, state=target.state).run()
    assert [(f.job.key, f.job.parameters["start"]) for f in again.finished] == [(day(1), day(1))]
    assert (entry(again).first, entry(again).through, entry(again).done) == (day(1), day(4), {})
    assert keys(sync(vendor, state=target.state)) == []


def test_a_report_without_windows_and_subjects_is_one_run(sync, vendor, target):
    report = replace(DAILY, cadence=Subjects())
    first = sync(vendor, reports=(report,)).run()
    assert [f.job.key for f in first.finished] == ["all"]
    pending = json.loads(target.states[0][0])
    assert pending["fake_daily"]["ledger"][0]["open"][0]["run"] == "run1"
    assert [job.run_id for job in sync(vendor, reports=(report,), state=json.dumps(pending)).jobs()] == ["run1"]
    again = sync(vendor, reports=(report,), state=target.state)
    assert keys(again) == []
    (done,) = again.planner.plan(report).done(again.client, ACCOUNT, entry(again, report))
    assert done.key == "all"


def test_all_is_read_again_from_an_earlier_start_date(sync, vendor, target):
    """Where `end_date` stands still, nothing else would ever make it due."""
    report = replace(DAILY, cadence=Windowed("all"))
    sync(vendor, reports=(report,), end=date(2026, 3, 3)).run()
    assert keys(sync(vendor, reports=(report,), end=date(2026, 3, 3), state=target.state)) == []
    again = sync(vendor, reports=(report,), end=date(2026, 3, 3), start=date(2026, 1, 1), state=target.state).run()
    assert [f.job.parameters["start"] for f in again.finished] == ["2026-01-01T00:00:00Z"]
    later = sync(vendor, reports=(report,), end=date(2026, 3, 3), start=date(2026, 1, 1), state=target.state)
    assert keys(later) == []


@pytest.mark.parametrize("kept", [True, False])
def test_rows_that_a_deselected_reading_no_longer_has_are_taken_back_later(sync, unkeyed, target, storage, kept):
    """Sent, read shorter while nobody took the rows, then sent again: the target must not keep the old tail."""
    more = {"reports": (replace(DAILY, cadence=Windowed(lookback_days=2)),), "storage": storage if kept else None}
    unkeyed.next_rows.extend([5] * 3 + [2] * 30)
    sync(unkeyed, **more).run()
    sync(unkeyed, selected=False, state=target.state, **more).run()
    assert len(target.period("fake_daily", day(3))) == 5
    last = sync(unkeyed, state=target.state, **more).run()
    assert (last.read[day(3)], len(target.period("fake_daily", day(3)))) == (2, 2)


def test_a_partial_window_is_read_again_when_there_is_more_and_once_it_is_whole(sync, vendor, target, clock):
    report = replace(DAILY, cadence=Windowed("month", include_partial=True))
    vendor.available = Interval(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 3, 4, 0, tzinfo=UTC))
    sync(vendor, reports=(report,)).run()
    assert keys(sync(vendor, reports=(report,), state=target.state)) == []
    vendor.available = replace(vendor.available, end=datetime(2026, 3, 4, 12, tzinfo=UTC))
    again = sync(vendor, reports=(report,), state=target.state).run()
    assert [f.job.key for f in again.finished] == [day(1)]
    vendor.available = replace(vendor.available, end=datetime(2026, 4, 1, tzinfo=UTC))
    last = sync(vendor, reports=(report,), state=target.state).run()
    assert (entry(last, report).first, entry(last, report).through) == (day(1), "2026-04-01T00:00:00Z")
    assert not entry(last, report).done
    assert len(vendor.runs) == 3


def test_all_is_read_again_when_availability_has_moved(sync, vendor, target):
    report = replace(DAILY, cadence=Windowed("all"))
    vendor.available = Interval(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 3, 4, 0, tzinfo=UTC))
    sync(vendor, reports=(report,)).run()
    assert keys(sync(vendor, reports=(report,), state=target.state)) == []
    vendor.available = replace(vendor.available, end=datetime(2026, 3, 4, 12, tzinfo=UTC))
    vendor.next_rows.append(2)
    sync(vendor, reports=(report,), state=target.state).run()
    assert len(vendor.runs) == 2
    assert len(target.period(report.stream, "all")) == 2
    assert target.taken_back == 1


def test_the_look_back_is_read_again_and_takes_back_what_is_gone(sync, unkeyed, target, clock):
    report = replace(DAILY, cadence=Windowed(lookback_days=2))
    unkeyed.next_rows.extend([5, 5, 5])
    sync(unkeyed, reports=(report,)).run()
    clock.advance(86_400)
    unkeyed.next_rows.extend([4, 6])
    again = sync(unkeyed, reports=(report,), state=target.state)
    # Day 3 ended within the two days before now; day 2 just before them.
    assert keys(again) == [day(3), day(4)]
    again.run()
    assert len(target.period(report.stream, day(3))) == 4
    assert len(target.period(report.stream, day(4))) == 6
    assert target.taken_back == 1


def test_subjects_are_read_once(sync, vendor, target):
    report = replace(DAILY, cadence=Subjects(("po_1", "po_2")))
    sync(vendor, reports=(report,)).run()
    assert [made.parameters for made in vendor.runs.values()] == [{"subject": "po_1"}, {"subject": "po_2"}]
    more = replace(report, cadence=Subjects(("po_1", "po_2", "po_3")))
    assert keys(sync(vendor, reports=(more,), state=target.state)) == ["po_3"]


# -- pending runs --------------------------------------------------------------------------------------


def pending_state(sync, vendor, target) -> str:
    """A STATE with three pending runs."""
    vendor.run_seconds, vendor.budget = 10_000, 3
    ended = sync(vendor, deadline=5.0).run()
    assert len(ended.errors) == 3
    return str(target.state)


def test_pending_runs_come_first_and_keep_their_parameters(sync, vendor, target):
    vendor.available = Interval(datetime(2026, 3, 1, 6, tzinfo=UTC), datetime(2026, 3, 3, 12, tzinfo=UTC))
    vendor.run_seconds, vendor.budget = 10_000, 1
    sync(vendor, deadline=5.0, max_new_runs=1).run()
    vendor.available = replace(vendor.available, start=datetime(2026, 3, 1, 9, tzinfo=UTC))
    jobs = sync(vendor, state=target.state).jobs()
    assert [(job.key, job.run_id) for job in jobs] == [(day(1), "run1"), (day(2), None)]
    assert jobs[0].period.start == datetime(2026, 3, 1, 6, tzinfo=UTC)


def test_a_pending_run_of_other_parameters_is_not_gone_on_with(sync, vendor, target):
    # Columns are no part of a report's identity, but of what a run is asked for.
    state = pending_state(sync, vendor, target)
    changed = replace(DAILY, columns=("a", "b"))
    assert [job.run_id for job in sync(vendor, state=state).jobs()] == ["run1", "run2", "run3"]
    assert [job.run_id for job in sync(vendor, state=state, reports=(changed,)).jobs()] == [None, None, None]


def test_a_run_from_before_reuse_runs_since_is_ordered_anew(sync, vendor, target, clock):
    state = pending_state(sync, vendor, target)
    clock.advance(60)
    jobs = sync(vendor, state=state, reuse_runs_since=clock.now()).jobs()
    assert [(job.run_id, job.attempt) for job in jobs] == [(None, 1)] * 3


def test_a_reading_that_broke_off_is_made_up_for_even_after_the_look_back(sync, vendor, target):
    """Rows of it are out, and nothing else would ever take them back."""
    left = [{"period": day(2), "attempt": 2, "out": "f", "out_rows": 4}, {"period": day(1), "refused": 1}]
    identity = {"report_type": "daily.1", "timezone": "UTC", "window": "day"}
    entry = {"version": 1, "account": "acct", "identity": identity, "first": day(1), "through": day(4), "open": left}
    state = json.dumps({"fake_daily": {"ledger": [entry]}})
    assert keys(sync(vendor, state=state)) == [day(2)]
    sync(vendor, state=state).run()
    assert target.period("fake_daily", day(2)) == vendor.runs["run1"].content.decode().splitlines()[1:]
    assert target.taken_back == 1
    assert keys(sync(vendor, state=target.state)) == []


# -- the ledger in STATE -------------------------------------------------------------------------------


def test_a_ledger_survives_state_as_it_is():
    whole = Entry(
        "acct",
        {"report_type": "daily.1"},
        day(1),
        day(3),
        open={
            day(3): OpenPeriod(
                period=day(3),
                run="r",
                attempt=2,
                at=parse_utc(day(4)),
                asked="a",
                bad=1,
                bad_since=parse_utc(day(4)),
                adopted=True,
                start=parse_utc(day(3)),
                end=parse_utc(day(4)),
                out="f",
                out_rows=8,
                rows=3,
                failed=2,
                failed_at=parse_utc(day(4)),
                refused=1,
            ),
            day(5): OpenPeriod(period=day(5), attempt=2),
        },
        done={day(4): DonePeriod(period=day(4), end=parse_utc(day(5)), rows=7, run="q"), "po": DonePeriod(period="po")},
        seen="2026-03-01",
        subjects_due=subjects.Subjects([["2026-03-01", "1", "2@other"]]),
        subjects_done=subjects.Subjects([["2026-02-01", "0"]]),
    )
    state = json.loads(json.dumps(whole.as_state()))
    assert Entry.from_state(state) == whole
    # Meltano merges dicts of two states key by key, and replaces lists: no dict may have ids for keys.
    assert not any(isinstance(value, dict) for name, value in state.items() if name != "identity")


def test_the_ledger_is_replaced_in_one_assignment():
    bookmark: dict = {}
    ledger = Ledger(lambda: bookmark)
    with ledger.changing("a") as entry:
        entry.open["x"] = OpenPeriod(period="x", run="r")
    ledger.write()
    before = bookmark["ledger"]
    with ledger.changing("a") as entry:
        entry.open["x"] = OpenPeriod(period="x", run="s")
    assert bookmark["ledger"][0]["open"] == [{"period": "x", "run": "r"}]
    ledger.write()
    assert before[0]["open"] == [{"period": "x", "run": "r"}]
    assert bookmark["ledger"][0]["open"] == [{"period": "x", "run": "s"}]


def test_no_signal_falls_into_a_change():
    told = []

    @contextmanager
    def uninterrupted():
        told.append("held")
        yield
        told.append("let go")

    ledger = Ledger(dict, uninterrupted)
    with ledger.changing("a"):
        told.append("changed")
    assert told == ["held", "changed", "let go"]


@pytest.mark.parametrize(
    "change",
    [
        {"report_type": "daily.2"},
        {"cadence": Windowed("week")},
        {"zone": "Europe/Oslo"},
        {"parameters": {"currency": "usd"}},
    ],
)
def test_a_report_that_has_state_for_other_settings_is_refused(sync, vendor, target, change):
    sync(vendor).run()
    changed = replace(DAILY, **change)
    with pytest.raises(ConfigError, match=r"fake_daily account acct: \w+ changed.*new name.*full refresh"):
        sync(vendor, state=target.state, reports=(changed,)).jobs()
    renamed: Report = replace(changed, name="other")
    assert sync(vendor, state=target.state, reports=(renamed,)).jobs()


@pytest.mark.parametrize(
    ("ledger", "message"),
    [
        ({"acct": {}}, "no list"),
        ([{"version": 1}], "without an account"),
        (["acct"], "without an account"),
        ([{"account": "acct", "version": 2}], "has version 2"),
        ([{"account": "acct"}], "has version None"),
        ([{"account": "acct", "version": 1, "open": [{"run": "r"}]}], "damaged"),
        ([{"account": "acct", "version": 1, "subjects_due": [[]]}], "damaged"),
        ([{"account": "acct", "version": 1, "subjects_done": [["yesterday", "1"]]}], "damaged"),
        ([{"account": "acct", "version": 1, "first": 5, "through": 6}], "damaged"),
        ([{"account": "acct", "version": 1, "done": [{"period": "2026-03-01T00:00:00Z", "rows": 1}]}], "damaged"),
        ([{"account": "acct", "version": 1, "done": [{"period": "p", "end": "2026-03-01"}]}], "damaged"),
        ([{"account": "acct", "version": 1, "open": [{"period": "p", "attempt": "second"}]}], "damaged"),
        ([{"account": "acct", "version": 1, "open": [{"period": "p", "run": "r", "at": "today"}]}], "damaged"),
        (
            [{"account": "acct", "version": 1, "done": [{"period": day(2), "end": day(3), "next": day(2)}]}],
            "followed by",
        ),
        ([{"account": "acct", "version": 1, "open": [{"period": "p", "attempt": True}]}], "attempt"),
        # A window's run is of no use without its interval; a subject's has none.
        ([{"account": "acct", "version": 1, "open": [{"period": "2026-03-01T00:00:00Z", "run": "r"}]}], "damaged"),
        ([{"account": "acct", "version": 1, "open": [{"period": "all", "run": "r"}]}], "damaged"),
    ],
)
def test_a_ledger_that_cannot_be_gone_on_from_is_refused(ledger, message):
    with pytest.raises(StateError, match=message):
        check_state("fake_daily", {"ledger": ledger})


def test_a_ledger_of_subjects_is_taken():
    entry = {"account": "acct", "version": 1, "open": [{"period": "po_1", "run": "r"}], "done": [{"period": "po_2"}]}
    check_state("fake_daily", {"ledger": [entry]})
