"""The machine's clock, for what little it does, and the one that stands in for it."""

from __future__ import annotations

from datetime import date, datetime, timezone
from types import SimpleNamespace

from tap_billing_reports.core.clock import Clock
from tests.fakes import FakeClock


def test_the_machines_clock(monkeypatch):
    clock = Clock()
    before, now, after = datetime.now(timezone.utc), clock.now(), datetime.now(timezone.utc)
    assert before <= now <= after
    assert now.tzinfo is timezone.utc
    slept: list[float] = []
    machine = SimpleNamespace(monotonic=lambda: 17.5, sleep=slept.append)
    monkeypatch.setattr("tap_billing_reports.core.clock.time", machine)
    clock.sleep(90)
    assert (clock.monotonic(), slept) == (17.5, [90])


def test_today_is_a_matter_of_zone():
    clock = FakeClock(datetime(2026, 11, 20, 23, 30, tzinfo=timezone.utc))
    assert clock.today("UTC") == date(2026, 11, 20)
    assert clock.today("Europe/Oslo") == date(2026, 11, 21)


def test_waiting_moves_the_fake_clock():
    clock = FakeClock(datetime(2026, 11, 20, tzinfo=timezone.utc))
    clock.sleep(90)
    clock.advance(30)
    assert (clock.now().minute, clock.monotonic(), clock.slept) == (2, 120, [90])
