"""Which period of a configured report a listed run was made for, by what it was asked."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from tap_billing_reports.core.dates import utc_text
from tap_billing_reports.declare import ALL, Period, Subjects, Windowed
from tap_billing_reports.reports.jobs import fingerprint
from tap_billing_reports.reports.window_dates import midnight, window_start

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tap_billing_reports.declare import OrderedRuns, Report, ReportApi, Run


def owner(api: ReportApi, orders: OrderedRuns, reports: Iterable[Report], run: Run) -> tuple[Report, Period] | None:
    """The first of the reports that would ask for this very run, and for which period; None if none would.

    That alone makes it nobody's: another system may ask the same. Availability is not looked at, so a window that
    was cut, or has been read before its end, is found as well.
    """
    for report in reports:
        if report.report_type == run.report_type:
            for period in _candidates(orders, report, run):
                asked = api.parameters(report, period)
                if fingerprint(run.report_type, asked) == fingerprint(run.report_type, run.parameters):
                    return report, period
    return None


def _candidates(orders: OrderedRuns, report: Report, run: Run) -> Iterator[Period]:
    cadence = report.cadence
    if isinstance(cadence, Subjects):
        yield from (Period(name, subject=name) for name in cadence.names)
    if not isinstance(cadence, Windowed):
        return
    try:
        start, end = orders.window(run.parameters)
    except ValueError:
        # A type that takes no windows, or a run with ones that only another system would ask for.
        return
    key = ALL
    if cadence.unit != ALL:
        # By its last day: its first one may be cut off.
        last = (end - timedelta(microseconds=1)).astimezone(ZoneInfo(report.zone)).date()
        key = utc_text(midnight(window_start(cadence.unit, last), report.zone))
    yield Period(key, start, end)
