"""What one run is to cover, and what came of it: the values that pass through the life of a report."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING

from tap_billing_reports.core.about import About
from tap_billing_reports.core.errors import ISOLATED, Unavailable, Unreadable, understood
from tap_billing_reports.core.failure import Failure
from tap_billing_reports.declare import OrderedRuns
from tap_billing_reports.declare.client import map_fields
from tap_billing_reports.reports import keys
from tap_billing_reports.reports.run_owners import RunOwners
from tap_billing_reports.storage.packing import plain_path

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from tap_billing_reports.core.errors import BillingError
    from tap_billing_reports.declare import (
        Account,
        Interval,
        Parameters,
        Period,
        RemoteFile,
        Report,
        ReportApi,
        Retrieval,
        Run,
    )
    from tap_billing_reports.declare.client import HttpSourceClient
    from tap_billing_reports.storage.packing import Packing


class Step(StrEnum):
    """A transition of a period; the first five are how a run is got."""

    ORDERED = "ordered"
    ADOPTED = "adopted"
    RESUMED = "resumed"
    KEPT = "kept"
    FETCHED = "fetched"
    """There without an order."""
    READY = "ready"
    COLLECTED = "collected"
    EMITTED = "emitted"
    DONE = "done"
    FAILED = "failed"
    AGAIN = "again"
    """The run failed or is gone, or its kept file is: the period is on its way once more."""
    DEFERRED = "deferred"
    """Due, and left to a later sync."""
    LEFT = "left"
    """Not ordered, for a reason that a later sync will meet too."""


GOT = frozenset({Step.ORDERED, Step.ADOPTED, Step.RESUMED, Step.KEPT, Step.FETCHED})
ENDS = frozenset({Step.DONE, Step.FAILED, Step.DEFERRED, Step.LEFT})


def fingerprint(report_type: str, parameters: Parameters) -> str:
    """Equal for runs of the same report with the same parameters, whatever their order."""
    return json.dumps([report_type, dict(parameters)], sort_keys=True)


@dataclass(eq=False)
class ReportClient:
    """A source whose reports are ordered: its client, its declaration, and what it was asked in this sync."""

    source_client: HttpSourceClient
    api: ReportApi
    _available: dict[tuple[str, str], Interval] = field(default_factory=dict)
    offered: dict[str, set[str] | None] = field(default_factory=dict)
    """Account -> the types of its list; None where the list could not be had in this sync."""
    owners: RunOwners = field(init=False)

    def __post_init__(self) -> None:
        self.owners = RunOwners(self.source_client.source)

    @property
    def name(self) -> str:
        return self.source_client.source.name

    @property
    def realm(self) -> dict[str, str]:
        """Where its data come from, as far as it is known."""
        return self.source_client.realm

    @cached_property
    def orders(self) -> OrderedRuns | None:
        """How its runs are ordered and listed; None where no report is ordered."""
        return self.api.orders(self.source_client.values)

    @property
    def lists_runs(self) -> bool:
        """Whether the vendor lists them."""
        return self.orders is not None and self.orders.runs is not None

    @property
    def may_order_anew(self) -> bool:
        """Whether another run may be ordered for one that cannot be used: it is free, or the settings allow it."""
        if self.orders is None:
            return False
        setting = self.orders.reorder_setting
        return self.orders.orders_are_free or (bool(setting) and bool(self.source_client.values.get(setting)))

    def availability(self, account: Account, report_type: str) -> Interval | None:
        """What data the vendor has, asked once a sync; None where the vendor does not say."""
        if self.api.availability is None:
            return None
        key = (account.account_id, report_type)
        if key not in self._available:
            with understood(f"the type {report_type}", Unreadable, About(self.name, account.account_id)):
                self._available[key] = self.api.availability(self.source_client, account, report_type)
        return self._available[key]

    def default_columns(self, account: Account, report_type: str, *, ask: bool) -> tuple[str, ...] | None:
        """The headers of a file for which no columns were asked; none where the vendor names none.

        Args:
            account: the account whose file it is.
            report_type: the vendor's name of the type.
            ask: whether the vendor may be asked. If not, and nobody has asked in this sync: None.
        """
        if self.api.availability is not None and not ask and (account.account_id, report_type) not in self._available:
            return None
        available = self.availability(account, report_type)
        return () if available is None else available.default_columns

    def forget_availability(self, account: Account, report_type: str) -> None:
        """Ask again next time: an order was refused as out of range."""
        self._available.pop((account.account_id, report_type), None)

    def offers(self, account: Account, report_type: str) -> bool:
        """Whether the account's own list has the type, asked once a sync; true where it cannot be had."""
        types, number = self.source_client.source.report_types, account.account_id
        if not self.api.only_listed or types is None:
            return True
        if number not in self.offered:
            self.offered[number] = None
            with suppress(*ISOLATED, ValueError):
                records = self.source_client.records(types.endpoint, path=types.path(account), account=account)
                self.offered[number] = {str(map_fields(types.fields, record).get("report_type")) for record in records}
        found = self.offered[number]
        # Where the list cannot be had, the order itself will tell.
        return found is None or report_type in found

    def listed_runs(self, account: Account, since: datetime) -> list[Run]:
        """The runs that the vendor lists, created at or after an instant, newest first.

        Raises:
            Unavailable: a listed run is in no known shape: adopting around it could order it twice.
            Misplaced: one of them is another account's.
        """
        orders = self.orders
        if orders is None or orders.runs is None or orders.read_listed is None:
            return []
        records = self.source_client.records(orders.runs, params=orders.list_query(since), account=account)
        with understood("a listed run", Unavailable, About(self.name, account.account_id)):
            runs = [orders.read_listed(record) for record in records]
        self.owners.claim(account, (run.run_id for run in runs))
        return runs


