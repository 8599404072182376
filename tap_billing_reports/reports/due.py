"""What is due of a report, what is done and under which key that stands: one class a cadence.

A new cadence is a class in `declare/cadence.py` or `declare/report.py`, one here, and a line in `plan_of`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from tap_billing_reports.core.dates import parse_utc, utc_text
from tap_billing_reports.declare import ALL, Interval, Listed, PerInvoice, Period, Subjects, Windowed
from tap_billing_reports.reports import per_invoice
from tap_billing_reports.reports.keys import split_key
from tap_billing_reports.reports.state.layout import DonePeriod, OpenPeriod
from tap_billing_reports.reports.window_dates import calendar, midnight, periods

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_billing_reports.declare import Account, Report
    from tap_billing_reports.reports.jobs import ReportClient
    from tap_billing_reports.reports.state.entry import Entry

_BEGINNING = datetime(1970, 1, 1, tzinfo=timezone.utc)


@dataclass(frozen=True)
class SyncBounds:
    """What a sync covers: from `start_date` on, before `end_date`, as seen at `now`."""

    start_date: date
    end_date: date | None
    now: datetime

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


class CadencePlan(ABC):
    """One report, in one sync. Keys are those of the ledger."""

    @abstractmethod
    def due(self, client: ReportClient, account: Account, entry: Entry) -> Iterator[tuple[str, Period]]:
        """Key and period of all that is to be read, the oldest first. May ask the vendor for availability."""

    @abstractmethod
    def done(self, client: ReportClient, account: Account, entry: Entry) -> list[Period]:
        """What is not asked for because it has been read, as far as that is still remembered."""

    @abstractmethod
    def pending(self, known: OpenPeriod) -> Period:
        """The period of a pending run, as it was ordered."""

    @abstractmethod
    def enter_done(self, entry: Entry, key: str, period: Period, known: OpenPeriod, rows: int | None) -> None:
        """A period has been read to its end; `known` is what was known of it while it was open."""

    def coming(self, _client: ReportClient, _account: Account) -> Period | None:
        """What is due next, but not yet; None where nothing follows by itself."""
        return None

    def skipped(self, _client: ReportClient, _entry: Entry) -> list[str]:
        """The keys of what is due, but that the settings say not to order."""
        return []

    def billed(self, _key: str) -> str:
        """The account that the rows belong to, where it is not the one that is asked."""
        return ""

    def reopen(self, _client: ReportClient, _entry: Entry) -> None:
        """Have read again what a wrong clock has read before all of it was there."""
        return


@dataclass(frozen=True)
class WindowPlan(CadencePlan):
    """Calendar windows: a range of closed ones, and around it those that stand apart."""

    bounds: SyncBounds
    report: Report
    cadence: Windowed

    def due(self, client: ReportClient, account: Account, entry: Entry) -> Iterator[tuple[str, Period]]:
        for period, end in self._windows(client, account):
            if self._is_due(entry, period, end):
                yield period.key, period

    def done(self, client: ReportClient, account: Account, entry: Entry) -> list[Period]:
        return [
            period
            for period, end in self._windows(client, account)
            if not self._is_due(entry, period, end) and entry.opened(period.key).run is None
        ]

    def pending(self, known: OpenPeriod) -> Period:
        return Period(known.period, known.start, known.end)

    def enter_done(self, entry: Entry, key: str, period: Period, known: OpenPeriod, rows: int | None) -> None:
        start, following = self._cut_at(period), self._following(period)
        # What begins late is not whole: it stays apart, in case the vendor gets older data.
        is_whole = following is not None and start is None
        entry.done[key] = DonePeriod(
            period=key,
            start=start,
            end=period.end,
            run=known.run,
            at=known.at,
            rows=rows,
            next=following if is_whole else None,
        )
        if not is_whole:
            return
        joined = entry.close(key)
        if entry.is_closed(key):
            # One that is still apart changes nothing about the others. Once those of earlier syncs are gone through,
            # only what is new in the range may have to go.
            for other in {key: None, **dict.fromkeys(joined)} if entry.is_swept else list(entry.done):
                end = entry.done[other].end
                if entry.is_closed(other) and not (end is not None and self._is_read_again(end)):
                    del entry.done[other]
            entry.is_swept = True

    def coming(self, client: ReportClient, account: Account) -> Period | None:
        """The window that is not over, or that the vendor does not have."""
        if self.cadence.unit == ALL or self.cadence.include_partial:
            return None
        bounds, zone = self.bounds, self.report.zone
        until = bounds.until(self.report, bounds.available(client, self.report, account))
        if bounds.end_date is not None and until >= midnight(bounds.end_date, zone):
            return None
        first = max(bounds.start_date, _local_day(until, zone))
        shortly = max(until, midnight(first, zone)) + timedelta(seconds=1)
        windows = calendar(self.cadence.unit, zone, first, shortly)
        return next((Period(key, start, end) for key, start, end in windows if end > until), None)

    def reopen(self, client: ReportClient, entry: Entry) -> None:
        """What ends after now; a vendor that says what it has is not led astray by our clock."""
        if client.api.availability is not None:
            return
        now = self.bounds.now
        for key in [key for key, done in entry.done.items() if done.end is not None and done.end > now]:
            rows = entry.done.pop(key).rows or 0
            entry.open.setdefault(key, OpenPeriod(period=key, attempt=1, rows=rows))
        for known in [known for known in entry.open.values() if known.end is not None and known.end > now]:
            # How many rows may be out stays known.
            entry.open[known.period] = OpenPeriod(
                period=known.period, out=known.out, out_rows=known.out_rows, rows=known.rows
            )
        unit, zone = self.cadence.unit, self.report.zone
        if unit == ALL or entry.first is None or entry.through is None or entry.through <= utc_text(now):
            return
        windows = calendar(unit, zone, _local_day(parse_utc(entry.first), zone), parse_utc(entry.through))
        entry.through = next((key for key, _start, end in windows if end > now), entry.through)

    def _windows(self, client: ReportClient, account: Account) -> Iterator[tuple[Period, datetime]]:
        """All windows that may be asked for, done or not, each with its end."""
        available = self.bounds.available(client, self.report, account)
        found = periods(
            self.cadence.unit,
            self.report.zone,
            self.bounds.start_date,
            available=available,
            until=self.bounds.until(self.report, available),
            include_partial=self.cadence.include_partial,
        )
        for period in found:
            if period.end is not None:
                yield period, period.end

    def _is_due(self, entry: Entry, period: Period, end: datetime) -> bool:
        # A reading that broke off has left rows that may be no one's any more: it is made up for, however old it is.
        if self._is_read_again(end) or entry.opened(period.key).out is not None:
            return True
        if entry.is_closed(period.key):
            return False
        done = entry.done.get(period.key)
        if done is None or done.end is None or done.end < end:
            return True
        return done.start is not None and period.start is not None and period.start < done.start

    def _is_read_again(self, end: datetime) -> bool:
        """Whether a period that ended then lies within the look-back."""
        days = self.cadence.lookback_days
        return days > 0 and end > self.bounds.now - timedelta(days=days)

    def _cut_at(self, period: Period) -> datetime | None:
        """Where a period begins, if more may be asked for one day: `all`, or a window cut at its start; else None."""
        if period.start is None or (self.cadence.unit != ALL and period.start <= parse_utc(period.key)):
            return None
        return period.start

    def _following(self, period: Period) -> str | None:
        """The key of the window after a whole calendar window; None for anything else."""
        if self.cadence.unit == ALL or period.end is None:
            return None
        first = _local_day(parse_utc(period.key), self.report.zone)
        for key, _start, end in calendar(self.cadence.unit, self.report.zone, first, period.end):
            if key == period.key:
                return utc_text(end) if end <= period.end else None
        return None


class InvoicePlan(CadencePlan):
    """Invoices that have a specification, or subjects that are listed, as `per_invoice` has entered them."""

    def due(self, _client: ReportClient, _account: Account, entry: Entry) -> Iterator[tuple[str, Period]]:
        for key in entry.subjects_due:
            yield key, self._period(key)

    def done(self, _client: ReportClient, _account: Account, entry: Entry) -> list[Period]:
        return [self._period(key) for key in entry.subjects_done]

    def pending(self, known: OpenPeriod) -> Period:
        return self._period(known.period)

    def enter_done(self, entry: Entry, key: str, _period: Period, _known: OpenPeriod, _rows: int | None) -> None:
        per_invoice.subject_done(entry, key)

    def skipped(self, client: ReportClient, entry: Entry) -> list[str]:
        setting = client.api.skip_setting
        named = set(client.source_client.values.get(setting) or ()) if setting else set()
        return [key for key in entry.subjects_due if split_key(key, "")[0] in named] if named else []

    def billed(self, key: str) -> str:
        return split_key(key, "")[1]

    @staticmethod
    def _period(key: str) -> Period:
        number, _billed = split_key(key, "")
        return Period(number, subject=number)


@dataclass(frozen=True)
class SubjectPlan(CadencePlan):
    """Subjects that the settings name: each once."""

    cadence: Subjects

    def due(self, _client: ReportClient, _account: Account, entry: Entry) -> Iterator[tuple[str, Period]]:
        for name in self.cadence.names or (ALL,):
            if name not in entry.done:
                yield name, Period(name, subject=name)

    def done(self, _client: ReportClient, _account: Account, entry: Entry) -> list[Period]:
        return [Period(name, subject=name) for name in self.cadence.names or (ALL,) if name in entry.done]

    def pending(self, known: OpenPeriod) -> Period:
        return Period(known.period, subject=known.period)

    def enter_done(self, entry: Entry, key: str, _period: Period, _known: OpenPeriod, _rows: int | None) -> None:
        entry.done[key] = DonePeriod(period=key)


def plan_of(bounds: SyncBounds, report: Report) -> CadencePlan:
    """What is due of a report and what is done, by its cadence."""
    cadence = report.cadence
    if isinstance(cadence, Windowed):
        return WindowPlan(bounds, report, cadence)
    if isinstance(cadence, PerInvoice | Listed):
        return InvoicePlan()
    return SubjectPlan(cadence)


def _local_day(moment: datetime, zone: str) -> date:
    return moment.astimezone(ZoneInfo(zone)).date()
