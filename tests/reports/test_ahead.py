"""The next file is fetched while rows go out, and whatever comes of it comes when its turn has come."""

from __future__ import annotations

import threading
from datetime import datetime, timezone
from itertools import groupby
from operator import itemgetter
from typing import Any

import pytest

from tap_billing_reports.core.errors import NotFound, Refused, SyncError, Unavailable
from tap_billing_reports.http.client import Download
from tap_billing_reports.reports.files import prefetch as ahead_module
from tap_billing_reports.reports.files.prefetch import Ahead
from tap_billing_reports.sandbox.core import Sandbox
from tests.fakes import SandboxClock
from tests.reports.vendor import Vendor
from tests.running import run_tap
from tests.waiting import HANG_SECONDS, pause, until


class Threaded(Vendor):
    """A vendor with a client for another thread, which remembers which thread has asked."""

    def __post_init__(self):
        super().__post_init__()
        self.visitors = []

    def another(self):
        return self

    def download(self, wanted, to):
        self.visitors.append(threading.current_thread())
        return super().download(wanted, to)

    @property
    def ahead(self):
        """Downloads of the thread."""
        return sum(thread is not threading.main_thread() for thread in self.visitors)


@pytest.fixture
def vendor(clock):
    return Threaded(clock)


def synced(sync, vendor, *, wait=True, **more):
    """A sync that fetches ahead while rows take their time; with `wait` they wait for what is being fetched."""
    ahead = Ahead()

    def on(event):
        if event == "row":
            vendor.clock.advance(2)
            if wait and ahead._job is not None:
                ahead._job.join(HANG_SECONDS)

    run = sync(vendor, hook=on, **more)
    run.runner._collector._ahead = ahead
    run.run()
    assert ahead.is_idle
    return run


def discard_all(folder):
    for path in folder.iterdir():
        path.unlink()


def test_each_file_but_the_first_comes_while_rows_go_out(sync, vendor, target):
    run = synced(sync, vendor)
    assert not run.errors
    assert len(run.read) == 3
    assert len(vendor.visitors) == 3
    assert vendor.ahead == 2
    assert not list(run.folder.iterdir())
    assert len(target.live()) == 9


@pytest.mark.parametrize("wait", [True, False])
@pytest.mark.parametrize(
    "error",
    [
        NotFound("the file has expired", status=404),
        Refused("no", status=400),
        Unavailable("no answer"),
        SyncError("the disk is full"),
    ],
)
def test_what_fails_ahead_fails_as_it_would_have(sync, vendor, tmp_path, error, wait):
    plain = Vendor(vendor.clock)
    outcomes: list[Any] = []
    for each in (plain, vendor):
        calls = iter([False, True])

        def first_two(kind, each=each, calls=calls):
            if kind == "download" and next(calls, False):
                each.errors["download"].append(error)

        each.hook = first_two
        try:
            run = synced(sync, vendor, wait=wait) if each is vendor else sync(plain).run()
            outcomes.append((run.errors, dict(run.read), [bool(item.note) for item in run.finished]))
        except SyncError:
            outcomes.append("ended")
        discard_all(tmp_path)
    if isinstance(error, SyncError):
        # There is room again as soon as the file before has been read.
        assert outcomes[0] == "ended"
        assert (outcomes[1][0], len(outcomes[1][1])) == ([], 3)
    else:
        assert outcomes[1] == outcomes[0]


def test_a_file_cut_short_is_fetched_again_at_its_turn(sync, clock):
    class Cut(Threaded):
        def download(self, wanted, to):
            got = super().download(wanted, to)
            if threading.current_thread() is threading.main_thread():
                return got
            to.truncate(4)
            return Download(4, got.sha256, "")

    vendor = Cut(clock)
    run = synced(sync, vendor)
    assert (run.errors, len(run.read)) == ([], 3)
    assert vendor.ahead == 2
    assert len(vendor.visitors) == 3 + 2


def test_a_file_too_big_waits_for_its_turn(sync, vendor, monkeypatch):
    monkeypatch.setattr(ahead_module, "AHEAD_BYTES", 10)
    run = synced(sync, vendor)
    assert (run.errors, len(run.read), vendor.ahead) == ([], 3, 0)


