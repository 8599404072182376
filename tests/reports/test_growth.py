"""What is done about one invoice, one window or one run costs the same, however many others there are."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tap_billing_reports.core.dates import utc_text
from tap_billing_reports.core.errors import Refused
from tap_billing_reports.declare import Account, PerInvoice, Period, Run, RunStatus, Windowed
from tap_billing_reports.reports.jobs import ReportJob, Step
from tap_billing_reports.reports.per_invoice import Bounds, list_from
from tap_billing_reports.reports.planning import Planner
from tap_billing_reports.reports.recorder import Recorder
from tap_billing_reports.reports.runs.ordering import Orders
from tap_billing_reports.reports.runs.queues import PendingRun, RunQueue
from tap_billing_reports.reports.runs.refusals import Refusals
from tap_billing_reports.reports.state.layout import OpenPeriod
from tap_billing_reports.reports.state.ledger import Ledger
from tap_billing_reports.singer.run_memory import RunMemory
from tests.reports.moment import NOW
from tests.reports.steps import Counted, steps
from tests.reports.syncs import ACCOUNT, DAILY
from tests.reports.vendor import Made
from tests.typed import some

INVOICES = replace(DAILY, name="lines", cadence=PerInvoice())
FEW, MANY = 100, 10_000
HANDLED = 50


def run_of(job):
    return Run(f"run-{job.key}", RunStatus.PENDING, "pending", created_at=NOW)


@pytest.fixture(autouse=True)
def warm():
    """A zone is read from its file once."""
    ZoneInfo("UTC").utcoffset(NOW)


def recorder_of(ledger):
    return Recorder(lambda _stream: ledger, Planner(NOW.date(), None, NOW))


def step_by_step(recorder, jobs):
    for job in jobs:
        recorder.ordered(job, run_of(job), 1, NOW, adopted=False)
        recorder.refused(job)
        recorder.was_bad(job, run_of(job), NOW)
        recorder.dropped(job, 2, NOW)
        recorder.done(job, 3)


def of_one_day(client, count):
    """What it takes to handle some invoices of a day that has so many."""
    ledger = Ledger(dict)
    with ledger.changing(ACCOUNT.account_id) as entry:
        for number in range(count):
            entry.subjects_due.add("2026-03-01", Counted(number))
            entry.open[Counted(number)] = OpenPeriod(period=str(number), run="r")
    last = list(entry.subjects_due)[-HANDLED:]
    jobs = [ReportJob(client, INVOICES, ACCOUNT, Period(key, subject=key), {}) for key in last]
    found = steps(lambda: step_by_step(recorder_of(ledger), jobs))
    assert len(list(entry.subjects_done)) == HANDLED
    assert len(entry.open) == count - HANDLED
    return found


def test_an_invoice_costs_the_same_however_many_others_have_its_date(vendor):
    assert of_one_day(vendor.client(), MANY) == of_one_day(vendor.client(), FEW)


def of_one_account(client, count):
    """What it takes to handle one window at one of so many accounts."""
    ledger = Ledger(dict)
    for number in range(count):
        with ledger.changing(str(number)) as entry:
            entry.first, entry.through = "2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z"
    ledger.write()
    period = Period("2026-03-02T00:00:00Z", NOW - timedelta(days=2), NOW - timedelta(days=1))
    job = ReportJob(client, DAILY, Account("fake", "7", "fake_account"), period, {})
    return steps(lambda: step_by_step(recorder_of(ledger), [job]))


def test_a_window_costs_the_same_however_many_accounts_there_are(vendor):
    assert of_one_account(vendor.client(), MANY) == of_one_account(vendor.client(), FEW)


def of_windows(client, count):
    """What it takes to read so many windows that lie before those that were read already."""
    ledger, start = Ledger(dict), datetime(2000, 1, 1, tzinfo=timezone.utc)
    days = [start + timedelta(days=number) for number in range(count + 1)]
    with ledger.changing(ACCOUNT.account_id) as entry:
        entry.first, entry.through = utc_text(days[-1]), utc_text(NOW)
    periods = [Period(utc_text(day), day, day + timedelta(days=1)) for day in days[:-1]]
    jobs = [ReportJob(client, DAILY, ACCOUNT, period, {}) for period in periods]
    recorder = recorder_of(ledger)
    found = steps(lambda: [recorder.done(job, 3) for job in jobs])
    assert (entry.first, entry.done) == (utc_text(start), {})
    return found / count


def test_a_window_costs_the_same_however_many_are_read_before_the_others(vendor):
    assert of_windows(vendor.client(), 2000) == pytest.approx(of_windows(vendor.client(), 100), rel=0.05)


def of_windows_read_again(client, count):
    """What it takes to read so many windows that all lie within the look-back."""
    ledger, start = Ledger(dict), NOW.replace(hour=0, minute=0) - timedelta(days=count)
    days = [start + timedelta(days=number) for number in range(count)]
    report = replace(DAILY, cadence=Windowed("day", lookback_days=count + 2))
    periods = [Period(utc_text(day), day, day + timedelta(days=1)) for day in days]
    jobs = [ReportJob(client, report, ACCOUNT, period, {}) for period in periods]
    recorder = recorder_of(ledger)
    found = steps(lambda: [recorder.done(job, 3) for job in jobs])
    entry = ledger.entry(ACCOUNT.account_id)
    assert (entry.first, len(entry.done)) == (utc_text(start), count), "each is kept: it is read again"
    return found / count


def test_a_window_costs_the_same_however_many_are_read_again(vendor):
    assert of_windows_read_again(vendor.client(), 1000) == pytest.approx(
        of_windows_read_again(vendor.client(), FEW), rel=0.05
    )


def of_ready_runs(client, count):
    """What it takes to see whether another run may be ordered, where the files of so many can be read."""
    job = ReportJob(client, DAILY, ACCOUNT, Period("p", subject="p"), {})
    queue = RunQueue(client, [job])
    for _ in range(count):
        queue.put_ready(PendingRun(job, run_of(job), Step.ORDERED, 1))
    found = steps(lambda: queue.may_order(0.0))
    assert queue.may_order(0.0)
    for _ in range(queue.budget):
        queue.put_ready(PendingRun(job, run_of(job), Step.FETCHED, 1))
    assert not queue.may_order(0.0), "files are not looked up far ahead of their use"
    for _ in range(count + 1):
        queue.take_ready()
    assert queue.may_order(0.0)
    return found


def test_whether_to_order_costs_the_same_however_many_runs_are_ready(vendor):
    assert of_ready_runs(vendor.client(), MANY) == of_ready_runs(vendor.client(), FEW)


def of_left_subjects(count):
    """What it takes to see from when on an account is listed, where so many subjects of one left wait."""
    ledger, bounds = Ledger(dict), Bounds(date(2026, 1, 1), date(2026, 6, 1), 30, None)
    with ledger.changing("old") as entry:
        for number in range(count):
            entry.subjects_due.add(f"2026-03-0{number % 9 + 1}", f"{number}@new")
    with ledger.changing("new") as entry:
        entry.seen = "2026-05-30"
    ledger.leave({"new"})
    found = steps(lambda: list_from(ledger.entry("new"), bounds, ledger))
    assert list_from(ledger.entry("new"), bounds, ledger) == date(2026, 3, 1)
    for number in range(0, count, 9):
        ledger.take_over((str(number), "new"), "new")
    assert list_from(ledger.entry("new"), bounds, ledger) == date(2026, 3, 2)
    return found


def test_the_first_day_of_a_list_costs_the_same_however_many_subjects_are_left():
    assert of_left_subjects(2000) == of_left_subjects(FEW)


def of_listed_runs(vendor, count):
    """What it takes to look for one period's run, and to give it up, where the vendor lists so many."""
    made = vendor.clock.now()
    for number in range(count):
        vendor.runs[f"r{number}"] = Made(f"r{number}", "daily.1", {"subject": str(number)}, made, made)
    orders, client = Orders(vendor.clock, None), vendor.client()
    subject = Counted(count - 1)
    job = ReportJob(client, DAILY, ACCOUNT, Period(subject, subject=subject), {"subject": str(subject)})
    orders.adoption.look_ahead([job])

    def found():
        run, _attempt = orders.adoption.find(job, attempt=1)
        orders.adoption.forget(job, some(run))
        assert orders.adoption.find(job, attempt=1) == (None, 2)

    return steps(found)


