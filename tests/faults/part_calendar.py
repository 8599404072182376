"""Clocks that are wrong, nights in which an hour is missing or comes twice, ends of months and years."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

from tap_billing_reports.sandbox.core import Sandbox
from tests.faults.bench import Bench, compare, failures, held, opened, part_of
from tests.faults.cases import Case, Verdict
from tests.faults.worlds import WORLDS, World

if TYPE_CHECKING:
    from contextlib import ExitStack

    from tests.running import Result

HOUR, DAY = 3600, 86_400
OFF = {"an hour ahead": HOUR, "an hour behind": -HOUR, "a day ahead": DAY, "a day behind": -DAY}
# The instant at which the hour changes, or the day ends in UTC.
NIGHTS = {
    "Oslo loses an hour": "2026-03-29T01:00",
    "Oslo has an hour twice": "2026-10-25T01:00",
    "New York loses an hour": "2026-03-08T07:00",
    "New York has an hour twice": "2026-11-01T06:00",
    "Lord Howe has half an hour twice": "2026-04-04T15:00",
    "the end of April": "2026-05-01T00:00",
    "the end of January": "2026-02-01T00:00",
    "the end of February": "2027-03-01T00:00",
    "the 29th of February": "2028-03-01T00:00",
    "the end of the year": "2027-01-01T00:00",
    "the end of a week and a month": "2026-06-01T00:00",
}
# Hours before and after at which a sync runs, each from the STATE of the one before.
HOURS = (-30, -2.5, -1, -0.01, 0, 0.01, 0.5, 1, 2.5, 7, 30)
# What holds a day against the one before, also where another sync has read that.
BALANCES = {"balance_chain", "balance_goes_on", "fees_retained"}
SUMMARY = "balance_change_from_activity.summary.1"
ITEMIZED = "balance_change_from_activity.itemized.3"
REPORTS = [
    {"report_type": ITEMIZED, "name": "oslo_days", "window": "day", "timezone": "Europe/Oslo"},
    {"report_type": SUMMARY, "name": "oslo_weeks", "window": "week", "timezone": "Europe/Oslo"},
    {"report_type": ITEMIZED, "name": "new_york_days", "window": "day", "timezone": "America/New_York"},
    {"report_type": SUMMARY, "name": "lord_howe_days", "window": "day", "timezone": "Australia/Lord_Howe"},
    {"report_type": SUMMARY, "name": "utc_months", "window": "month"},
]


def cases(stack: ExitStack) -> list[Case]:
    """Each vendor with each wrong clock, and through each night."""
    return [case for world in WORLDS for case in of_world(stack, world)]


def of_world(stack: ExitStack, world: World) -> list[Case]:
    """The cases of the vendors that share a sandbox."""
    bench = opened(stack, world)
    found = []
    for vendor in world.vendors:
        for name, seconds in OFF.items():
            for order in ("first", "in between"):
                case = partial(clock_off, bench, vendor, seconds, order == "in between")
                found.append(Case(f"{vendor} / the clock is {name} / {order}", case))
        for name, moment in NIGHTS.items():
            instant = datetime.fromisoformat(moment).replace(tzinfo=timezone.utc)
            found.append(Case(f"{vendor} / {name}", partial(night, world, vendor, instant)))
    return found


def clock_off(bench: Bench, vendor: str, seconds: float, in_between: bool, verdict: Verdict) -> None:
    """A sync with a wrong clock, perhaps after a right one; then a day passes, and a right one follows."""
    bench.reset()
    done: list[Result] = []
    state = None
    for off in (*((0.0,) if in_between else ()), seconds):
        result = bench.sync(state=state, off=off)
        if result.status and not failures(result):
            verdict.remarks.append("it failed without a word")
        done.append(result)
        state = result.states[-1] if result.states else None
    verdict.ended = f"exit {done[-1].status}"
    for result in done:
        if "Traceback" in result.log:
            verdict.remarks.append("a traceback instead of a line")
    bench.control.next_day()
    last = bench.sync(state=state)
    if last.status:
        verdict.remarks.append(f"the next sync failed: {failures(last)}")
    bench.judge_leaks(verdict, *done, last)
    orders = bench.orders()
    whole = bench.sync()
    compare(verdict, part_of(held(whole), vendor), part_of(held(*done, last), vendor))
    twice = {what: n for what, n in orders.get("stripe", {}).items() if n > 1}
    if twice:
        verdict.remarks.append(f"ordered twice: {twice}")


def night(world: World, vendor: str, moment: datetime, verdict: Verdict) -> None:
    """Syncs before, within and after that night; together they hold what one sync after it holds."""
    start = moment - timedelta(hours=31)
    with Sandbox(start, vendors=(vendor,), **world.options) as box:
        control = box.control
        first_day = (moment - timedelta(days=12)).date().isoformat()
        config: dict[str, Any] = box.settings(start_date=first_day)
        if vendor == "stripe":
            config |= {"stripe_reports": REPORTS, "stripe_connected_accounts": [], "stripe_max_concurrent_runs": 5}
        days = 0
        results: list[Result] = []
        state = None
        for hours in HOURS:
            now = moment + timedelta(hours=hours)
            while (now - start).days > days:
                days += 1
                # What the vendor books of a day is dated by its clock, which must not run ahead.
                control.clock.set(now - timedelta(days=1))
                control.next_day()
            control.clock.set(now)
            result = run(config, control, state)
            if result.status:
                verdict.remarks.append(f"{hours:+} h: {failures(result)}")
            results.append(result)
            state = result.states[-1]
        verdict.ended = f"{len(results)} syncs"
        orders = {vendor: found["by_key"] for vendor, found in control.counters()["orders"].items()}
        twice = {what: n for what, n in orders.get(vendor, {}).items() if n > 1}
        if twice:
            verdict.remarks.append(f"ordered twice: {twice}")
        whole = run(config, control, None)
        compare(verdict, held(whole), held(*results))
        wrong = [record for result in results for record in result.of("reconciliations") if record["check"] in BALANCES]
        if wrong := [record for record in wrong if record["ok"] is False]:
            verdict.remarks.append(f"{len(wrong)} balances do not go on, as {wrong[0]}")
        _judge_totals(verdict, control.totals(config), held(*results))
        gaps = [
            record
            for record in whole.of("reconciliations")
            if record["ok"] is False and record["check"] in {"windows_contiguous", "ambiguous_local_times"}
        ]
        if gaps:
            verdict.remarks.append(f"the checks say {gaps[:2]}")


def run(config: dict[str, Any], control: Any, state: Any) -> Result:
    from tests.fakes import SandboxClock
    from tests.running import run_tap

    return run_tap(config, state=state, clock=SandboxClock(control))


def _judge_totals(verdict: Verdict, totals: dict[str, Any], found: Any) -> None:
    """The vendor's own books, added up before they became reports."""
    for stream, sources in totals.items():
        records = list(found.get(stream, {}).values())
        if stream not in found:
            continue
        for expected in sources.values():
            verdict.lost += max(0, expected["rows"] - len(records))
            verdict.doubled += max(0, len(records) - expected["rows"])
            for column, total in expected["sums"].items():
                got = sum((Decimal(record[column]) for record in records if record.get(column)), Decimal(0))
                if got != Decimal(total):
                    verdict.remarks.append(f"{stream}.{column}: {got} instead of {total}")
