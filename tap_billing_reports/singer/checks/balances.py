"""Whether each period begins with the balance with which the one before it ended: `balance_goes_on`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_billing_reports.reports.files.readers.tallies import ChainTally
from tap_billing_reports.reports.state.layout import BalanceSpan
from tap_billing_reports.reports.state.spans import joined
from tap_billing_reports.singer.check import Check

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from tap_billing_reports.reports.state.ledger import Ledger
    from tap_billing_reports.singer.finished_run import ReadRun


class Balances:
    """Holds the balances of each period that is read, in whatever order, to those of its neighbours.

    The balances of earlier syncs stand in the ledger; those of this sync join them there.
    """

    def __init__(self) -> None:
        self._alone: dict[tuple[str, str, str], str] = {}
        """Periods before which no balance is known: source, account and subject -> run."""

    def note(self, read_run: ReadRun, ledger: Ledger) -> list[Check]:
        """Take a good period's balances, where its rows hold any; a check for each place where it touches another one.

        A period that is read again was held to its neighbours before.
        """
        job, period = read_run.job, read_run.job.period
        source, account = job.client.name, job.row_account
        found: list[Check] = []
        for tally in read_run.tallies:
            if not isinstance(tally, ChainTally) or period.start is None or period.end is None:
                continue
            ends = _ends(tally)
            if ends is None:
                continue
            opening, closing = ends
            subject, run = read_run.subject["subject"], read_run.key
            span = BalanceSpan(
                start=period.start, end=period.end, opening=opening, closing=closing, subject=subject, run=run
            )
            with ledger.changing(job.account.account_id) as entry:
                spans, joints = joined(entry.balances, span)
                is_new, entry.balances = spans != entry.balances, spans
            if is_new and opening is not None:
                self._alone[source, account, subject] = run
            for joint in joints:
                self._alone.pop((source, account, joint.subject), None)
                found.append(_check(source, account, joint.subject, joint.run, joint.closing, joint.opening))
        return found

    def checks(self) -> Iterator[Check]:
        """One that cannot be made for each period of this sync before which no balance is known."""
        for (source, account, subject), run in self._alone.items():
            yield _check(source, account, subject, run, None, None)


def _ends(tally: ChainTally) -> tuple[str | None, str | None] | None:
    """The balances around a period's rows, twice None where it has no rows; None where a row lacks its own."""
    if not tally.rows:
        return None, None
    if tally.opening is None or tally.closing is None:
        return None
    return f"{tally.opening:f}", f"{tally.closing:f}"


def _check(
    source: str, account: str, subject: str, run: str, closing: Decimal | None, opening: Decimal | None
) -> Check:
    return Check.compare(
        closing,
        opening,
        unstated="the period before it, or one of rows before it, was not read",
        check="balance_goes_on",
        source=source,
        account_id=account,
        subject=subject,
        run_id=run,
    )
