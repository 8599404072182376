"""What is done about a due period: decided here alone, for the sync that does it and for the plan that shows it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from tap_billing_reports.declare import OrderedRuns, Run, RunStatus
from tap_billing_reports.declare.not_yet import NO_DATA_YET
from tap_billing_reports.reports.jobs import Step
from tap_billing_reports.reports.recorder import READINGS
from tap_billing_reports.reports.runs.fetched import run_of
from tap_billing_reports.reports.runs.queues import PendingRun

if TYPE_CHECKING:
    from tap_billing_reports.reports.jobs import ReportJob
    from tap_billing_reports.reports.recorder import Recorder
    from tap_billing_reports.reports.runs.ordering import Orders
    from tap_billing_reports.reports.state.journal import Note

# After so many runs that came to nothing, the next one is ordered only so long after the last one. One that has expired
# is among them: the vendor could make it, but each order may cost, and if nobody can fetch it in time ten times in a
# row, the eleventh is no better.
MANY_FAILED = 10
PAUSE = timedelta(days=1)


@dataclass(frozen=True, eq=False)
class Decision:
    """What is done about a period.

    Attributes:
        step: KEPT: read the kept file; FETCHED: read what is there without an order; RESUMED: go on with a run;
            ADOPTED: take a listed one; ORDERED: order one; DEFERRED: leave it for now.
        job: the period with what the journal adds to it.
        attempt: the number of its run, or of the order that is to go out.
        pending: the run that is read, resumed or adopted; None where there is none yet.
        unknown: the journal's note of a run that the ledger does not know.
        reason: why it is deferred.
        is_failure: it is deferred because it failed too often, which is to be said as a failure.
    """

    step: Step
    job: ReportJob
    attempt: int
    pending: PendingRun | None = None
    unknown: Note | None = None
    reason: str = ""
    is_failure: bool = False


class Decider:
    """Decides, and changes nothing; asks the vendor for listed runs and availability at most.

    Args:
        orders: finds listed runs. recorder: knows what the journal says.
        max_new_runs: new orders for each report and sync, counted by `count`.
    """

    def __init__(self, orders: Orders, recorder: Recorder, max_new_runs: int) -> None:
        self._orders = orders
        self._recorder = recorder
        self._max_new = max_new_runs
        self._new: Counter[str] = Counter()

    def count(self, job: ReportJob) -> None:
        """A run was ordered for the period."""
        self._new[job.report.stream] += 1

    def decide(self, job: ReportJob) -> Decision:
        """What is to be done now.

        Raises:
            As `Orders.find` and `ReportClient.availability`.
        """
        job, note = self._recorder.recall(job)
        attempt, unknown = job.attempt, None
        if note is not None:
            attempt = max(attempt, note.attempt)
            if note.run is not None:
                unknown = note if note.run.run_id != job.run_id else None
                bad = note.bad if unknown is not None else max(note.bad, job.bad)
                job = replace(job, run_id=note.run.run_id, attempt=attempt, ordered_at=note.at, adopted=note.adopted)
                job = replace(job, bad=bad, bad_since=note.bad_since or job.bad_since)
                if (kept := note.kept_run(job)) is not None:
                    return _decided(PendingRun(job, kept, Step.KEPT, attempt, note.files), unknown)
        if not isinstance(retrieval := job.retrieval, OrderedRuns):
            run = run_of(job, retrieval, self._orders.adoption.now())
            return _decided(PendingRun(job, run, Step.FETCHED, attempt), unknown)
        if job.run_id is not None and not is_given_up(job):
            return _decided(PendingRun(job, _pending(job, job.run_id), Step.RESUMED, attempt), unknown)
        if job.run_id is not None:
            job = replace(job, run_id=None, ordered_at=None, adopted=False, given_up=job.run_id)
            attempt += 1
        adoption = self._orders.adoption
        found, attempt = adoption.find(job, attempt=attempt)
        if found is not None:
            return _decided(PendingRun(job, found, Step.ADOPTED, attempt))
        if job.failed >= MANY_FAILED and job.failed_at is not None and adoption.now() < job.failed_at + PAUSE:
            reason = f"{job.failed} runs have failed or expired, the last one less than a day ago"
            return Decision(Step.DEFERRED, job, attempt, reason=reason, is_failure=True)
        reason = self._hindrance(job)
        return Decision(Step.DEFERRED if reason else Step.ORDERED, job, attempt, reason=reason)

    def _hindrance(self, job: ReportJob) -> str:
        """Why no run is ordered now; empty if nothing is in the way."""
        if self._new[job.report.stream] >= self._max_new:
            return f"more than max_new_runs={self._max_new} are due"
        available = job.client.availability(job.account, job.report.report_type)
        if available is not None and job.period.end is not None and job.period.end > available.end:
            return NO_DATA_YET
        return ""


def _decided(pending: PendingRun, unknown: Note | None = None) -> Decision:
    return Decision(pending.origin, pending.job, pending.attempt, pending, unknown)


def is_given_up(job: ReportJob) -> bool:
    """Whether the run could not be used too often, and another one is free or allowed by the settings."""
    return job.bad >= READINGS and job.client.may_order_anew


def what_follows(job: ReportJob, run: Run, bad: int) -> str:
    """What happens to a run that could not be used so many times; the end of a message."""
    if bad < READINGS or not job.is_ordered:
        return ""
    said = f"; run {run.run_id} could not be used {bad} times"
    if job.client.may_order_anew:
        return f"{said} and is given up: the next sync orders another"
    if setting := job.orders.reorder_setting:
        return f"{said}: with {setting} the next sync orders another, which may cost"
    return f"{said}: a full refresh of {job.report.stream} with reuse_runs_since set to now orders another"


def _pending(job: ReportJob, run_id: str) -> Run:
    return Run(
        run_id,
        RunStatus.PENDING,
        RunStatus.PENDING.value,
        report_type=job.report.report_type,
        parameters=job.parameters,
        created_at=job.ordered_at,
    )
