"""A sync of three Stripe windows is killed after an HTTP call of each kind, with `EVERY_CASE` after each call.

The next one goes on, and orders nothing twice.
"""

from __future__ import annotations

from typing import Any

import pytest

from tap_billing_reports.sandbox.core import Sandbox
from tests.killing import Ended, merged, sync
from tests.sampling import calls_to_kill_after

REPORT = "balance_change_from_activity.summary.1"
ROWS = "stripe_balance_change_from_activity_summary_1"
VOLATILE = {"run_id", "file_id"}


@pytest.fixture(scope="module")
def box():
    with Sandbox(vendors=("stripe",), stripe_run_seconds=0) as box:
        yield box


def settings(box: Sandbox) -> dict[str, Any]:
    config = box.settings(start_date="2020-01-01")
    now = box.control.now()
    year, month = (now.year, now.month - 4) if now.month > 4 else (now.year - 1, now.month + 8)
    config["start_date"] = f"{year}-{month:02d}-01"
    end = (year, month + 3) if month < 10 else (year + 1, month - 9)
    config["end_date"] = f"{end[0]}-{end[1]:02d}-01"
    config["stripe_connected_accounts"] = []
    config["stripe_reports"] = [{"report_type": REPORT, "window": "month"}]
    return config


def orders(box: Sandbox) -> dict[str, int]:
    return dict(box.control.counters()["orders"].get("stripe", {}).get("by_key", {}))


def rows(held: dict[str, Any]) -> dict[Any, Any]:
    return {
        key: {name: value for name, value in record.items() if name not in VOLATILE}
        for key, record in held.get(ROWS, {}).items()
    }


@pytest.fixture(scope="module")
def undisturbed(box, tmp_path_factory) -> tuple[Ended, int, list[int]]:
    """A whole sync, the number of its calls, and those after which others are killed."""
    box.control.reset()
    ended = sync(settings(box), tmp_path_factory.mktemp("whole"))
    assert ended.code == 0, ended.log
    assert len(orders(box)) == 3
    return ended, len(box.control.requests()), calls_to_kill_after(box)


def killed_after(box: Sandbox, call: int):
    def arrange(pid: int) -> None:
        box.control.fault({"signal": {"pid": pid, "signal": "KILL", "when": "after"}}, skip=call, times=1)

    return arrange


@pytest.mark.parametrize("keeps_state", [True, False], ids=["last STATE", "no STATE"])
def test_killed_after_a_call(box, undisturbed, tmp_path, keeps_state):
    whole, calls, points = undisturbed
    assert calls > 10
    expected = rows(merged(whole))
    ended_early = 0
    for call in points:
        box.control.reset()
        first = sync(settings(box), tmp_path, kill_after=killed_after(box, call))
        ended_early += first.code == -9
        second = sync(settings(box), tmp_path, state=first.state if keeps_state else None)
        assert second.code == 0, f"call {call}: {second.log}"
        assert first.torn == 0
        placed = orders(box)
        assert len(placed) == 3, f"call {call}: {placed}"
        assert set(placed.values()) == {1}, f"call {call}: ordered twice: {placed}"
        assert rows(merged(first, second)) == expected, f"call {call}"
    assert ended_early >= len(points) - 1, "the kills must have hit"
