"""Whether each period begins with the balance with which the one before it ended: `balance_goes_on`."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tap_billing_reports.reports.files.readers.tallies import ChainTally
from tap_billing_reports.singer.check import Check

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from decimal import Decimal

    from tap_billing_reports.singer.finished_run import ReadRun


class _Period(NamedTuple):
    """The balances of a period; both None where it has no rows, through which a balance passes."""

    start: datetime
    end: datetime
    opening: Decimal | None
    closing: Decimal | None
    subject: str
    run_id: str


class Balances:
    """Remembers the balances of the periods that a sync reads, in whatever order, for its end."""

    def __init__(self) -> None:
        self._read: dict[tuple[str, str, str], list[_Period]] = {}

    def note(self, read_run: ReadRun) -> None:
        """Take a period's balances, where its rows have any."""
        job, period = read_run.job, read_run.job.period
        for tally in read_run.tallies:
            if isinstance(tally, ChainTally) and period.start is not None and period.end is not None:
                subject, key = read_run.subject, (job.client.name, job.row_account, job.report.name)
                balances = tally.opening, tally.closing
                read = _Period(period.start, period.end, *balances, subject["subject"], read_run.key)
                self._read.setdefault(key, []).append(read)

    def checks(self) -> Iterator[Check]:
        """One for each period with rows that was read in this sync."""
        for (source, account_id, _report), periods in self._read.items():
            end: datetime | None = None
            closing: Decimal | None = None
            for period in sorted(periods):
                if period.start != end:
                    closing = None
                if period.opening is not None:
                    yield Check.compare(
                        closing,
                        period.opening,
                        unstated="the period before, or one of rows before it, was not read in the same sync",
                        check="balance_goes_on",
                        source=source,
                        account_id=account_id,
                        subject=period.subject,
                        run_id=period.run_id,
                    )
                    closing = period.closing
                end = period.end
