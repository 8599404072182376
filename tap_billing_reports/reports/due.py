"""What one run is to cover, and what came of it: the values that pass through the life of a report."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from tap_billing_reports.declarations import (
    Account,
    Interval,
    Parameters,
    Period,
    RemoteFile,
    Report,
    ReportApi,
    Run,
)
from tap_billing_reports.errors import Unavailable
from tap_billing_reports.reading import OpenSource


@dataclass(eq=False)
class Shop:
    """A source whose reports are ordered: its door, its declaration, and what it was asked in this sync."""

    asker: OpenSource
    api: ReportApi
    _available: dict[tuple[str, str], Interval] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.asker.source.name

    def availability(self, account: Account, report_type: str) -> Interval | None:
        """What data the vendor has, asked once a sync; None where the vendor does not say."""
        if self.api.availability is None:
            return None
        key = (account.account_id, report_type)
        if key not in self._available:
            self._available[key] = self.api.availability(self.asker, account, report_type)
        return self._available[key]

    def forget_availability(self, account: Account, report_type: str) -> None:
        """Ask again next time: an order was refused as out of range."""
        self._available.pop((account.account_id, report_type), None)

    def listed_runs(self, account: Account, since: datetime) -> list[Run]:
        """The runs that the vendor lists, created at or after an instant, newest first.

        Raises:
            Unavailable: a listed run is in no known shape: adopting around it could order it twice.
        """
        api = self.api
        if api.runs is None or api.list_query is None or api.read_listed is None:
            return []
        records = self.asker.records(api.runs, params=api.list_query(since), account=account)
        try:
            return [api.read_listed(record) for record in records]
        except (ValueError, KeyError, TypeError) as error:
            raise Unavailable(
                f"{self.name} account {account.account_id}: a listed run has an unknown shape or status ({error})"
            ) from None


@dataclass(frozen=True, eq=False)
class Due:
    """One period of one report of one account, to be ordered or, with a run id, to be gone on with."""

    shop: Shop
    report: Report
    account: Account
    period: Period
    parameters: Parameters
    attempt: int = 1
    run_id: str | None = None
    ordered_at: datetime | None = None
    previous_rows: int | None = None
    """Rows that an earlier reading of this period sent; a shorter one now leaves a surplus to take back."""
    billed_account: str = ""
    """The account that the rows belong to, where it is not the one that was asked (Bring's old numbers)."""

    @property
    def row_account(self) -> str:
        return self.billed_account or self.account.account_id

    def __str__(self) -> str:
        return f"{self.report.stream} account {self.account.account_id} period {self.period.key}"


@dataclass(frozen=True)
class LocalFile:
    """A collected file: on disk until the sync ends, and where it is kept if it is."""

    path: Path
    size: int
    sha256: str
    remote: RemoteFile
    uri: str | None = None


@dataclass(frozen=True, eq=False)
class Finished:
    """What came of a due period.

    `file` is there when rows can be read; `error` when the period failed; neither when it was skipped or
    deferred, which `note` explains. `final` is False for a failed run that is ordered once more.
    """

    due: Due
    run: Run | None = None
    origin: str = "ordered"
    attempt: int = 1
    file: LocalFile | None = None
    error: str | None = None
    note: str | None = None
    final: bool = True
