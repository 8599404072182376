"""The journal: what a sync finds there when STATE knows nothing, or less."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tap_billing_reports.core.errors import SyncError, Unavailable
from tap_billing_reports.declare import Interval, Subjects, Windowed
from tests.reports.syncs import DAILY, KilledError
from tests.typed import some

if TYPE_CHECKING:
    from tap_billing_reports.storage.files import Storage

ONE_DAY = {"start": date(2026, 3, 3)}
KEY = "2026-03-03T00:00:00Z"
UTC = timezone.utc


def notes(storage: Storage) -> list[dict]:
    paths = [path for path in storage._fs.find(storage._root) if "/journal/" in path]
    return [json.loads(storage._fs.cat_file(path)) for path in sorted(paths)]


def kill_at(vendor, event: str, count: int = 1) -> None:
    left = [count]

    def hook(name: str) -> None:
        if name == event:
            left[0] -= 1
            if not left[0]:
                raise KilledError

    vendor.hook = hook


def killed(sync, vendor, **facts) -> None:
    with pytest.raises(KilledError):
        sync(vendor, **facts).run()
    vendor.hook = lambda _event: None


# -- what is written -----------------------------------------------------------------------------------


def test_an_order_is_noted_before_it_goes_out_and_with_its_run_after_it(sync, unkeyed, storage):
    seen = []
    unkeyed.hook = lambda event: seen.append((event, [note["stage"] for note in notes(storage)]))
    sync(unkeyed, storage=storage, **ONE_DAY).run()
    stages = dict(reversed(seen))
    assert stages["order"] == ["intent"]
    assert stages["status"] == ["ordered"]
    assert stages["download"] == ["ordered"]
    (note,) = notes(storage)
    assert (note["stage"], note["rows"], note["attempt"], note["run"]["id"]) == ("kept", 3, 1, "run1")
    assert note["files"][0]["size"] == len(unkeyed.runs["run1"].content)


def test_names_in_the_journal_stay_in_their_folder(sync, unkeyed, storage):
    report = replace(DAILY, cadence=Subjects(("../../../etc/passwd", "a/b", "A/B")))
    sync(unkeyed, storage=storage, reports=(report,)).run()
    paths = storage._fs.find(storage._root)
    assert len([path for path in paths if "/journal/" in path]) == 3
    folders = {str(Path(path).parent) for path in paths if "/journal/" in path}
    assert folders == {f"{storage._root}/journal/fake/acct/daily"}


def test_an_order_that_cannot_be_noted_does_not_go_out(sync, unkeyed, storage, monkeypatch):
    def full(*_):
        raise SyncError("setting storage_url: cannot write: No space left on device")

    monkeypatch.setattr(storage, "write_json", full)
    with pytest.raises(SyncError, match="No space left"):
        sync(unkeyed, storage=storage).run()
    assert not unkeyed.runs


# -- what is found -------------------------------------------------------------------------------------


def test_an_intent_with_an_id_is_gone_on_with(sync, unkeyed, storage):
    kill_at(unkeyed, "status")
    killed(sync, unkeyed, storage=storage)
    again = sync(unkeyed, storage=storage).run()
    assert not again.errors
    assert len(unkeyed.runs) == 3
    assert sorted(f.origin for f in again.finished) == ["ordered", "resumed", "resumed"]


def test_without_a_journal_a_kill_costs_one_more_order_for_each_run_that_state_misses(sync, unkeyed, target):
    kill_at(unkeyed, "status")
    killed(sync, unkeyed)
    again = sync(unkeyed).run()
    assert not again.errors
    assert len(unkeyed.runs) == 3 + 2
    assert len(target.live()) == 9


def test_an_intent_without_an_id_is_ordered_again_where_orders_have_no_key(sync, unkeyed, storage, target):
    kill_at(unkeyed, "ordered")
    killed(sync, unkeyed, storage=storage)
    again = sync(unkeyed, storage=storage).run()
    assert not again.errors
    assert len(unkeyed.runs) == 3 + 1
    assert len(target.live()) == 9


def test_an_intent_without_an_id_is_the_same_order_where_orders_have_a_key(sync, vendor, storage):
    vendor.next_fates.append("failed")
    kill_at(vendor, "ordered", count=2)
    killed(sync, vendor, storage=storage, **ONE_DAY)
    # The second order, under the second number, has no id yet; the list does not show it either.
    del vendor.runs["run1"]
    run = sync(vendor, storage=storage, **ONE_DAY)
    orders = replace(some(run.client.api.orders(None)), runs=None)
    run.client.api = replace(run.client.api, retrieval=orders)
    ended = run.run()
    assert [(f.run.run_id, f.origin, f.attempt) for f in ended.finished] == [("run2", "ordered", 2)]


def test_what_is_done_is_sent_from_the_kept_file(sync, unkeyed, storage, target):
    sync(unkeyed, storage=storage).run()
    rows, calls = dict(target.rows), len(unkeyed.calls)
    target.rows.clear()
    again = sync(unkeyed, storage=storage).run()
    assert [f.origin for f in again.finished] == ["kept"] * 3
    assert target.rows == rows
    assert len(unkeyed.calls) == calls
    first, file = again.finished[0].run, again.finished[0].file
    assert (first.run_id, first.source_status, first.finished_at is not None) == ("run1", "succeeded", True)
    assert file.uri.endswith("/run1.csv")
    assert file.remote.file_id == "run1.csv"


def test_kept_files_do_not_count_as_new_runs(sync, unkeyed, storage):
    sync(unkeyed, storage=storage).run()
    again = sync(unkeyed, storage=storage, max_new_runs=1).run()
    assert [f.origin for f in again.finished] == ["kept"] * 3


def test_a_file_that_was_collected_but_not_sent_is_not_fetched_again(sync, unkeyed, storage, target):
    first = sync(unkeyed, storage=storage, **ONE_DAY)
    first.hook = _dies_at("row")
    with pytest.raises(KilledError):
        first.run()
    sync(unkeyed, storage=storage, **ONE_DAY).run()
    assert unkeyed.served == {"run1": 1}
    assert len(target.live()) == 3


def _dies_at(event):
    def hook(name):
        if name == event:
            raise KilledError

    return hook


@pytest.mark.parametrize("change", ["gone", "changed", "cut"])
def test_a_kept_file_that_is_not_intact_is_fetched_again_not_ordered(sync, unkeyed, storage, target, change):
    sync(unkeyed, storage=storage, **ONE_DAY).run()
    (path,) = [path for path in storage._fs.find(storage._root) if path.endswith(".csv")]
    content = storage._fs.cat_file(path)
    if change == "gone":
        storage._fs.rm_file(path)
    else:
        storage._fs.pipe_file(path, content[:-1] if change == "cut" else content[:-1] + b"!")
    target.rows.clear()
    again = sync(unkeyed, storage=storage, **ONE_DAY).run()
    assert [f.origin for f in again.finished] == ["resumed"]
    assert len(unkeyed.runs) == 1
    assert unkeyed.served == {"run1": 2}
    assert storage._fs.cat_file(path) == content
    assert len(target.live()) == 3


def test_a_file_that_could_not_be_read_is_fetched_again(sync, unkeyed, storage, target):
    unkeyed.next_rows.append(5)
    run = sync(unkeyed, storage=storage, **ONE_DAY)

    def garble(_event):
        for made in unkeyed.runs.values():
            made.garbled = True

    unkeyed.hook = garble
    assert run.run().errors
    unkeyed.hook = lambda _event: None
    unkeyed.runs["run1"].garbled = False
    for state in (target.state, None):
        target.rows.clear()
        again = sync(unkeyed, storage=storage, state=state, **ONE_DAY).run()
        assert not again.errors
        assert len(target.live()) == 5
    assert len(unkeyed.runs) == 1


def test_a_failed_run_is_not_gone_on_with(sync, unkeyed, storage):
    unkeyed.next_fates.extend(["failed"] * 3)
    assert sync(unkeyed, storage=storage, **ONE_DAY).run().errors
    unkeyed.calls.clear()
    again = sync(unkeyed, storage=storage, **ONE_DAY).run()
    assert [(f.origin, f.attempt) for f in again.finished] == [("ordered", 4)]


# -- what is left alone --------------------------------------------------------------------------------


def test_a_note_of_other_parameters_says_nothing(sync, unkeyed, storage):
    sync(unkeyed, storage=storage, **ONE_DAY).run()
    changed = replace(DAILY, columns=("a",))
    again = sync(unkeyed, storage=storage, reports=(changed,), **ONE_DAY).run()
    assert [f.origin for f in again.finished] == ["ordered"]
    assert len(unkeyed.runs) == 2


def test_a_file_is_never_noted_for_the_parameters_of_an_older_order(sync, unkeyed, storage, target):
    """With storage, then with other columns and without it, then with it again: each file under its own columns."""
    wide, narrow = replace(DAILY, columns=("a", "b")), replace(DAILY, columns=("a",))
    sync(unkeyed, reports=(wide,), storage=storage, **ONE_DAY).run()
    killed_at = len(target.states)
    kill_at(unkeyed, "downloaded")
    killed(sync, unkeyed, reports=(narrow,), **ONE_DAY)
    pending = target.states[killed_at][0]
    resumed = sync(unkeyed, reports=(narrow,), storage=storage, state=pending, **ONE_DAY).run()
    assert [finished.origin for finished in resumed.finished] == ["resumed"]
    again = sync(unkeyed, reports=(wide,), storage=storage, **ONE_DAY).run()
    assert '"columns": ["a", "b"]' in str(target.period("fake_daily", KEY)[0])
    assert [finished.origin for finished in again.finished] == ["ordered"]


def test_a_note_of_another_interval_says_nothing(sync, unkeyed, storage, clock):
    report = replace(DAILY, cadence=Windowed("all"))
    sync(unkeyed, storage=storage, reports=(report,)).run()
    clock.advance(86_400)
    again = sync(unkeyed, storage=storage, reports=(report,)).run()
    assert [f.origin for f in again.finished] == ["ordered"]


def test_reuse_runs_since_leaves_older_notes_alone(sync, unkeyed, storage, clock):
    sync(unkeyed, storage=storage, **ONE_DAY).run()
    clock.advance(60)
    again = sync(unkeyed, storage=storage, reuse_runs_since=clock.now(), **ONE_DAY).run()
    assert [f.origin for f in again.finished] == ["ordered"]
    last = sync(unkeyed, storage=storage, reuse_runs_since=clock.now() - timedelta(hours=1), **ONE_DAY).run()
    assert [f.origin for f in last.finished] == ["kept"]


def test_what_state_has_read_already_is_read_anew_when_it_is_due_again(sync, unkeyed, storage, target):
    report = replace(DAILY, cadence=Windowed(lookback_days=5))
    sync(unkeyed, storage=storage, reports=(report,), **ONE_DAY).run()
    again = sync(unkeyed, storage=storage, reports=(report,), state=target.state, **ONE_DAY).run()
    assert [f.origin for f in again.finished] == ["ordered"]
    # An older STATE has not read that second run.
    older = next(state for state, _ in reversed(target.states) if '"run1"' in state and '"run2"' not in state)
    last = sync(unkeyed, storage=storage, reports=(report,), state=older, **ONE_DAY).run()
    assert [(f.origin, f.run.run_id) for f in last.finished] == [("kept", "run2")]


def test_the_later_of_two_orders_is_gone_on_with(sync, unkeyed, storage, target, clock, tmp_path):
    unkeyed.run_seconds = 1_000
    sync(unkeyed, storage=storage, deadline=5.0, **ONE_DAY).run()
    clock.advance(60)
    # Another storage was in use meanwhile: its STATE knows a later run than this journal.
    sync(unkeyed, deadline=5.0, **ONE_DAY).run()
    again = sync(unkeyed, storage=storage, state=target.state, deadline=5_000.0, **ONE_DAY).run()
    assert [f.run.run_id for f in again.finished] == ["run2"]


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"null", b'{"version": 99}', b'{"version": 1}', b'{"version": 1, "files": [{}]}']
)
def test_an_unreadable_note_is_as_none(sync, unkeyed, storage, content):
    sync(unkeyed, storage=storage, **ONE_DAY).run()
    (path,) = [path for path in storage._fs.find(storage._root) if "/journal/" in path]
    storage._fs.pipe_file(path, content)
    again = sync(unkeyed, storage=storage, **ONE_DAY).run()
    assert not again.errors
    assert [f.origin for f in again.finished] == ["ordered"]


def test_no_question_for_each_period_of_a_first_sync(sync, unkeyed, storage, monkeypatch):
    asked: list[str] = []
    monkeypatch.setattr(storage, "read_json", asked.append)
    sync(unkeyed, storage=storage, start=date(2025, 12, 1), max_new_runs=3).run()
    assert not asked


# -- rows that may be out ------------------------------------------------------------------------------


def test_rows_of_a_reading_that_broke_off_are_taken_back_by_a_shorter_one(sync, unkeyed, target):
    unkeyed.next_rows.append(9)
    first = sync(unkeyed, **ONE_DAY)
    rows = []

    def hook(event):
        if event == "row":
            rows.append(1)
            if len(rows) == 8:
                raise KilledError

    first.hook = hook
    with pytest.raises(KilledError):
        first.run()
    assert len(target.live()) == 7
    unkeyed.runs["run1"].gone = True
    unkeyed.next_rows.append(2)
    sync(unkeyed, state=target.state, **ONE_DAY).run()
    assert sorted(number for *_, number in target.live()) == [1, 2]


def test_two_readings_that_broke_off_are_both_taken_back(sync, unkeyed, target):
    """The first sends 7 rows, the second, of a shorter file, 3; the second file is then read whole."""
    for rows, sent in ((9, 7), (5, 3)):
        unkeyed.next_rows.append(rows)
        run = sync(unkeyed, state=target.state, **ONE_DAY)
        left = [sent]

        def hook(event, left=left):
            if event == "row":
                left[0] -= 1
                if left[0] < 0:
                    raise KilledError

        run.hook = hook
        with pytest.raises(KilledError):
            run.run()
        unkeyed.runs["run1"].gone = True
    assert len(target.live()) == 7
    sync(unkeyed, state=target.state, **ONE_DAY).run()
    assert sorted(number for *_, number in target.live()) == [1, 2, 3, 4, 5]


def test_the_same_file_again_takes_nothing_back(sync, unkeyed, target):
    unkeyed.next_rows.append(5)
    first = sync(unkeyed, **ONE_DAY)
    first.hook = _dies_at("row")
    with pytest.raises(KilledError):
        first.run()
    sync(unkeyed, state=target.state, **ONE_DAY).run()
    assert (len(target.live()), target.taken_back) == (5, 0)


def test_a_long_file_is_noted_a_few_times(sync, unkeyed, target):
    unkeyed.next_rows.append(2_000)
    run = sync(unkeyed, **ONE_DAY)
    run.run()
    assert len(target.live()) == 2_000
    assert len(target.states) < 15


def test_rows_that_the_journal_knows_of_are_taken_back_without_any_state(sync, unkeyed, storage, target, clock):
    report = replace(DAILY, cadence=Windowed("all"))
    unkeyed.available = Interval(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 3, 4, tzinfo=UTC))
    unkeyed.next_rows.extend([6, 2])
    sync(unkeyed, storage=storage, reports=(report,)).run()
    unkeyed.available = replace(unkeyed.available, end=datetime(2026, 3, 4, 6, tzinfo=UTC))
    sync(unkeyed, storage=storage, reports=(report,)).run()
    assert len(target.period(report.stream, "all")) == 2


def test_a_stumble_between_two_syncs_leaves_what_is_noted(sync, unkeyed, storage, target):
    unkeyed.errors["status"].extend([Unavailable("HTTP 503")] * 3)
    assert len(sync(unkeyed, storage=storage).run().errors) == 3
    again = sync(unkeyed, storage=storage).run()
    assert not again.errors
    assert len(unkeyed.runs) == 3
