"""A clock that is wrong by days to a year: the next sync with a right one has all invoices, lines and windows."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.fakes import SandboxClock
from tests.running import run_tap

CUSTOMER = "20000770011"
LINES = "bring_invoice_lines"


class Off(SandboxClock):
    """The vendor's time, so many days off."""

    def __init__(self, control, days):
        super().__init__(control)
        self._off = timedelta(days=days)

    def now(self):
        return super().now() + self._off


def held(results, stream):
    return {
        tuple(record[key] for key in result.keys[stream]): record for result in results for record in result.of(stream)
    }


@pytest.mark.parametrize("days", [1, 40, 250, 300, 340, 400, -40, -300])
@pytest.mark.parametrize("before", [False, True], ids=["first", "after a right one"])
def test_invoices_and_lines(bring, days, before):
    config = bring.config("2026-04-01", bring_customers=[CUSTOMER])
    state, results = None, []
    for off in (*((0,) if before else ()), days, 0):
        result = run_tap(config, state=state, clock=Off(bring.control, off))
        assert result.status == 0, result.log
        results.append(result)
        state = result.state
    whole = bring.control.totals(config)
    for stream in ("invoices", LINES):
        assert len(held(results, stream)) == whole[stream]["bring"]["rows"], stream
    orders = bring.control.counters()["orders"]["bring"]["by_key"]
    assert set(orders.values()) == {1}, "none is ordered twice"
    bring.control.forget()
    again = run_tap(config, state=state, clock=Off(bring.control, 0))
    assert (again.status, again.of(LINES)) == (0, [])
    assert "fromDate=01.04.2026" not in bring.asked("/invoices/")[0]["query"], "a short list again"


@pytest.mark.parametrize("unit", ["week", "month"])
def test_windows_that_a_clock_ahead_has_read_are_read_again_once_they_are_over(bring, unit):
    report = {"report_type": "PARCELS-DELIVERED", "name": "delivered", "window": unit}
    config = bring.config("2026-10-01", bring_customers=[CUSTOMER], bring_invoice_lines=False, bring_reports=[report])
    ahead = run_tap(config, clock=Off(bring.control, 60))
    assert ahead.status == 0, ahead.log
    right = run_tap(config, state=ahead.state, clock=Off(bring.control, 0))
    assert right.status == 0, right.log
    bring.control.forget()
    bring.control.advance(40 * 86_400)
    later = run_tap(config, state=right.state, clock=Off(bring.control, 0))
    assert later.status == 0, later.log
    runs = later.of("report_runs")
    assert min(run["window_end"] for run in runs) > "2026-11-20", "what was over then stays read"
    assert {run["period"] for run in runs} >= {
        run["period"] for run in ahead.of("report_runs") if "2026-11-20" < run["window_end"] < "2026-12-30"
    }
