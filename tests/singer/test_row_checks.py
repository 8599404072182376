"""`row_identity` and `balance_rolls_forward`: what they say when they hold, do not hold, or cannot be made."""

from __future__ import annotations

import pytest

from tap_billing_reports.declare import RollForward, RowIdentity
from tap_billing_reports.reports.files.readers.tallies import IdentityTally, RollTally
from tap_billing_reports.singer.check import Check
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


def test_a_check_that_is_not_made_says_why():
    with pytest.raises(ValueError, match="says why"):
        Check("s", "a", "r", "freshness")
