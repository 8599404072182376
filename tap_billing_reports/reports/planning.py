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
from tap_billing_reports.reports.state.layout import OpenPeriod
from tap_billing_reports.reports.windows import ALL, calendar, midnight, periods

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_billing_reports.reports.state.entry import Entry
    from tap_billing_reports.reports.state.layout import DonePeriod

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
        for key, known in entry.open.items():
            if known.run is not None and key not in skipped:
                job = self._job(client, report, account, _period_of(report, key, known), known, entry.done.get(key))
                if self._is_gone_on_with(job, known):
                    resumed.append(job)
        pending = {job.key for job in resumed}
        fresh = []
        for key, period in self._wanted(client, report, account, entry):
            if key not in pending and key not in skipped:
                job = self._job(client, report, account, period, entry.opened(key), entry.done.get(key))
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
        early = [key for key, done in entry.done.items() if done.end is not None and done.end > self.now]
        for key in early:
            rows = entry.done.pop(key).rows or 0
            entry.open.setdefault(key, OpenPeriod(period=key, attempt=1, rows=rows))
        ordered = [known for known in entry.open.values() if known.end is not None and known.end > self.now]
        for known in ordered:
            # How many rows may be out stays known.
            entry.open[known.period] = OpenPeriod(
                period=known.period, out=known.out, out_rows=known.out_rows, rows=known.rows
            )
        if report.unit == ALL or entry.first is None or entry.through is None or entry.through <= utc_text(self.now):
            return bool(early or ordered)
        first = _local_day(parse_utc(entry.first), report.zone)
        windows = calendar(report.unit, report.zone, first, parse_utc(entry.through))
        entry.through = next((key for key, _start, end in windows if end > self.now), entry.through)
        return True

    def skipped(self, client: ReportClient, report: Report, entry: Entry) -> list[str]:
        """The invoices that are due, but that the settings say not to order."""
        named = set(client.api.skipped(client.source_client.values)) if report.per_invoice else set()
        return [key for key in entry.subjects_due if keys.split_key(key, "")[0] in named] if named else []

    def _is_gone_on_with(self, job: ReportJob, known: OpenPeriod) -> bool:
        """Whether a pending run is still what would be ordered: same parameters, new enough."""
        since = self.reuse_runs_since
        if since is not None and job.ordered_at is not None and job.ordered_at < since:
            return False
        return known.asked is None or known.asked == asked_of(job)

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
            for key in entry.subjects_due:
                yield key, _subject(report, key)
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
            return [_subject(report, key) for key in entry.subjects_done]
        if report.unit is None:
            return [Period(subject, subject=subject) for subject in report.subjects or (ALL,) if subject in entry.done]
        windows = self._windows(client, report, account)
        return [
            period
            for period in windows
            if not self._is_due(report, entry, period) and entry.opened(period.key).run is None
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
        # A reading that broke off has left rows that may be no one's any more: it is made up for, however old it is.
        if self.is_read_again(report, period.end) or entry.opened(period.key).out is not None:
            return True
        if entry.is_closed(period.key):
            return False
        done = entry.done.get(period.key)
        if done is None or done.end is None or done.end < period.end:
            return True
        assert period.start is not None
        return done.start is not None and period.start < done.start

    def is_read_again(self, report: Report, end: datetime) -> bool:
        """Whether a period that ended then lies within the report's look-back."""
        return report.lookback_days > 0 and end > self.now - timedelta(days=report.lookback_days)

    def _job(
        self,
        client: ReportClient,
        report: Report,
        account: Account,
        period: Period,
        known: OpenPeriod,
        done: DonePeriod | None,
    ) -> ReportJob:
        billed = keys.split_key(known.period, "")[1] if report.per_invoice else ""
        rows = known.rows if done is None else max(known.rows, done.rows or 0)
        return ReportJob(
            client=client,
            report=report,
            account=account,
            period=period,
            parameters=client.api.parameters(report, period),
            attempt=known.next_attempt,
            run_id=known.run,
            ordered_at=known.at,
            adopted=known.adopted,
            known_run=None if done is None else done.run,
            read_at=_read_at(done),
            previous_rows=rows or None,
            bad=known.bad,
            bad_since=known.bad_since,
            refused=known.refused,
            failed=known.failed,
            failed_at=known.failed_at,
            billed_account=billed,
        )

    def cut_at(self, report: Report, period: Period) -> datetime | None:
        """Where a period begins, if more may be asked for one day: `all`, or a window cut at its start; else None."""
        if period.start is None or (report.unit != ALL and period.start <= parse_utc(period.key)):
            return None
        return period.start

    def closing(self, report: Report, period: Period) -> str | None:
        """The key of the window after a whole calendar window; None for anything else."""
        if report.unit in {None, ALL} or period.end is None:
            return None
        assert report.unit is not None
        start = parse_utc(period.key)
        for key, _start, end in calendar(report.unit, report.zone, _local_day(start, report.zone), period.end):
            if key == period.key:
                return utc_text(end) if end <= period.end else None
        return None


def _local_day(moment: datetime, zone: str) -> date:
    return moment.astimezone(ZoneInfo(zone)).date()


def _period_of(report: Report, key: str, known: OpenPeriod) -> Period:
    """The period of a pending run, as it was ordered."""
    return _subject(report, key) if report.unit is None else Period(key, known.start, known.end)


def _subject(report: Report, key: str) -> Period:
    number = keys.split_key(key, "")[0] if report.per_invoice else key
    return Period(number, subject=number)


def _read_at(done: DonePeriod | None) -> str:
    """When the last good reading was ordered, as text that sorts; empty if there is none."""
    if done is None or done.is_subject:
        return ""
    return "unknown" if done.at is None else utc_text(done.at)