@dataclass(frozen=True, eq=False)
class ReportJob:
    """One period of one report of one account, to be ordered or, with a run id, to be resumed."""

    client: ReportClient
    report: Report
    account: Account
    period: Period
    parameters: Parameters
    attempt: int = 1
    run_id: str | None = None
    ordered_at: datetime | None = None
    adopted: bool = False
    """The run to resume was found at the vendor, not ordered by us."""
    known_run: str | None = None
    """The run whose rows the ledger holds as the last good reading: another reading needs a newer one."""
    read_at: str = ""
    """When the last good reading was ordered, as text that sorts; empty if there is none."""
    previous_rows: int | None = None
    """Rows that earlier readings of this period may have sent; a shorter one now leaves a surplus to take back."""
    bad: int = 0
    """In how many syncs the run to resume could not be used; see `decisions`."""
    bad_since: datetime | None = None
    given_up: str | None = None
    """A run that could not be used too often: it is not adopted again."""
    failed: int = 0
    """Runs of this period that have failed since it was last read, in earlier syncs."""
    failed_at: datetime | None = None
    refused: int = 0
    """How often its order was refused since then."""
    not_yet: datetime | None = None
    """When the vendor said last that it does not have the period yet."""
    old_key: int | None = None
    """The number of an order that may have gone out under a key that did not tell realms apart: it keeps that key."""
    billed_account: str = ""
    """The account that the rows belong to, where it is not the one that was asked (Bring's old numbers)."""

    @property
    def row_account(self) -> str:
        return self.billed_account or self.account.account_id

    @property
    def rank(self) -> tuple[bool, str, int, str]:
        """Its place among a report's.

        Runs that exist come first, then what was never read, then what was read longest ago; of those, what has
        failed less often, then what is older. Else `max_new_runs` would serve the same accounts, the same windows
        of a look-back, or what fails each time, sync after sync.
        """
        key = "" if self.period.start is None else self.period.key
        return self.run_id is None, self.read_at, self.attempt + self.failed + self.refused, key

    @property
    def key(self) -> str:
        """How the period stands in its account's ledger entry."""
        return keys.subject_key(self.period.key, self.row_account, self.account.account_id)

    @property
    def retrieval(self) -> Retrieval:
        """How it is got."""
        return self.client.api.retrieval_of(self.report)

    @property
    def is_ordered(self) -> bool:
        """Whether its runs are ordered."""
        return isinstance(self.retrieval, OrderedRuns)

    @property
    def orders(self) -> OrderedRuns:
        """How its runs are ordered; for reports that are."""
        retrieval = self.retrieval
        assert isinstance(retrieval, OrderedRuns)
        return retrieval

    @property
    def about(self) -> About:
        """Whose data it reads."""
        return About(self.client.name, self.account.account_id)

    def failure(
        self, cause: BillingError | str, remedy: str | None = None, *, run: str = "", more: str = ""
    ) -> Failure:
        """That the period has failed, for a cause that does not name it; arguments as for `Failure.of`."""
        stream, period = self.report.stream, self.key
        return Failure.of(cause, self.about, stream=stream, period=period, run=run, more=more, remedy=remedy)

    def __str__(self) -> str:
        return f"{self.report.stream} account {self.account.account_id} period {self.key}"


@dataclass(frozen=True)
class LocalFile:
    """A collected file: on disk until the sync ends, and where it is kept if it is.

    `size` and `sha256` are of what arrived, which is at `path`; `packing` says how that is packed.
    """

    path: Path
    size: int
    sha256: str
    remote: RemoteFile
    uri: str | None = None
    packing: Packing = ""
    further: tuple[LocalFile, ...] = ()
    """Further files of the run whose rows follow this one's."""

    @property
    def of_rows(self) -> tuple[LocalFile, ...]:
        """All files whose rows are the run's."""
        return (self, *self.further)

    @property
    def mark(self) -> str:
        """Tells the rows apart from those of any other files."""
        if not self.further:
            return self.sha256[:16]
        return hashlib.sha256("".join(file.sha256 for file in self.of_rows).encode()).hexdigest()[:16]

    @property
    def plain(self) -> Path:
        """What is read: the file itself, or what was unpacked of it."""
        return plain_path(self.path) if self.packing else self.path

    @property
    def plain_size(self) -> int:
        """The bytes of what is read."""
        return self.plain.stat().st_size if self.packing else self.size


@dataclass(frozen=True, eq=False)
class Finished:
    """What came of a due period.

    `error` when the period failed; without it the period was left, deferred or is ordered once more, which `note`
    explains and `step` tells apart. Where its rows can be read, it is a `Collected`.

    `origin` says how its run was got: ORDERED, ADOPTED (found at the vendor), RESUMED (ordered by an earlier
    sync), KEPT (its file was still in the storage, nothing was asked of the vendor), FETCHED (without an order).
    """

    job: ReportJob
    run: Run | None = None
    origin: Step = Step.ORDERED
    attempt: int = 1
    error: Failure | None = None
    note: str | None = None
    step: Step = Step.LEFT
    """What an end without rows and error is: LEFT, DEFERRED or AGAIN."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Collected(Finished):
    """A due period whose run has succeeded and whose files are here: `file` that of the rows, and `extra` ones."""

    run: Run
    file: LocalFile
    extra: tuple[LocalFile, ...] = ()

    @property
    def files(self) -> tuple[LocalFile, ...]:
        """All files of the run, those of the rows first."""
        return (*self.file.of_rows, *self.extra)
