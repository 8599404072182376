"""`check` and `plan` of reports that need no order: they ask what a sync would ask first, and change nothing."""

from __future__ import annotations

import pytest

from tap_billing_reports.cli import check, plan
from tap_billing_reports.singer import tap as tap_module
from tests.declare.ledgers import LEDGERS, Ledgers, item
from tests.declare.payouts import SOURCE, Payouts, payout
from tests.declare.shop import Answered, declared, served
from tests.fakes import FakeClock
from tests.running import run_tap

DAY = "2026-11-18"


@pytest.fixture
def ledgers(monkeypatch):
    declared(monkeypatch, LEDGERS)
    with served(Ledgers()) as vendor:
        vendor.days = {("302321", topic, DAY): [item(1, DAY)] for topic in ("funds", "fees")}
        yield vendor


@pytest.fixture
def payouts(monkeypatch):
    declared(monkeypatch, SOURCE)
    with served(Payouts()) as vendor:
        vendor.payouts = [payout("A1", "2026-11-10", 100), payout("A2", "2026-11-20", 100)]
        yield vendor


def settings(vendor, name):
    return {"start_date": DAY if name == "ledgers" else "2026-11-01", f"{name}_key": "k", f"{name}_url": vendor.url}


def tap_of(values, state=None):
    tap = tap_module.TapBillingReports(config=values, state=state)
    tap.clock = FakeClock()
    return tap


def checked(vendor, name):
    (line,) = check.check(tap_of(settings(vendor, name)).session)
    return {part: found.verdict for part, found in line.parts.items()}


def planned(vendor, name, state=None):
    tap = tap_of(settings(vendor, name), state)
    rows = list(plan.plan(tap.lifecycle, tap.session, lambda _asked: None))
    return [(row.report, row.action, row.windows, row.why) for row in rows], plan.totals(rows)


def test_check_asks_for_rows_where_a_day_that_is_not_closed_is_no_fault(ledgers):
    assert checked(ledgers, "ledgers")["reports"] == "ok"
    assert {asked.path.rpartition("/")[2] for asked in ledgers.asked} == {"2026-11-19"}
    ledgers.before = lambda _asked: Answered({"title": "no", "status": 403}, 403)
    assert checked(ledgers, "ledgers")["reports"] == "refused"


def test_check_asks_for_the_subjects_of_today(payouts):
    assert checked(payouts, "payouts")["reports"] == "ok"
    assert {asked.query["start_date"] for asked in payouts.asked} >= {"2026-11-20"}
    payouts.before = lambda asked: Answered({"error": "no"}, 403) if asked.path.endswith("/payouts") else None
    assert checked(payouts, "payouts")["reports"] == "refused"


def test_plan_says_what_would_be_fetched_and_what_was_not_there(ledgers):
    before, totals = planned(ledgers, "ledgers")
    assert ("ledgers_funds", "fetch", "2026-11-18 .. 2026-11-19", "not read yet") in before
    assert "fetch 4" in totals
    found = run_tap(settings(ledgers, "ledgers"), clock=FakeClock())
    ledgers.asked.clear()
    after, _ = planned(ledgers, "ledgers", found.state)
    assert {
        ("ledgers_funds", "fetch", "2026-11-19", "0:00 ago the vendor did not have its data yet"),
        ("ledgers_funds", "skip", DAY, "done"),
    } < {*after}
    assert ledgers.asked == []


def test_plan_lists_the_subjects_and_reads_none(payouts):
    rows, _ = planned(payouts, "payouts")
    assert ("payouts_transactions", "fetch", "A1, A2", "not read yet") in rows
    assert payouts.references() == []
    found = run_tap(settings(payouts, "payouts"), clock=FakeClock())
    rows, totals = planned(payouts, "payouts", found.state)
    # The look-back ends behind the first.
    assert ("payouts_transactions", "skip", "A2", "done") in rows
    assert "order 0" in totals