def test_a_run_is_found_at_the_same_cost_however_many_are_listed(vendor):
    assert of_listed_runs(vendor, 2000) == of_listed_runs(vendor, FEW)


def of_refusals(client, count):
    """What it takes to leave so many periods, once three orders in a row were refused."""
    ledger = Ledger(dict)
    jobs = [ReportJob(client, INVOICES, ACCOUNT, Period(str(n), subject=str(n)), {}) for n in range(count)]
    queue, refusals = RunQueue(client, jobs), Refusals(recorder_of(ledger))
    ends = []

    def refused():
        for job in jobs[:3]:
            queue.queue.popleft()
            ends.extend(refusals.ended(queue, job, Refused("no", status=404)))

    found = steps(refused)
    assert (len(ends), len(queue.queue)) == (count, 0)
    return found / count


def test_leaving_many_periods_costs_each_the_same(vendor):
    assert of_refusals(vendor.client(), 3000) <= of_refusals(vendor.client(), FEW)


def of_told_runs(client, count):
    """What it takes to note one run where so many of so many accounts were told before."""
    accounts = [Account("fake", str(number), "fake_account") for number in range(count)]
    bookmark: dict[str, Any] = {}
    memory = RunMemory(lambda: bookmark)

    def told(account, run_id):
        with memory.changing(client, account) as runs:
            runs.known = runs.known or set()
            runs.known.add(run_id)

    for account in accounts:
        told(account, "r")
        told(accounts[0], f"r{account.account_id}")
    found = steps(lambda: told(accounts[0], "new"))
    memory.write()
    assert len(bookmark["listed"]) == count
    assert bookmark["listed"][-1]["known"] == sorted(["r", "new", *(f"r{n}" for n in range(count))])
    return found


def test_a_run_is_remembered_at_the_same_cost_however_many_were(vendor):
    assert of_told_runs(vendor.client(), 2000) == of_told_runs(vendor.client(), FEW)
