"""The machine's clock, for what little it does, and the one that stands in for it."""

from __future__ import annotations

import time
from datetime import date, datetime, timezone

from tap_billing_reports.clock import Clock
from tests.fakes import FakeClock


def test_the_machines_clock():
    clock = Clock()
    before = clock.monotonic()
    clock.sleep(0.01)
    assert clock.monotonic() - before >= 0.01
    assert abs(clock.now().timestamp() - time.time()) < 5
    assert clock.now().utcoffset() is not None


def test_today_is_a_matter_of_zone():
    clock = FakeClock(datetime(2026, 11, 20, 23, 30, tzinfo=timezone.utc))
    assert clock.today("UTC") == date(2026, 11, 20)
    assert clock.today("Europe/Oslo") == date(2026, 11, 21)


def test_waiting_moves_the_fake_clock():
    clock = FakeClock(datetime(2026, 11, 20, tzinfo=timezone.utc))
    clock.sleep(90)
    clock.advance(30)
    assert (clock.now().minute, clock.monotonic(), clock.slept) == (2, 120, [90])
