"""A sync of Bring is killed after an HTTP call of each kind, with `EVERY_CASE` after each call.

The next one loses nothing, doubles nothing, orders little more.
"""

from __future__ import annotations

import sys
from collections import Counter
from typing import Any

import pytest

from tap_billing_reports.sandbox.core import Sandbox
from tests.killing import merged, sync
from tests.sampling import calls_to_kill_after
from tests.vendors.bring.emulated import NOW

CUSTOMER = "20000770011"
ROWS = "bring_invoice_lines"
# What differs between two runs of one report, and when they were looked at.
VOLATILE = {"run_id", "file_id", "checked_at", "fetched_at", "uri"}
STREAMS = ("accounts", "invoices", "invoice_documents", ROWS, "reconciliations")


@pytest.fixture(scope="module")
def box():
    with Sandbox(NOW, seed=7, vendors=("bring",), bring_run_seconds=0) as box:
        yield box


def settings(box: Sandbox, storage: Any) -> dict[str, Any]:
    config = {**box.settings("2026-10-20"), "bring_customers": [CUSTOMER]}
    if storage is not None:
        config |= {"storage_url": str(storage), "bring_invoice_documents": True}
    return config


def orders(box: Sandbox) -> Counter[str]:
    return Counter(box.control.counters()["orders"].get("bring", {}).get("by_key", {}))


def known_runs(state: dict[str, Any] | None) -> int:
    """Orders that a STATE tells of: those still open, and those whose invoices are done."""
    ledger = ((state or {}).get("bookmarks", {}).get(ROWS, {})).get("ledger", [])
    done = sum(len(day) - 1 for entry in ledger for day in entry.get("subjects_done", ()))
    return done + sum(len(entry.get("open", ())) for entry in ledger)


# A whole sync that is the first has nothing to hold its lists against.
AGAINST_AN_EARLIER_SYNC = {"fields_kept", "still_listed"}


def contents(held: dict[str, Any]) -> dict[str, dict[Any, Any]]:
    return {
        stream: {
            key: {name: value for name, value in record.items() if name not in VOLATILE}
            for key, record in held.get(stream, {}).items()
            if not record.get("_sdc_deleted_at") and record.get("check") not in AGAINST_AN_EARLIER_SYNC
        }
        for stream in STREAMS
    }


def killed_after(box: Sandbox, call: int):
    def arrange(pid: int) -> None:
        box.control.fault({"signal": {"pid": pid, "signal": "KILL", "when": "after"}}, skip=call, times=1)

    return arrange


@pytest.mark.parametrize("keeps_state", [True, False], ids=["last STATE", "no STATE"])
@pytest.mark.parametrize("stores", [True, False], ids=["journal", "no journal"])
def test_killed_after_a_call(box, tmp_path, stores, keeps_state, capsys):
    box.control.reset()
    whole = sync(settings(box, tmp_path / "whole" if stores else None), tmp_path, now=NOW)
    assert whole.code == 0, whole.log
    calls, needed = len(box.control.requests()), orders(box)
    points = calls_to_kill_after(box)
    expected = contents(merged(whole))
    assert calls > 8
    assert len(needed) == 3
    assert expected[ROWS]

    hits = extra = worst = 0
    for call in points:
        box.control.reset()
        config = settings(box, tmp_path / f"kept-{call}" if stores else None)
        first = sync(config, tmp_path, now=NOW, kill_after=killed_after(box, call))
        hits += first.code == -9
        assert first.torn == 0
        last_call = box.control.requests()[-1]
        before = orders(box).total()
        state = first.state if keeps_state else None
        second = sync(config, tmp_path, now=NOW, state=state)
        assert second.code == 0, f"call {call}: {second.log}"
        assert contents(merged(first, second)) == expected, f"call {call}"
        assert orders(box).keys() == needed.keys()
        more = orders(box).total() - needed.total()
        if stores:
            # Only an order whose answer could not be written down any more is placed again.
            ordering = "/generate/" in last_call["path"] and last_call["path"].count("/") == 5
            assert more <= ordering, f"call {call}: {more} extra orders after {last_call['path']}"
        else:
            assert more <= before - known_runs(state), f"call {call}: {more} extra orders"
        extra += more
        worst = max(worst, more)
    assert hits >= len(points) - 1, "the kills must have hit"
    with capsys.disabled():
        how = f"{'with' if stores else 'without'} a journal, {'last STATE' if keeps_state else 'no STATE'} kept"
        counts = f"lost 0, doubled 0, extra orders {extra} (at most {worst} a kill)"
        sys.stdout.write(f"\nBring, {how}: {hits} kills, {counts}\n")
