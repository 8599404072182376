"""Many at once: how long many runs take, and that a long emission keeps no other run waiting."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest

RUN_SECONDS = 20.0


@pytest.fixture(autouse=True)
def _steady():
    state = random.getstate()
    random.seed(7)
    yield
    random.setstate(state)


def timed(sync, vendor, runs: int, emission_seconds: float) -> float:
    vendor.run_seconds, vendor.budget, vendor.limit = RUN_SECONDS, 10, 10
    start = (vendor.clock.now() - timedelta(days=runs)).date()
    began = vendor.clock.monotonic()
    ended = sync(vendor, start=start, max_new_runs=runs, emission_seconds=emission_seconds).run()
    assert not ended.errors
    assert len(vendor.runs) == runs
    return float(vendor.clock.monotonic() - began)


@pytest.mark.parametrize("keyed", [True, False])
@pytest.mark.parametrize("emission_seconds", [0.0, 0.5])
def test_40_runs_of_20_s_under_a_budget_of_10(sync, vendor, keyed, emission_seconds):
    vendor.keyed = keyed
    assert timed(sync, vendor, 40, emission_seconds) <= 1.15 * 80


@pytest.mark.parametrize("emission_seconds", [0.0, 1.0])
def test_500_runs_of_20_s_under_a_budget_of_10(sync, unkeyed, emission_seconds):
    whole = 500 * RUN_SECONDS / 10
    assert timed(sync, unkeyed, 500, emission_seconds) <= 1.15 * (whole + RUN_SECONDS)


def test_one_long_emission_keeps_no_other_run_waiting(sync, vendor, clock):
    """Six runs of 100 s, two at once: 300 s. The first file takes 250 s to send, in which the others go on."""
    vendor.run_seconds, vendor.budget = 100.0, 2
    run = sync(vendor, start=(clock.now() - timedelta(days=6)).date())
    ended = []
    for finished in run.runner.finished(run.jobs()):
        ended.append(finished)
        if len(ended) == 1:
            for _ in range(250):
                clock.sleep(1.0)
                run.runner.tend()
    assert len(ended) == 6
    assert clock.monotonic() < 100 + 250 + 20


def test_files_wait_at_the_vendor_not_on_the_disk(sync, vendor, clock, tmp_path):
    vendor.budget = 5
    run = sync(vendor, start=(clock.now() - timedelta(days=12)).date())
    for finished in run.runner.finished(run.jobs()):
        assert finished.run is not None
        assert [path.name for path in tmp_path.iterdir()] == [f"fake-{finished.run.run_id}.csv"]
        finished.file.path.unlink()


def test_kept_files_are_read_one_at_a_time(sync, vendor, storage, clock, tmp_path):
    start = (clock.now() - timedelta(days=30)).date()
    sync(vendor, storage=storage, start=start).run()
    again = sync(vendor, storage=storage, start=start)
    count = 0
    for finished in again.runner.finished(again.jobs()):
        assert finished.origin == "kept"
        assert len(list(tmp_path.iterdir())) == 1
        finished.file.path.unlink()
        count += 1
    assert count == 30
