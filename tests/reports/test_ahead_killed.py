"""A sync that is ended while a thread fetches the next file ends as any other: whole lines, a STATE to go on from."""

from __future__ import annotations

import asyncio
import os
import signal
from datetime import datetime, timezone

import pytest

from tap_billing_reports.sandbox.core import Sandbox
from tests.inside import FetchingAhead
from tests.killing import merged, sync

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=timezone.utc)
ROWS = "stripe_moves"
DRIP_SECONDS = 0.05


@pytest.fixture(scope="module")
def box():
    with Sandbox(NOW, vendors=("stripe",), stripe_run_seconds=0, stripe_rows_multiplier=20) as box:
        yield box


def settings(box):
    return {
        **box.settings(start_date="2026-11-15"),
        "end_date": "2026-11-18",
        "stripe_connected_accounts": [],
        # Wide rows: a file of narrow ones would be one chunk, and shorter than where it is held.
        "stripe_reports": [
            {"report_type": "balance_change_from_activity.itemized.3", "name": "moves", "columns": ["*"]}
        ],
    }


def held(at, pid, number):
    """A vendor that sends so many bytes of a file, then a signal, and the rest so slowly that it never ends."""

    def dripping(send, _bytes_per_second):
        async def drip(message):
            body = bytes(message.get("body", b""))
            await send({**message, "body": body[:at], "more_body": True} if body else message)
            if not body:
                return
            os.kill(pid, number)
            for place in range(at, len(body)):
                await asyncio.sleep(DRIP_SECONDS)
                await send({**message, "body": body[place : place + 1], "more_body": True})

        return drip

    return dripping


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


@pytest.mark.parametrize("at", [1, 40_000])
@pytest.mark.parametrize("writing", [True, False], ids=["while rows go out", "while it is waited for"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_ended_while_the_next_file_comes(box, expected, tmp_path, monkeypatch, number, writing, at):
    box.control.reset()
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    box.control.fault({"drip": 1}, {"path": "/contents"}, skip=1)

    def arrange(pid):
        monkeypatch.setattr("tap_billing_reports.sandbox.disturb._dripping", held(at, pid, number))

    prepare = FetchingAhead(str(temporary), b'"RECORD","stream":"stripe_moves"', held=writing)
    first = sync(settings(box), tmp_path, now=NOW, prepare=prepare, kill_after=arrange)
    assert first.code == (-9 if number == signal.SIGKILL else 128 + number), first.log
    assert first.torn == 0
    assert (tmp_path / "begun").exists()
    if number != signal.SIGKILL:
        assert not list(temporary.iterdir()), "its files are gone with it"
    assert first.states
    box.control.clear_faults()
    second = sync(settings(box), tmp_path, state=first.state, now=NOW)
    assert second.code == 0, second.log
    assert rows(first, second) == expected
    assert set(orders(box).values()) == {1}
