"""The clock, the seeded generators, the throttle."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone

import pytest

from tap_billing_reports.sandbox.clock import Clock
from tap_billing_reports.sandbox.world import World

START = datetime(2026, 11, 20, 9, tzinfo=timezone.utc)
HOUR = timedelta(hours=1)


def test_the_clock_runs_with_real_time():
    clock = Clock(START)
    time.sleep(0.02)
    assert timedelta(seconds=0.02) <= clock.now() - START < timedelta(seconds=5)


def test_a_stopped_clock_moves_by_hand_only():
    clock = Clock(START)
    clock.freeze()
    before = clock.now()
    time.sleep(0.02)
    assert clock.now() == before
    clock.advance(3600)
    assert clock.now() == before + HOUR
    clock.unfreeze()
    assert clock.now() - before < HOUR + timedelta(seconds=5)


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
