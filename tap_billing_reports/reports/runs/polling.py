"""Asks about the runs that are waited for, each when its turn has come."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tap_billing_reports.core.errors import ISOLATED, NotFound, NotYet, ReportError, RetryableError, understood
from tap_billing_reports.declare import Run, RunStatus
from tap_billing_reports.reports.answered import check_run
from tap_billing_reports.reports.jobs import Step
from tap_billing_reports.reports.not_yet import look, told_apart
from tap_billing_reports.reports.runs.queues import PendingRun, RunQueue, pause

if TYPE_CHECKING:
    from tap_billing_reports.core.clock import Clock
    from tap_billing_reports.http.responses import Answer
    from tap_billing_reports.reports.runs.ends import Ends


class Polling:
    """Moves runs from a queue's `waiting` to its `ready`, or to their ends.

    Args:
        ends: takes what comes of them.
        clock: tells when.
        deadline_seconds: how long one sync waits for one run.
    """

    def __init__(self, ends: Ends, clock: Clock, deadline_seconds: float) -> None:
        self._ends = ends
        self._clock = clock
        self._deadline = deadline_seconds

    def poll(self, queue: RunQueue) -> None:
        """Ask about those whose turn has come; waits for nothing."""
        now = self._clock.monotonic()
        for pending in [pending for pending in queue.waiting if pending.next_poll <= now]:
            try:
                ended = self._ask(queue, pending)
            except NotYet as error:
                self._ends.not_yet(pending.job, error)
                ended = True
            except ISOLATED as error:
                self._ends.failed(queue, pending, error)
                ended = True
            if ended:
                queue.waiting.remove(pending)
                # A run of one's own has ended: the next order need not wait any longer.
                queue.cool_until = 0.0

    def _ask(self, queue: RunQueue, pending: PendingRun) -> bool:
        """Whether the run is no longer to be waited for."""
        job = pending.job
        try:
            with told_apart(job.client.api):
                run = self._status(pending)
        except NotFound as error:
            self._ends.again(queue, pending, replace(pending.run, status=RunStatus.FAILED, error=str(error)))
            return True
        if run.status in {RunStatus.FAILED, RunStatus.EXPIRED}:
            self._ends.again(queue, pending, run)
            return True
        if run.status is RunStatus.READY:
            queue.put_ready(replace(pending, run=run))
            self._ends.tell(Step.READY, pending)
            return True
        now = self._clock.monotonic()
        waited = now - pending.since
        if waited > self._deadline:
            text = f"run {run.run_id} is still pending after {waited / 60:.0f} minutes; the next sync goes on with it"
            failure = job.failure(text, RetryableError.remedy)
            self._ends.put(pending.ended(run, error=failure))
            return True
        pending.next_poll = min(now + pause(waited), pending.since + self._deadline + 1)
        return False

    def _status(self, pending: PendingRun) -> Run:
        job, client, known = pending.job, pending.job.client, pending.run

        def read(answer: Answer) -> Run:
            look(client.api, answer)
            with understood(f"run {known.run_id}", ReportError):
                run = job.orders.read_status(answer, known.run_id)
            if run.status is RunStatus.UNKNOWN:
                raise ReportError(f"run {known.run_id} has an unknown shape or status ({run.source_status})")
            check_run(job, run, known.run_id)
            client.owners.claim(job.account, [run.run_id])
            return run

        path = {"run_id": known.run_id}
        run = read(client.source_client.ask(job.orders.status.of_known, path=path, account=job.account, judge=read))
        # What an answer leaves out is known from the order.
        return replace(
            run,
            report_type=run.report_type or known.report_type,
            parameters=run.parameters or known.parameters,
            created_at=run.created_at or known.created_at,
        )
