"""A sync that is ended while a thread fetches the next file ends as any other: whole lines, a STATE to go on from."""

from __future__ import annotations

import os
import signal
import tempfile
import threading
import time
from datetime import datetime, timezone
from functools import partial

import pytest

from tap_billing_reports.reports.ahead import Ahead
from tap_billing_reports.sandbox.core import Sandbox
from tests.killing import merged, sync

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=timezone.utc)
ROWS = "stripe_moves"
SECONDS = 30


@pytest.fixture(scope="module")
def box():
    with Sandbox(NOW, vendors=("stripe",), stripe_run_seconds=0, stripe_rows_multiplier=20) as box:
        yield box


def settings(box):
    return {
        **box.settings(start_date="2026-11-15"),
        "end_date": "2026-11-18",
        "stripe_connected_accounts": [],
        "stripe_reports": [{"report_type": "balance_change_from_activity.itemized.3", "name": "moves"}],
    }


def slowed(folder, tap):
    """Temporary files below a folder; rows that take their time; a mark once a file is fetched ahead."""
    tempfile.tempdir = str(folder)
    begin = Ahead.begin

    def marked(self, *args):
        (folder.parent / "begun").touch()
        begin(self, *args)

    Ahead.begin = marked
    write = tap.message_writer.write_lines

    def slowly(lines, **more):
        if b'"RECORD","stream":"stripe_moves"' in lines:
            time.sleep(0.05)
        write(lines, **more)

    tap.message_writer.write_lines = slowly


def ended_by(number, after, box):
    """Sends a signal some time after the second file has been asked for."""

    def watch(pid):
        give_up = time.monotonic() + SECONDS
        while time.monotonic() < give_up:
            if sum(request["path"].endswith("/contents") for request in box.control.requests()) >= 2:
                time.sleep(after)
                os.kill(pid, number)
                return
            time.sleep(0.005)

    return lambda pid: threading.Thread(target=watch, args=(pid,), daemon=True).start()


def orders(box):
    return box.control.counters()["orders"]["stripe"]["by_key"]


def rows(*syncs):
    volatile = {"run_id", "file_id"}
    held = merged(*syncs).get(ROWS, {})
    return {
        key: {name: value for name, value in record.items() if name not in volatile} for key, record in held.items()
    }


@pytest.fixture(scope="module")
def expected(box, tmp_path_factory):
    box.control.reset()
    whole = sync(settings(box), tmp_path_factory.mktemp("whole"), now=NOW)
    assert whole.code == 0, whole.log
    assert len({key[3] for key in rows(whole)}) == 3
    return rows(whole)


@pytest.mark.parametrize("after", [0.0, 0.05, 0.15, 0.4])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_ended_while_the_next_file_comes(box, expected, tmp_path, number, after):
    box.control.reset()
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    box.control.fault({"drip": 200_000}, {"path": "/contents"}, skip=1)
    prepare = partial(slowed, temporary)
    started = time.monotonic()
    first = sync(settings(box), tmp_path, now=NOW, prepare=prepare, kill_after=ended_by(number, after, box))
    assert first.code == (-9 if number == signal.SIGKILL else 128 + number), first.log
    assert first.torn == 0
    assert (tmp_path / "begun").exists()
    assert time.monotonic() - started < SECONDS
    if number != signal.SIGKILL:
        assert not list(temporary.iterdir()), "its files are gone with it"
    assert first.states
    box.control.clear_faults()
    second = sync(settings(box), tmp_path, state=first.state, now=NOW)
    assert second.code == 0, second.log
    assert rows(first, second) == expected
    assert set(orders(box).values()) == {1}