def test_a_file_that_turns_out_too_big_is_given_up_and_fetched_at_its_turn(sync, clock, monkeypatch):
    monkeypatch.setattr(ahead_module, "AHEAD_BYTES", 10)
    vendor = Threaded(clock, keyed=False)  # it declares no size
    run = synced(sync, vendor)
    assert (run.errors, len(run.read)) == ([], 3)
    assert vendor.ahead == 2
    assert len(vendor.visitors) == 3 + 2


def test_a_file_that_is_being_read_is_left_alone(sync, vendor):
    run = sync(vendor)
    (job, *_) = run.jobs()
    made = run.orders.order(job, attempt=1).run
    ready = vendor._read(vendor.runs[made.run_id])
    collector = run.runner._collector
    collector._ahead = Ahead()
    (file,) = collector.collect(job, ready)
    collector.fetch_ahead(job, ready)
    assert collector._ahead.is_idle
    assert file.path.stat().st_size == file.size


def test_a_sync_that_ends_does_not_wait_for_what_nobody_wants(sync, vendor):
    begun = threading.Event()

    class Endless(Threaded):
        def download(self, _wanted, to):
            begun.set()
            while True:
                to.write(b"x")
                pause()

    run = sync(Endless(vendor.clock))
    (job, *_) = run.jobs()
    made = run.orders.order(job, attempt=1).run
    ready = run.vendor._read(run.vendor.runs[made.run_id])
    ahead = Ahead()
    run.runner._collector._ahead = ahead
    run.runner._collector.fetch_ahead(job, ready)
    thread = ahead._job
    assert begun.wait(HANG_SECONDS)
    assert thread is not None
    assert thread.daemon
    ahead.stop()
    thread.join(HANG_SECONDS)
    assert not thread.is_alive()


def test_a_signal_before_the_thread_has_begun_ends_the_sync_all_the_same(sync, vendor, monkeypatch):
    run = sync(vendor)
    (job, *_) = run.jobs()
    made = run.orders.order(job, attempt=1).run
    ready = vendor._read(vendor.runs[made.run_id])
    ahead = Ahead()
    run.runner._collector._ahead = ahead

    def interrupted(_job):
        raise SystemExit(143)

    monkeypatch.setattr(ahead_module._Job, "start", interrupted)
    with pytest.raises(SystemExit):
        run.runner._collector.fetch_ahead(job, ready)
    ahead.stop()
    assert ahead.is_idle


def test_the_tap_asks_for_the_next_file_while_rows_go_out():
    now = datetime(2026, 11, 20, 10, 0, tzinfo=timezone.utc)
    asked: list[Any] = []
    with Sandbox(now, vendors=("stripe",), stripe_run_seconds=0, stripe_rows_multiplier=40) as box:
        clock = SandboxClock(box.control)
        config = {
            **box.settings(start_date="2026-11-16"),
            "end_date": "2026-11-18",
            "stripe_connected_accounts": [],
            # Wide rows: a file of narrow ones would be one chunk, and nobody looks after other runs within a chunk.
            "stripe_reports": [
                {"report_type": "balance_change_from_activity.itemized.3", "name": "moves", "columns": ["*"]}
            ],
        }

        def files():
            return sum(request["path"].endswith("/contents") for request in box.control.requests())

        def prepare(tap):
            write = tap.message_writer.write_lines

            def slowly(lines, **more):
                write(lines, **more)
                if b'"RECORD","stream":"stripe_moves"' in lines and len(asked) < 5:
                    # The other run is found ready before the next rows, and its file asked for.
                    clock.sleep(2)
                    if len(asked) == 4:
                        until(lambda: files() == 2)
                    asked.append(files())

            tap.message_writer.write_lines = slowly

        result = run_tap(config, clock=clock, prepare=prepare)
        assert result.status == 0, result.log
        assert (asked[0], asked[-1], files()) == (1, 2, 2)
    assert len([period for period, _rows in groupby(result.of("stripe_moves"), itemgetter("period"))]) == 2
