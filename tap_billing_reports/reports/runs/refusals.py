"""What is done about orders that the vendor refuses: one fails by itself, several in a row end its report's turn."""

from __future__ import annotations

from collections import Counter, deque
from typing import TYPE_CHECKING

from tap_billing_reports.core.errors import BillingError, Refused, RetryableError
from tap_billing_reports.declare import PerInvoice
from tap_billing_reports.reports.jobs import Finished, ReportJob

if TYPE_CHECKING:
    from tap_billing_reports.declare import Report
    from tap_billing_reports.reports.recorder import Recorder
    from tap_billing_reports.reports.runs.queues import RunQueue

# So many refusals one after the other, of one report and account: asking for its other periods is pointless.
IN_A_ROW = 3
# What an entry may call optional: wrong credentials are never meant by that.
_MAY_BE_OPTIONAL = frozenset({400, 403, 404})


def is_excused(report: Report, error: BillingError) -> bool:
    """Whether a refusal is what the report's entry calls optional: only in the vendor's own words, not a proxy's."""
    if not isinstance(error, Refused) or not report.optional:
        return False
    return error.is_vendors_word and error.status in _MAY_BE_OPTIONAL


def remedy_for(job: ReportJob, remedy: str) -> str:
    """What can be done about a period that failed: what its kind of error says, and what helps such a report."""
    api = job.client.api
    if isinstance(job.report.cadence, PerInvoice) and api.skip_setting:
        return f"{remedy}; an invoice whose lines can never be had may be named in {api.skip_setting}"
    return remedy


class Refusals:
    """Counts refusals in a row.

    Args:
        recorder: remembers what was refused, so that the next sync begins with the others.
    """

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._in_a_row: Counter[tuple[str, str]] = Counter()

    def taken(self, job: ReportJob) -> None:
        """An order was taken."""
        self._in_a_row[_report_of(job)] = 0

    def ended(self, queue: RunQueue, job: ReportJob, error: BillingError) -> list[Finished]:
        """The end of a period whose order went wrong, and of those that need not be asked for any more."""
        excused = is_excused(job.report, error)
        if excused:
            ends = [Finished(job, note=f"refused, and optional: {error}")]
        else:
            ends = [Finished(job, error=job.failure(error, remedy_for(job, error.remedy)))]
        if isinstance(error, RetryableError):
            return ends
        is_the_reports = isinstance(error, Refused) and job.client.api.refuses_report(error)
        if not is_the_reports:
            self._recorder.refused(job)
            self._in_a_row[_report_of(job)] += 1
        if is_the_reports or self._in_a_row[_report_of(job)] >= IN_A_ROW:
            # One subject's refusal excuses no other: those that were not asked for are then failures.
            untried = excused and not is_the_reports and job.report.cadence.has_subjects
            ends += self._left(queue, job, error, untried=untried)
        return ends

    @staticmethod
    def _left(queue: RunQueue, job: ReportJob, error: BillingError, *, untried: bool) -> list[Finished]:
        """The periods of the same report and account, taken from the queue."""
        same, others = list[ReportJob](), deque[ReportJob]()
        for other in queue.queue:
            is_same = _report_of(other) == _report_of(job) and other.run_id is None
            (same if is_same else others).append(other)
        queue.queue = others
        if not untried:
            return [Finished(other, note=f"not ordered: {error}") for other in same]
        said = f"not asked for, after {IN_A_ROW} refusals in a row; the next sync begins with it"
        return [Finished(other, error=other.failure(said, RetryableError.remedy)) for other in same]


def _report_of(job: ReportJob) -> tuple[str, str]:
    return job.report.stream, job.account.account_id
