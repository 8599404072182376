"""Whole syncs of few and of many: no function of the package does more for each one because there are more of them.

What is counted are the lines that run, function by function, so that a failure names what has grown. No time is taken.
"""

from __future__ import annotations

import gc
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import tap_billing_reports
from benchmarks.bigbring import BigBring
from tap_billing_reports.singer import session, state_writer
from tap_billing_reports.singer.column_memory import ColumnMemory
from tests.reports.steps import Counted, steps
from tests.running import run_tap
from tests.scale.lists import Ledgers, Papers, Payouts

PACKAGE = f"{Path(tap_billing_reports.__file__).parent}/"
# What a function may do more for each one, and what is too little to be judged.
ALLOWED, LITTLE = 1.5, 2


@pytest.fixture(autouse=True)
def no_state_before_the_end(monkeypatch):
    """What STATE costs is another question: it goes out by the clock."""
    monkeypatch.setattr(session, "STATE_SECONDS", 1e9)
    monkeypatch.setattr(state_writer, "FREE_BYTES", 0)


def lines_of(vendor: Any) -> Counter[str]:
    """How many lines each function of the package runs in one sync."""
    found: Counter[Any] = Counter()

    def called(frame: Any, _event: str, _value: Any) -> Any:
        code = frame.f_code
        if not code.co_filename.startswith(PACKAGE):
            return None

        def line(*_: Any) -> Any:
            found[code] += 1
            return line

        return line

    traced = sys.gettrace()
    gc.disable()
    sys.settrace(called)
    try:
        result = run_tap(vendor.config(), clock=vendor.clock, prepare=vendor.prepare)
    finally:
        sys.settrace(traced)
        gc.enable()
    assert result.status == 0, result.log
    named: Counter[str] = Counter()
    for code, count in found.items():
        named[f"{code.co_filename.removeprefix(PACKAGE)}:{code.co_firstlineno} {code.co_name}"] += count
    return named


def grown(make: Any, few: int, many: int) -> list[str]:
    """The functions that do more for each one of many."""
    before, after = lines_of(make(few)), lines_of(make(many))
    return [
        f"{name}: {before[name] / few:.1f} lines for each of {few}, {count / many:.1f} for each of {many}"
        for name, count in sorted(after.items())
        if count / many > max(LITTLE, ALLOWED * before[name] / few)
    ]


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(Payouts, id="payouts of one day"),
        pytest.param(lambda count: Payouts(1, sales=count), id="transactions of a payout"),
        pytest.param(lambda count: Ledgers(count, days=1), id="ledgers"),
        pytest.param(lambda count: Ledgers(1, days=count), id="days of a ledger"),
        pytest.param(lambda count: Ledgers(1, days=1, entries=count), id="entries of a day"),
        pytest.param(lambda count: BigBring(1, count, specified=True), id="invoices"),
        pytest.param(lambda count: BigBring(count, 1, specified=True), id="customers"),
    ],
)
def test_no_function_does_more_for_each_one_of_many(make):
    assert grown(make, 12, 36) == []


def test_no_function_does_more_for_each_of_many_customers_with_a_document(tmp_path):
    assert grown(lambda count: Papers(count, tmp_path), 12, 36) == []


def of_noted_columns(count):
    """What it takes to note what an account's file had, where so many accounts have had the same, and others."""
    bookmark: dict[str, Any] = {}
    memory = ColumnMemory(lambda: bookmark)
    accounts = [Counted(f"acct_{number}") for number in range(count)]
    for account in accounts:
        memory.note(account, [("Amount", "Currency"), ("Weight",)])
    middle = accounts[count // 2]

    def work():
        memory.note(middle, [("Amount", "Tax"), ("Weight",)])
        assert len(memory.last(middle)) == 2

    found = steps(work)
    memory.write()
    assert [(len(group["accounts"]), group["columns"]) for group in bookmark["last_columns"]] == [
        (count - 1, ["Amount", "Currency"]),
        (count, ["Weight"]),
        (1, ["Amount", "Tax"]),
    ]
    assert ColumnMemory(lambda: bookmark).last(str(middle)) == memory.last(middle) == [{"Weight"}, {"Amount", "Tax"}]
    return found


def test_the_columns_of_a_file_are_noted_at_the_same_cost_however_many_accounts_there_are():
    assert of_noted_columns(2000) == of_noted_columns(20)
