"""The period that one run covers, the run and its file: whatever the vendor calls them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal
from zoneinfo import ZoneInfo

from tap_billing_reports.core.dates import parse_utc
from tap_billing_reports.declare.cadence import ALL

if TYPE_CHECKING:
    from datetime import date, datetime

    from tap_billing_reports.declare.report import Report

Format = Literal["csv", "ndjson", "xml", "xlsx", "pdf"]
"""Of a file. Rows are read from the first three."""

Parameters = Mapping[str, Any]
"""Parameters of a run: text, or a list of texts. Equal parameters are the same report."""


@dataclass(frozen=True)
class Interval:
    """Data available from `start` to `end`, aware UTC instants.

    `default_columns` are the headers of a run that asks for none, where the vendor says so in the same answer.
    """

    start: datetime
    end: datetime
    default_columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Period:
    """One period of one report: what one run covers and one ledger entry stands for.

    `listed` is what the vendor's list says of a listed subject, dated `day`, where this sync has read it.
    `key` is the calendar window's start (UTC, RFC 3339), the subject's id, or `all`; `start` and `end` are
    what is asked for (aware UTC, clamped to availability), None for subjects.
    """

    key: str
    start: datetime | None = None
    end: datetime | None = None
    subject: str | None = None
    day: date | None = field(default=None, compare=False)
    listed: Mapping[str, Any] | None = field(default=None, compare=False, repr=False)

    def days(self, zone: str) -> tuple[date, date]:
        """A window's first and last day in a zone, for vendors that ask for whole days and count both ends.

        Raises:
            ValueError: as `instants`.
        """
        return _days(*self.instants(), zone)

    def instants(self) -> tuple[datetime, datetime]:
        """A window's start and its end, which is not part of it, in UTC, for vendors that ask for instants.

        Raises:
            ValueError: it is a subject.
        """
        if self.start is None or self.end is None:
            raise ValueError(f"the period {self.key} is no window: a subject has its `key` alone")
        return self.start, self.end

    def calendar_days(self, zone: str) -> tuple[date, date] | None:
        """A window's first day by the calendar, though the vendor may have less of it, and the last one covered.

        None for a subject and for `all`, which are no calendar windows.
        """
        if self.subject is not None or self.end is None or self.key == ALL:
            return None
        return _days(parse_utc(self.key), self.end, zone)


def _days(start: datetime, end: datetime, zone: str) -> tuple[date, date]:
    """The days in a zone of an instant and of the last one before another."""
    within = end - timedelta(microseconds=1)
    return start.astimezone(ZoneInfo(zone)).date(), within.astimezone(ZoneInfo(zone)).date()


@dataclass(frozen=True)
class Ordered:
    """What a run was ordered for; a file that says something else of itself is not that run's.

    `accounts` are the one that was asked, and the one that is billed where it is another.
    """

    report: Report
    parameters: Parameters
    accounts: tuple[str, ...]


class RunStatus(StrEnum):
    """Where a run stands, whatever the vendor calls it."""

    PENDING = "pending"
    READY = "succeeded"
    FAILED = "failed"
    EXPIRED = "expired"
    """It was made, and its file is gone. The period is ordered again, as for a run that failed."""
    UNKNOWN = "unknown"
    """In a word that the declaration does not know. Shown where it is listed, never adopted; polled, it is an error."""


@dataclass(frozen=True)
class RemoteFile:
    """A result file at the vendor. `size` in bytes and `rows`, None where the vendor does not declare them."""

    file_id: str
    format: Format
    host: str = ""
    path: str = ""
    size: int | None = None
    created_at: datetime | None = None
    expires_at: datetime | None = None
    rows: int | None = None
    params: tuple[tuple[str, str], ...] = ()
    """The query, where the path is not all."""
    link: str = field(default="", repr=False)
    """Instead of host and path, for a vendor that gives links which are signed by themselves, to one of the declared
    `link_hosts`. It is a secret: no credentials go along, and it stands in no message, state or journal."""


@dataclass(frozen=True)
class Run:
    """One run as the vendor last described it."""

    run_id: str
    status: RunStatus
    source_status: str
    report_type: str = ""
    parameters: Parameters = field(default_factory=dict)
    created_at: datetime | None = None
    finished_at: datetime | None = None
    error: str | None = None
    file: RemoteFile | None = None
    further: tuple[RemoteFile, ...] = ()
    """Further files whose rows follow those of `file`. Files that are only kept are the `extra_files` of a report."""
