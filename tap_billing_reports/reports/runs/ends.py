"""What becomes of a period that leaves its queue: its end, or another order."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tap_billing_reports.core.errors import AbsenceUnproven, BillingError, NotYet, ReportError
from tap_billing_reports.declare import Run, RunStatus
from tap_billing_reports.reports.events import Event, Listener
from tap_billing_reports.reports.jobs import Finished, ReportJob, Step
from tap_billing_reports.reports.runs.decisions import is_given_up, what_follows
from tap_billing_reports.reports.runs.ordering import ORDERS_A_PERIOD, Orders
from tap_billing_reports.reports.runs.refusals import remedy_for
from tap_billing_reports.reports.window_dates import midnight

if TYPE_CHECKING:
    from datetime import datetime

    from tap_billing_reports.core.clock import Clock
    from tap_billing_reports.reports.recorder import Recorder
    from tap_billing_reports.reports.runs.queues import PendingRun, RunQueue


class Ends:
    """Where ordering, polling and collecting put what comes of periods.

    Args:
        orders: forgets a run that is no good.
        recorder: remembers what has failed.
        clock: tells when.
        listener: told of each transition.

    Attributes:
        tries: by period, how many runs were ordered for it in this sync.
    """

    def __init__(self, orders: Orders, recorder: Recorder, clock: Clock, listener: Listener) -> None:
        self.tries: Counter[str] = Counter()
        self._orders = orders
        self._recorder = recorder
        self._clock = clock
        self._listener = listener
        self._ends: deque[Finished] = deque()

    def put(self, *ends: Finished) -> None:
        """Periods have come to their ends."""
        self._ends.extend(ends)

    def take(self) -> Finished | None:
        """The end that has waited longest; None where none does."""
        return self._ends.popleft() if self._ends else None

    def tell(self, step: Step, pending: PendingRun, **facts: Any) -> None:
        """A run has passed into its next state."""
        self.told(Event(step, pending.job, pending.run.run_id, pending.attempt, **facts))

    def told(self, event: Event) -> None:
        """The same, of a period without a run."""
        self._listener.tell(event)

    def not_yet(self, job: ReportJob, error: NotYet) -> None:
        """The vendor does not have the period yet: a later sync asks again. For ever, that would hide a fault."""
        now, rule, due = self._clock.now(), job.client.api.not_yet, _due_at(job)
        if rule is not None and due is not None and now - due > rule.believed_for:
            text = f"{error.message}, and it ended {(now - due).days} days ago"
            remedy = f"check the account and the address in the settings, or ask the vendor. {ReportError.remedy}"
            self.put(Finished(job, error=job.failure(text, remedy)))
            return
        self._recorder.not_yet(job, now)
        self.put(Finished(job, note=f"deferred: {error.message}", step=Step.DEFERRED))

    def failed(self, queue: RunQueue, pending: PendingRun, error: BillingError, *, was_bad: bool = False) -> None:
        """The period has failed in this sync; its run stays, unless it could not be used too often."""
        job, run = pending.job, pending.run
        more, absent = "", isinstance(error, AbsenceUnproven)
        if was_bad or absent:
            bad = self._recorder.was_bad(job, run, self._clock.now(), absent=absent)
            if absent and is_given_up(replace(job, bad=bad)):
                self.again(queue, pending, replace(run, status=RunStatus.FAILED, error=str(error)))
                return
            more = what_follows(job, run, bad)
        failure = job.failure(error, remedy_for(job, error.remedy), more=more)
        self.put(pending.ended(run, error=failure))

    def again(self, queue: RunQueue, pending: PendingRun, run: Run) -> None:
        """The run failed or is gone: the period is due again.

        Three orders in the first sync in which that happens, one in each after it, and one a day at last.
        """
        job, attempt, tries = pending.job, pending.attempt, self.tries[str(pending.job)]
        self._recorder.dropped(job, attempt + 1, self._clock.now())
        self._orders.adoption.forget(job, run)
        if run.status is RunStatus.EXPIRED:
            came_of_it = f"run {run.run_id} has expired"
        else:
            came_of_it = f"run {run.run_id} failed ({run.error or 'the vendor gives no reason'})"
        if tries >= (1 if job.failed else ORDERS_A_PERIOD):
            text = f"{came_of_it}, as did the {job.failed + tries - 1} before it"
            failure = job.failure(text, remedy_for(job, ReportError.remedy))
            self.put(pending.ended(run, error=failure))
            return
        queue.queue.appendleft(replace(job, run_id=None, ordered_at=None, adopted=False, attempt=attempt + 1))
        note = f"{came_of_it}; ordering again"
        self.tell(Step.AGAIN, pending, reason=note)
        self.put(pending.ended(run, note=note, step=Step.AGAIN))


def _due_at(job: ReportJob) -> datetime | None:
    """When a period ended, or its subject was dated."""
    day = job.period.day
    return midnight(day, job.report.zone) if day is not None else job.period.end
