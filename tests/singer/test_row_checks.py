"""What checks of rows and of balances say when they hold, do not hold, or cannot be made."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from tap_billing_reports.declare import BalanceChain, RollForward, RowIdentity
from tap_billing_reports.reports.files.readers.tallies import ChainTally, IdentityTally, PartTally, RollTally
from tap_billing_reports.reports.state.entry import Entry
from tap_billing_reports.reports.state.ledger import Ledger
from tap_billing_reports.singer.check import Check
from tap_billing_reports.singer.checks.balances import Balances
from tap_billing_reports.singer.checks.rows import row_checks

SUBJECT = {"source": "s", "account_id": "a", "subject": "r 2026", "run_id": "1"}


def identity(rows, missing=()):
    tally = IdentityTally(RowIdentity("gross", "fee", "net"))
    tally.start(missing)
    if rows:
        tally.take(list(zip(*rows, strict=True)))
    (check,) = row_checks((tally,), SUBJECT)
    return check


def rolled(rows, missing=()):
    tally = RollTally(RollForward("category", "net_amount", "currency", "starting_balance", "ending_balance"))
    tally.start(missing)
    if rows:
        tally.take(list(zip(*rows, strict=True)))
    return [(c.subject, c.ok, c.reason, c.record("now")["difference"]) for c in row_checks((tally,), SUBJECT)]


@pytest.mark.parametrize(
    ("rows", "missing", "ok", "reason"),
    [
        ([("1", "0.1", "0.9")], (), True, None),
        ([("1", "0.1", "0.9"), ("1", "0", "2")], (), False, "gross - fee is not net, first in row 2"),
        ([("1", "0.1", "0.9"), ("1", None, "2")], (), True, "1 rows lack one of the amounts"),
        ([("1", None, "2")], (), None, "no row has all of gross, fee and net"),
        ([], (), None, "the file has no rows"),
        ([], ("fee",), None, "the file does not have fee; ask for it in the report's columns"),
    ],
)
def test_row_identity(rows, missing, ok, reason):
    check = identity(rows, missing)
    assert (check.ok, check.reason) == (ok, reason)


START, END = "starting_balance", "ending_balance"


@pytest.mark.parametrize(
    ("rows", "missing", "said"),
    [
        ([(START, "1", "NOK"), ("activity", "2", "NOK"), (END, "3", "NOK")], (), [("r 2026 NOK", True, None, "0")]),
        ([(START, "1", "NOK"), (END, "3", "NOK")], (), [("r 2026 NOK", False, None, "2")]),
        (
            [(START, "1", "NOK")],
            (),
            [("r 2026 NOK", False, "the report has no ending balance of this currency", None)],
        ),
        ([(END, "1", "NOK")], (), [("r 2026 NOK", None, "the report has no opening balance of this currency", None)]),
        ([], (), [("r 2026", None, "the file has no rows", None)]),
        (
            [],
            ("currency",),
            [("r 2026", None, "the file does not have currency; ask for it in the report's columns", None)],
        ),
    ],
)
def test_balance_rolls_forward(rows, missing, said):
    assert rolled(rows, missing) == said


@pytest.mark.parametrize(
    ("rows", "ok", "reason"),
    [
        ([("1", "2", "3"), ("3", "-5", "-2")], True, None),
        ([("1", "2", "4")], False, "the balance does not go on in 1 rows, first in row 1"),
        (
            [("1", "2", "3"), ("4", "1", "5"), ("5", "0", "5")],
            False,
            "the balance does not go on in 1 rows, first in row 2",
        ),
        (
            [("1", "2", "3"), (None, "1", "4"), ("4", "1", "5")],
            False,
            "the balance does not go on in 1 rows, first in row 2",
        ),
        ([], True, None),
    ],
)
def test_balance_chain(rows, ok, reason):
    tally = ChainTally(BalanceChain("before", "amount", "after"))
    # Told row by row or at once, it is the same chain.
    for row in rows:
        tally.take([[cell] for cell in row])
    (check,) = row_checks((tally,), SUBJECT, len(rows))
    assert (check.ok, check.reason) == (ok, reason)
    assert (tally.opening, tally.closing) == ((Decimal(1), Decimal(rows[-1][2])) if rows else (None, None))


@pytest.mark.parametrize(("rows", "ok"), [(3, None), (0, True), (None, None)])
def test_rows_without_balances_are_no_chain(rows, ok):
    tally = ChainTally(BalanceChain("before", "amount", "after"))
    tally.start(("before", "after"))
    (check,) = row_checks((tally,), SUBJECT, rows)
    assert check.ok is ok
    assert check.ok or check.reason == "the file does not have before, after; ask for it in the report's columns"


def test_a_part_of_the_rows_is_added_up():
    tally = PartTally("amount", ("kind", "fee"))
    tally.take([["fee", "sale", "fee", "fee"], ["1.5", "9", "-0.25", None]])
    assert (tally.columns, tally.total) == (("kind", "amount"), Decimal("1.25"))
    tally.start(("kind",))
    assert tally.missing == ("kind",)
    assert tally.total == 0


def day(number, opening=None, closing=None):
    """A period that has been read, with its balances, and a row if it has any."""
    start = datetime(2026, 11, number, tzinfo=timezone.utc)
    tally: Any = ChainTally(BalanceChain("before", "amount", "after"))
    tally.opening, tally.closing = opening and Decimal(opening), closing and Decimal(closing)
    tally.rows = int(opening is not None)
    job = SimpleNamespace(
        client=SimpleNamespace(name="s"),
        account=SimpleNamespace(account_id="a"),
        row_account="a",
        report=SimpleNamespace(name="r"),
        period=SimpleNamespace(start=start, end=start + timedelta(days=1)),
    )
    return SimpleNamespace(job=job, tallies=(tally,), key=f"run {number}", subject={"subject": f"r {number}"})


def ledger_in(bookmark):
    return Ledger(lambda: bookmark)


def held(*syncs):
    """What each sync says of its days: number of the day -> verdict; each goes on from the STATE of the one before."""
    bookmark: dict[str, Any] = {}
    found = []
    for days in syncs:
        balances, ledger = Balances(), ledger_in(bookmark)
        checks = [check for one in days for check in balances.note(one, ledger)]
        checks += balances.checks()
        ledger.write()
        bookmark = json.loads(json.dumps(bookmark))
        assert all(check.reason or check.ok is not None for check in checks)
        verdicts = {int(check.subject.split()[1]): check.ok for check in checks}
        assert len(verdicts) == len(checks)
        assert all(check.run_id == f"run {check.subject.split()[1]}" for check in checks)
        found.append(verdicts)
    return found


@pytest.mark.parametrize(
    ("days", "said"),
    [
        ([day(2, "5", "6"), day(1, "1", "5"), day(3, "7", "8")], {1: None, 2: True, 3: False}),
        ([day(1, "1", "5"), day(2), day(3, "5", "8")], {1: None, 3: True}),
        ([day(3, "5", "8"), day(2), day(1, "1", "5")], {1: None, 3: True}),
        ([day(1, "1", "5"), day(3, "5", "8")], {1: None, 3: None}),
        ([day(1, "1", "5"), day(2, "5", None), day(3, "5", "8")], {1: None, 3: None}),
        ([day(1), day(2)], {}),
    ],
)
def test_a_balance_goes_on_from_period_to_period(days, said):
    assert held(days) == [said]


def test_a_balance_goes_on_from_sync_to_sync():
    first = [day(1, "1", "5"), day(2, "5", "6")]
    assert held(first, [day(3, "6", "7")], [day(4, "6.99", "8")]) == [{1: None, 2: True}, {3: True}, {4: False}]
    # Through a day without rows, whichever sync has read it.
    assert held(first, [day(3)], [day(4, "6", "8")]) == [{1: None, 2: True}, {}, {4: True}]
    # What comes late is held to both sides; the later side by its own name.
    assert held([day(1, "1", "5"), day(3, "6", "8")], [day(2, "5", "6")]) == [{1: None, 3: None}, {2: True, 3: True}]
    assert held([day(2, "5", "6")], [day(1, "1", "4")]) == [{2: None}, {1: None, 2: False}]
    # One that is read again was held before.
    assert held(first, [day(2, "5", "6"), day(3, "6", "7")]) == [{1: None, 2: True}, {3: True}]


def test_a_full_refresh_forgets_the_balances():
    bookmark: dict[str, Any] = {}
    ledger = ledger_in(bookmark)
    Balances().note(day(1, "1", "5"), ledger)
    assert ledger.entry("a").balances
    ledger.begin_again("a")
    assert ledger.entry("a").balances == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"opening": "one"},
        {"opening": "NaN"},
        {"closing": None},
        {"end": "2026-11-01T00:00:00Z"},
        {"start": "2026-11-01"},
    ],
)
def test_a_damaged_balance_is_refused(wrong):
    span = {
        "start": "2026-11-01T00:00:00Z", "end": "2026-11-02T00:00:00Z", "opening": "1.00", "closing": "5.00",
        "subject": "r 1", "run": "run 1",
    }  # fmt: skip
    entry = {"version": 1, "account": "a", "balances": [span]}
    assert Entry.from_state(entry).as_state()["balances"] == [span]
    with pytest.raises(ValueError, match=r"balance|Invalid RFC3339|Expected"):
        Entry.from_state({**entry, "balances": [span | wrong]})


def test_a_check_that_is_not_made_says_why():
    with pytest.raises(ValueError, match="says why"):
        Check("s", "a", "r", "freshness")
