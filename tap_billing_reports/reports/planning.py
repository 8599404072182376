"""What is due: the periods of a report that the ledger does not hold as done, oldest first."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, timezone
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from tap_billing_reports.core.dates import parse_utc, utc_text
from tap_billing_reports.declare import Account, Interval, Period, Report
from tap_billing_reports.reports import keys
from tap_billing_reports.reports.jobs import ReportClient, ReportJob
from tap_billing_reports.reports.state.journal import asked_of
from tap_billing_reports.reports.windows import ALL, calendar, midnight, periods

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_billing_reports.reports.state.ledger import Entry, Facts

# What an open period keeps of a reading that is to be done again: how many rows may be out.
_ROWS_OUT = ("rows", "out", "out_rows")
_BEGINNING = datetime(1970, 1, 1, tzinfo=timezone.utc)


@dataclass(frozen=True)
class Planner:
    """Knows the sync's bounds: from `start_date` on, before `end_date`, as seen at `now`.

    Runs that were ordered before `reuse_runs_since` are not gone on with: their periods are ordered anew.
    """

    start_date: date
    end_date: date | None
    now: datetime
    reuse_runs_since: datetime | None = None

    def due_jobs(self, client: ReportClient, report: Report, account: Account, entry: Entry) -> list[ReportJob]:
        """Pending runs first, then what is to be ordered, oldest first. May ask the vendor for availability."""
        self.reopen(client, report, entry)
        resumed = []
        skipped = set(self.skipped(client, report, entry))
        for key, facts in entry.open.items():
            if "run" in facts and key not in skipped:
                period = _period_of(report, key, facts)
                job = self._job(client, report, account, key, period, facts, entry.done.get(key))
                if self._is_gone_on_with(job, facts):
                    resumed.append(job)
        pending = {job.key for job in resumed}
        fresh = []
        for key, period in self._wanted(client, report, account, entry):
            if key not in pending and key not in skipped:
                facts = entry.open.get(key, {})
                job = self._job(client, report, account, key, period, facts, entry.done.get(key))
                if job.run_id is not None:
                    job = replace(job, run_id=None, ordered_at=None, adopted=False, attempt=1, bad=0, bad_since=None)
                fresh.append(job)
        return resumed + fresh

    def reopen(self, client: ReportClient, report: Report, entry: Entry) -> bool:
        """Have read again what ends after now: a clock that was ahead has read it before all of it was there.

        Returns whether there was any. A vendor that says what it has is not led astray by our clock.
        """
        if report.unit is None or client.api.availability is not None:
            return False
        now = utc_text(self.now)
        early = [key for key, facts in entry.done.items() if facts["end"] > now]
        for key in early:
            entry.open.setdefault(key, {"attempt": 1, "rows": entry.done.pop(key).get("rows", 0)})
        ordered = [key for key, facts in entry.open.items() if facts.get("end", "") > now]
        for key in ordered:
            entry.open[key] = {name: value for name, value in entry.open[key].items() if name in _ROWS_OUT}
        if report.unit == ALL or entry.first is None or entry.through is None or entry.through <= now:
            return bool(early or ordered)
        first = _local_day(parse_utc(entry.first), report.zone)
        windows = calendar(report.unit, report.zone, first, parse_utc(entry.through))
        entry.through = next((key for key, _start, end in windows if end > self.now), entry.through)
        return True

    def skipped(self, client: ReportClient, report: Report, entry: Entry) -> list[str]:
        """The invoices that are due, but that the settings say not to order."""
        named = set(client.api.skipped(client.source_client.values)) if report.per_invoice else set()
        job = (key for _day, keys in sorted(entry.subjects_due.items()) for key in keys)
        return [key for key in job if keys.split_key(key, "")[0] in named] if named else []

    def _is_gone_on_with(self, job: ReportJob, facts: Facts) -> bool:
        """Whether a pending run is still what would be ordered: same parameters, new enough."""
        since = self.reuse_runs_since
        if since is not None and job.ordered_at is not None and job.ordered_at < since:
            return False
        return bool(facts.get("asked", asked_of(job)) == asked_of(job))

    def available(self, client: ReportClient, report: Report, account: Account) -> Interval:
        """What the vendor has; where it does not say, everything before today in the report's zone."""
        available = client.availability(account, report.report_type)
        if available is None:
            today = client.source_client.clock.today(report.zone)
            available = Interval(_BEGINNING, midnight(today, report.zone))
        return available

    def until(self, report: Report, available: Interval) -> datetime:
        """The instant after which nothing is asked for."""
        if self.end_date is None:
            return available.end
        return min(available.end, midnight(self.end_date, report.zone))

    def _wanted(
        self, client: ReportClient, report: Report, account: Account, entry: Entry
    ) -> Iterator[tuple[str, Period]]:
        if report.per_invoice:
            for _day, keys in sorted(entry.subjects_due.items()):
                for key in keys:
                    yield key, _period_of(report, key, {})
            return
        if report.unit is None:
            for subject in report.subjects or (ALL,):
                if subject not in entry.done:
                    yield subject, Period(subject, subject=subject)
            return
        for period in self._windows(client, report, account):
            if self._is_due(report, entry, period):
                yield period.key, period

    def _windows(self, client: ReportClient, report: Report, account: Account) -> Iterator[Period]:
        """All windows that may be asked for, done or not."""
        assert report.unit is not None
        available = self.available(client, report, account)
        return periods(
            report.unit,
            report.zone,
            self.start_date,
            available=available,
            until=self.until(report, available),
            include_partial=report.include_partial,
        )

    def done(self, client: ReportClient, report: Report, account: Account, entry: Entry) -> list[Period]:
        """What is not asked for because it has been read; of one run an invoice, what is still remembered."""
        if report.per_invoice:
            keys = [key for _day, keys in sorted(entry.subjects_done.items()) for key in keys]
            return [_period_of(report, key, {}) for key in keys]
        if report.unit is None:
            return [Period(subject, subject=subject) for subject in report.subjects or (ALL,) if subject in entry.done]
        windows = self._windows(client, report, account)
        return [
            period
            for period in windows
            if not self._is_due(report, entry, period) and "run" not in entry.open.get(period.key, {})
        ]

    def coming(self, client: ReportClient, report: Report, account: Account) -> Period | None:
        """The window that is due next: it is not over, or the vendor does not have it; None where none follows."""
        if report.unit is None or report.unit == ALL or report.include_partial:
            return None
        until = self.until(report, self.available(client, report, account))
        if self.end_date is not None and until >= midnight(self.end_date, report.zone):
            return None
        first = max(self.start_date, _local_day(until, report.zone))
        shortly = max(until, midnight(first, report.zone)) + timedelta(seconds=1)
        windows = calendar(report.unit, report.zone, first, shortly)
        return next((Period(key, start, end) for key, start, end in windows if end > until), None)

    def _is_due(self, report: Report, entry: Entry, period: Period) -> bool:
        assert period.end is not None
        if self.is_read_again(report, period.end):
            return True
        if entry.is_closed(period.key):
            return False
        done = entry.done.get(period.key)
        if done is None or done["end"] < utc_text(period.end):
            return True
        assert period.start is not None
        return bool(utc_text(period.start) < done.get("start", ""))

    def is_read_again(self, report: Report, end: datetime) -> bool:
        """Whether a period that ended then lies within the report's look-back."""
        return report.lookback_days > 0 and end > self.now - timedelta(days=report.lookback_days)

    def _job(
        self,
        client: ReportClient,
        report: Report,
        account: Account,
        key: str,
        period: Period,
        facts: Facts,
        done: Facts | None,
    ) -> ReportJob:
        billed = keys.split_key(key, "")[1] if report.per_invoice else ""
        ordered_at, done = facts.get("at"), done or {}
        rows = max(facts.get("rows", 0), done.get("rows", 0))
        return ReportJob(
            client=client,
            report=report,
            account=account,
            period=period,
            parameters=client.api.parameters(report, period),
            attempt=facts.get("attempt", 1),
            run_id=facts.get("run"),
            ordered_at=parse_utc(ordered_at) if ordered_at else None,
            adopted=facts.get("adopted", False),
            known_run=done.get("run"),
            read_at=done.get("at", "unknown") if done else "",
            previous_rows=rows or None,
            bad=facts.get("bad", 0),
            bad_since=parse_utc(facts["bad_since"]) if "bad_since" in facts else None,
            refused=facts.get("refused", 0),
            failed=facts.get("failed", 0),
            failed_at=parse_utc(facts["failed_at"]) if "failed_at" in facts else None,
            billed_account=billed,
        )

    def cut_at(self, report: Report, period: Period) -> str | None:
        """Where a period begins, if more may be asked for one day: `all`, or a window cut at its start; else None."""
        if period.start is None or (report.unit != ALL and period.start <= parse_utc(period.key)):
            return None
        return utc_text(period.start)

    def closing(self, report: Report, period: Period) -> tuple[str, str] | None:
        """The key of a whole calendar window and of the one after it; None for anything else."""
        if report.unit in {None, ALL} or period.end is None:
            return None
        assert report.unit is not None
        start = parse_utc(period.key)
        for key, _start, end in calendar(report.unit, report.zone, _local_day(start, report.zone), period.end):
            if key == period.key:
                return (key, utc_text(end)) if end <= period.end else None
        return None


def _local_day(moment: datetime, zone: str) -> date:
    return moment.astimezone(ZoneInfo(zone)).date()


def _period_of(report: Report, key: str, facts: Facts) -> Period:
    """The period of a pending run, as it was ordered."""
    if report.unit is None:
        number = keys.split_key(key, "")[0] if report.per_invoice else key
        return Period(number, subject=number)
    return Period(key, parse_utc(facts["start"]), parse_utc(facts["end"]))
