"""Gets runs for due periods: resumed, adopted or ordered, as far as a source's budget and its throttling allow."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING

from tap_billing_reports.core.errors import (
    ISOLATED,
    BillingError,
    DeclarationError,
    NotYet,
    Refused,
    ReportError,
    RetryableError,
    Throttled,
)
from tap_billing_reports.declare import RunStatus
from tap_billing_reports.declare.not_yet import NO_DATA_YET
from tap_billing_reports.reports.events import Event
from tap_billing_reports.reports.jobs import Finished, ReportJob, Step
from tap_billing_reports.reports.runs.decisions import Decider, Decision
from tap_billing_reports.reports.runs.queues import PendingRun, RunQueue, pause
from tap_billing_reports.reports.runs.refusals import Refusals, remedy_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from tap_billing_reports.core.clock import Clock
    from tap_billing_reports.reports.recorder import Recorder
    from tap_billing_reports.reports.runs.ends import Ends
    from tap_billing_reports.reports.runs.ordering import Orders


class Filling:
    """Moves periods from a queue to its `waiting` or `ready`, or to their ends.

    Args:
        orders: gets runs. recorder: remembers them. ends: takes what comes of periods.
        checkpoint: called when a run's id must reach the target before it is waited for.
        clock: tells when.
        deadline_seconds: how long a vendor may keep orders waiting.
        max_new_runs: new orders for each report and sync.
        uninterrupted: a signal that ends the sync waits until it is left.
    """

    def __init__(
        self,
        *,
        orders: Orders,
        recorder: Recorder,
        ends: Ends,
        checkpoint: Callable[[], None],
        clock: Clock,
        deadline_seconds: float,
        max_new_runs: int,
        uninterrupted: Callable[[], AbstractContextManager[object]] = nullcontext,
    ) -> None:
        self._orders = orders
        self._recorder = recorder
        self._ends = ends
        self._checkpoint = checkpoint
        self._clock = clock
        self._deadline = deadline_seconds
        self._decider = Decider(orders, recorder, max_new_runs)
        self._refusals = Refusals(recorder)
        self._uninterrupted = uninterrupted

    def taken(self, job: ReportJob) -> None:
        """The vendor has given what was asked."""
        self._refusals.taken(job)

    def fill(self, queue: RunQueue) -> None:
        """Order and take up what may be now; waits for nothing but answers."""
        while queue.may_order(now := self._clock.monotonic()):
            job = queue.queue.popleft()
            try:
                got = self._obtain(job, now)
            except Throttled as error:
                queue.queue.appendleft(job)
                self._cool(queue, error, now)
                break
            except NotYet as error:
                self._ends.not_yet(job, error)
                continue
            except ISOLATED as error:
                self.refused(queue, job, error)
                if isinstance(error, RetryableError):
                    # This order is not sent again: the wait that the vendor asks for holds for the next one.
                    self._hold(queue, error, now)
                continue
            if isinstance(got, Finished):
                self._ends.put(got)
                continue
            if got.origin is Step.FETCHED:
                # There is nothing to wait for, and nothing yet to tell.
                queue.put_ready(got)
            else:
                self._take_up(queue, job, got)

    def _take_up(self, queue: RunQueue, job: ReportJob, got: PendingRun) -> None:
        """A run is there, to be waited for or kept."""
        if got.origin is Step.ORDERED:
            queue.throttled_since = None
            self._refusals.taken(job)
        self._ends.tell(got.origin, got)
        if job.run_id is None or got.origin in {Step.ORDERED, Step.ADOPTED}:
            # Before the next order: one whose id is lost would be ordered again.
            self._checkpoint()
        is_made = got.origin is Step.ORDERED and got.run.status is RunStatus.READY and got.run.file is not None
        if is_made:
            # The answer to the order has it all: there is nothing to ask for.
            self._ends.tell(Step.READY, got)
        if got.kept or is_made:
            queue.put_ready(got)
        else:
            queue.waiting.append(got)

    def _obtain(self, job: ReportJob, now: float) -> PendingRun | Finished:
        """A run to wait for, or why there is none."""
        owners = job.client.owners
        owners.refuse_mixed(job.account)
        decision = self._decider.decide(job)
        job, pending = decision.job, decision.pending
        if decision.unknown is not None:
            self._recorder.resumed(job, decision.unknown)
        if decision.is_failure and not job.report.optional:
            remedy = remedy_for(job, ReportError.remedy)
            return Finished(job, error=job.failure(f"not ordered: {decision.reason}", remedy))
        if decision.step is Step.DEFERRED and self._ends.tries[str(job)]:
            text = f"its run failed, and another one is deferred: {decision.reason}"
            return Finished(job, error=job.failure(text, ReportError.remedy))
        if decision.step is Step.DEFERRED:
            return Finished(job, note=f"deferred: {decision.reason}", step=Step.DEFERRED)
        if pending is None or pending.origin is Step.ADOPTED:
            return self._new_run(decision, now)
        if pending.origin is Step.RESUMED:
            owners.awaits(job.account, pending.run.created_at or self._clock.now())
        return replace(pending, since=now, next_poll=now)

    def _new_run(self, decision: Decision, now: float) -> PendingRun:
        """An adopted or ordered run."""
        job, pending = decision.job, decision.pending
        with ExitStack() as until_noted:
            if pending is None:
                pending = self._orders.order(
                    job,
                    attempt=decision.attempt,
                    intended=lambda number: self._recorder.intended(job, number, self._clock.now()),
                    guard=lambda: self._held(until_noted),
                )
                if pending.origin is Step.ORDERED:
                    self._decider.count(job)
                    self._ends.tries[str(job)] += 1
            created_at = pending.run.created_at or self._clock.now()
            found, is_adopted = replace(pending.run, created_at=created_at), pending.origin is Step.ADOPTED
            job.client.owners.claim(job.account, [found.run_id])
            job.client.owners.awaits(job.account, created_at)
            self._recorder.ordered(job, found, pending.attempt, created_at, adopted=is_adopted)
        # What the vendor's answer says already may be the end of it: then the first poll is at once.
        first = now if found.status is not RunStatus.PENDING or is_adopted else now + pause(0.0)
        return replace(pending, run=found, since=now, next_poll=first)

    @contextmanager
    def _held(self, until: ExitStack) -> Iterator[None]:
        """Keeps signals away while an order is asked for, and after an answer until that is noted, too."""
        with ExitStack() as asking:
            asking.enter_context(self._uninterrupted())
            yield
            until.push(asking.pop_all())

    def _cool(self, queue: RunQueue, error: Throttled, now: float) -> None:
        """The vendor wants fewer at once: wait for a run of one's own, else longer and longer."""
        queue.throttled_since = now if queue.throttled_since is None else queue.throttled_since
        throttled_for = now - queue.throttled_since
        if throttled_for > self._deadline:
            self._give_up(queue, error, f"; throttled for {throttled_for:.0f} s")
            return
        queue.cool_until = now + pause(throttled_for)
        self._hold(queue, error, now)

    def _hold(self, queue: RunQueue, error: RetryableError, now: float) -> None:
        """Order nothing before the time that the vendor named, and nothing at all if that is too late."""
        wait = error.retry_after or 0.0
        if wait > self._deadline:
            self._give_up(queue, error, f"; not asked again before {wait:.0f} s have passed")
        queue.not_before = max(queue.not_before, now + wait)

    def _give_up(self, queue: RunQueue, error: RetryableError, more: str) -> None:
        """Nothing more is ordered of this source; what is pending goes on."""
        for job in queue.queue:
            self._ends.put(Finished(job, error=job.failure(error, more=more)))
        queue.queue.clear()

    def refused(self, queue: RunQueue, job: ReportJob, error: BillingError) -> None:
        """The vendor has refused a period: its end, and that of others that need not be asked for any more."""
        try:
            if isinstance(error, Refused) and job.client.api.out_of_range(error):
                ends = [self._out_of_range(queue, job, error)]
            else:
                ends = self._refusals.ended(queue, job, error)
        except DeclarationError as mistake:
            ends = [Finished(job, error=job.failure(error, mistake.remedy, more=f"; and then {mistake}"))]
        self._ends.put(*ends)

    def _out_of_range(self, queue: RunQueue, job: ReportJob, error: Refused) -> Finished:
        """Availability moved between reading it and ordering: look once more."""
        client, start, end = job.client, job.period.start, job.period.end
        key = f"{job} range"
        self._ends.tries[key] += 1
        client.forget_availability(job.account, job.report.report_type)
        try:
            available = client.availability(job.account, job.report.report_type)
        except ISOLATED as problem:
            return Finished(job, error=job.failure(error, problem.remedy, more=f"; and then {problem}"))
        if available is None or start is None or end is None or self._ends.tries[key] > 1:
            return Finished(job, error=job.failure(error))
        if end > available.end:
            return Finished(job, note=f"deferred: {NO_DATA_YET}", step=Step.DEFERRED)
        if end <= available.start:
            return Finished(job, note="left out: the vendor does not have its data any more")
        period = replace(job.period, start=max(start, available.start))
        parameters = client.api.parameters(job.report, period)
        if parameters == job.parameters:
            return Finished(job, error=job.failure(error))
        queue.queue.appendleft(replace(job, period=period, parameters=parameters, attempt=1))
        note = "ordered again: the vendor's data begins later than it said"
        self._ends.told(Event(Step.AGAIN, job, attempt=job.attempt, reason=note))
        return Finished(job, note=note, step=Step.AGAIN)
