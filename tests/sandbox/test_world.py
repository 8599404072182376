"""The clock, the seeded generators, the throttle."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from types import SimpleNamespace

import pytest

from tap_billing_reports.sandbox.clock import Clock
from tap_billing_reports.sandbox.world import World

START = datetime(2026, 11, 20, 9, tzinfo=timezone.utc)
HOUR = timedelta(hours=1)


class RealTime:
    """What stands in for the machine's clock: seconds that a test lets pass."""

    def __init__(self):
        self.passed = 1000.0

    def monotonic(self):
        return self.passed


@pytest.fixture
def real(monkeypatch):
    found = RealTime()
    monkeypatch.setattr("tap_billing_reports.sandbox.clock.time", SimpleNamespace(monotonic=found.monotonic))
    return found


def test_the_clock_runs_with_real_time(real):
    clock = Clock(START)
    assert clock.now() == START
    real.passed += 7
    assert clock.now() == START + timedelta(seconds=7)
    assert clock.elapsed() == 1007


def test_a_stopped_clock_moves_by_hand_only(real):
    clock = Clock(START)
    real.passed += 7
    clock.freeze()
    before = clock.now()
    real.passed += 7
    assert clock.now() == before == START + timedelta(seconds=7)
    clock.advance(3600)
    assert clock.now() == before + HOUR
    assert clock.elapsed() == 1014 + 3600, "which goes on"
    clock.unfreeze()
    assert clock.now() == before + HOUR
    real.passed += 7
    assert clock.now() == before + HOUR + timedelta(seconds=7)


def test_the_clock_can_be_set():
    clock = Clock()
    clock.freeze()
    clock.set(datetime(2026, 1, 1, 1, tzinfo=timezone(HOUR)))
    assert clock.now() == datetime(2026, 1, 1, tzinfo=timezone.utc)
    assert clock.now().tzinfo is timezone.utc
    with pytest.raises(ValueError, match="time zone"):
        clock.set(datetime(2026, 1, 1))  # noqa: DTZ001


def test_generators_depend_on_seed_and_name():
    world = World(Clock(START), 1, {})
    assert world.rng("a").random() == world.rng("a").random() == World(Clock(), 1, {}).rng("a").random()
    assert len({world.rng("a").random(), world.rng("b").random(), World(Clock(), 2, {}).rng("a").random()}) == 3


def test_the_throttle_counts_each_key_alone():
    world = World(Clock(START), 1, {})
    assert [world.throttle("a", 2) for _ in range(3)] == [False, False, True]
    assert world.throttle("b", 2) is False
    world.forget()
    assert world.throttle("a", 2) is False
