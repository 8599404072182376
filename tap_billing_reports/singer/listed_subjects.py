"""Subjects that a vendor lists by date, such as payouts: entered into the ledger before their reports are due."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

from tap_billing_reports.core.about import About
from tap_billing_reports.core.dates import parse_date, parse_utc, zone_named
from tap_billing_reports.core.errors import Unreadable
from tap_billing_reports.core.failure import Failure
from tap_billing_reports.core.redaction import clipped
from tap_billing_reports.declare.paths import value_at
from tap_billing_reports.reports.files.paged import read_whole
from tap_billing_reports.reports.keys import IN_KEYS
from tap_billing_reports.reports.per_invoice import Bounds, Subject, list_from, note_subjects

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from tap_billing_reports.declare import Account, Listed, Listing, Record, Report
    from tap_billing_reports.reports.jobs import ReportClient, ReportJob
    from tap_billing_reports.reports.state.ledger import Ledger
    from tap_billing_reports.singer.session import Session


@dataclass
class _List:
    """One reading of a list: each subject's date and record, and why others could not be read."""

    found: dict[str, tuple[date, Record]] = field(default_factory=dict)
    unreadable: list[Unreadable] = field(default_factory=list)


class ListedSubjects:
    """Reads the lists of one sync, each once.

    Args:
        session: of this sync.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._lists: dict[tuple[str, str], _List] = {}

    def enter(self, client: ReportClient, account: Account, report: Report, cadence: Listed, ledger: Ledger) -> None:
        """List the account's subjects and enter those that are new. One that cannot be read fails by itself.

        It moves no date then: the next sync lists it again.
        """
        settings = self._session.settings
        bounds = Bounds(settings.start_date, client.source_client.today(), cadence.lookback_days, None)
        entry, end = ledger.entry(account.account_id), settings.end_date
        until = bounds.today if end is None else min(bounds.today, end - timedelta(days=1))
        since = list_from(entry, bounds)
        read = (
            read_whole(lambda: _read(client, account, report, cadence.listing, since, until))
            if since <= until
            else _List()
        )
        self._lists[report.stream, account.account_id] = read
        listed = [
            Subject(number, account.account_id, day.isoformat())
            for number, (day, _record) in read.found.items()
            if day >= settings.start_date
        ]
        note_subjects(ledger, account.account_id, listed, bounds, before=end, whole=not read.unreadable)
        for error in read.unreadable:
            self._session.fail(Failure.of(error, stream=report.stream))

    def with_record(self, job: ReportJob) -> ReportJob:
        """The job with what the list says of its subject; as it is where this sync's list does not have it."""
        read = self._lists.get((job.report.stream, job.account.account_id), _List())
        if job.period.key not in read.found:
            return job
        day, record = read.found[job.period.key]
        return replace(job, period=replace(job.period, day=day, listed=record))


def _read(client: ReportClient, account: Account, report: Report, listing: Listing, since: date, until: date) -> _List:
    read, about, zone = _List(), About(client.name, account.account_id), zone_named(report.zone)
    query = listing.query(account, report, since, until)
    path = listing.path(account, report)
    for record in client.source_client.records(listing.endpoint, path=path, params=query, account=account):
        subject = value_at(record, listing.subject)
        named = str(subject) if isinstance(subject, str | int) and not isinstance(subject, bool) else ""
        try:
            if not named or IN_KEYS in named:
                raise ValueError(f"{listing.subject} is missing or no name")
            day = _day(value_at(record, listing.day), zone)
        except ValueError as error:
            said = f"an entry of the list cannot be read ({clipped(named, 80)}): {error}"
            read.unreadable.append(Unreadable(said, about=about))
            continue
        read.found.setdefault(named, (day, record))
    return read


def _day(value: object, zone: ZoneInfo) -> date:
    """The day of a date, or of an instant in the report's zone."""
    if not isinstance(value, str):
        raise ValueError("its date is missing")  # noqa: TRY004 - one error type for every refused value
    if "T" not in value:
        return parse_date(value)
    return parse_utc(value).astimezone(zone).date()
