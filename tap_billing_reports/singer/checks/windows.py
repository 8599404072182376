"""Whether a report's windows hang together and its data are fresh."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from tap_billing_reports.core.dates import utc_text
from tap_billing_reports.declare import ALL, Windowed
from tap_billing_reports.reports.window_dates import calendar
from tap_billing_reports.singer.check import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_billing_reports.declare import Account, Report
    from tap_billing_reports.reports.jobs import ReportClient
    from tap_billing_reports.reports.planning import Planner
    from tap_billing_reports.reports.state.entry import Entry


def coverage_checks(
    client: ReportClient, report: Report, account: Account, entry: Entry, planner: Planner
) -> Iterator[Check]:
    """`windows_contiguous` and `freshness` of one report of one account, as the ledger stands."""
    cadence = report.cadence
    if not isinstance(cadence, Windowed):
        return
    facts = {"source": client.name, "account_id": account.account_id, "subject": report.name}
    available = planner.available(client, report, account)
    if cadence.unit != ALL:
        until = planner.until(report, available)
        keys = [
            key
            for key, _start, end in calendar(cadence.unit, report.zone, planner.start_date, until)
            if available.start < end <= until
        ]
        read = [entry.is_closed(key) or key in entry.done for key in keys]
        # Windows after the newest one that was read are not missing, only not yet there.
        newest = max((place for place, there in enumerate(read) if there), default=-1)
        # One that the vendor does not have yet, in its own words, is not missing either.
        missing = [
            key
            for key, there in zip(keys, read[: newest + 1], strict=False)
            if not there and entry.opened(key).not_yet is None
        ]
        yield Check(
            **facts,
            check="windows_contiguous",
            expected=Decimal(0),
            actual=Decimal(len(missing)),
            ok=not missing,
            reason=f"missing: {', '.join(missing[:10])}" if missing else None,
        )
    if client.api.availability is not None:
        age, most = planner.now - available.end, client.api.stale_after_hours
        hours = Decimal(int(age.total_seconds() // 3600))
        ends = f"the vendor's data end at {utc_text(available.end)}, {hours} hours ago"
        if most is None:
            said = f"{ends}; how old they may be is not known"
        else:
            said = f"{ends}; {most} hours at most are usual"
        yield Check(
            **facts,
            check="freshness",
            expected=None if most is None else Decimal(most),
            actual=hours,
            ok=None if most is None else hours <= most,
            reason=said,
        )
