"""Order, poll, collect: many runs wait at once, each source within its own budget; one thread, one loop."""

from __future__ import annotations

from collections import Counter, deque
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tap_billing_reports.core.errors import (
    ISOLATED,
    AbsenceUnproven,
    BillingError,
    DeclarationError,
    NotFound,
    Refused,
    ReportError,
    RetryableError,
    Throttled,
    understood,
)
from tap_billing_reports.declare import Run, RunStatus
from tap_billing_reports.reports.answered import check_run
from tap_billing_reports.reports.events import Event, Listener
from tap_billing_reports.reports.jobs import Finished, LocalFile, ReportJob, Step
from tap_billing_reports.reports.runs.decisions import NOT_YET, Decider, Decision, is_given_up, what_follows
from tap_billing_reports.reports.runs.ordering import ORDERS_A_PERIOD, Orders
from tap_billing_reports.reports.runs.queues import PendingRun, RunQueue, pause
from tap_billing_reports.reports.runs.refusals import Refusals, remedy_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from tap_billing_reports.core.clock import Clock
    from tap_billing_reports.http.responses import Answer
    from tap_billing_reports.reports.files.download import Collector
    from tap_billing_reports.reports.recorder import Recorder


class Runner:
    """Turns due periods into finished ones.

    Args:
        orders: gets runs. recorder: remembers them. collector: fetches their files.
        checkpoint: called when a run's id must reach the target before it is waited for.
        deadline_seconds: how long one sync waits for one run; after that its id is kept for the next sync.
        max_new_runs: new orders for each report and sync.
        pulse: called at least once a minute while runs are waited for.
        listener: told of each transition up to the collected file.
        uninterrupted: a signal that ends the sync waits until it is left.
    """

    def __init__(
        self,
        *,
        orders: Orders,
        recorder: Recorder,
        collector: Collector,
        checkpoint: Callable[[], None],
        clock: Clock,
        deadline_seconds: float,
        max_new_runs: int,
        pulse: Callable[[], None] = lambda: None,
        listener: Listener | None = None,
        uninterrupted: Callable[[], AbstractContextManager[object]] = nullcontext,
    ) -> None:
        self._orders = orders
        self._recorder = recorder
        self._collector = collector
        self._checkpoint = checkpoint
        self._clock = clock
        self._deadline = deadline_seconds
        self._decider = Decider(orders, recorder, max_new_runs)
        self._pulse = pulse
        self._listener = listener or Listener()
        self._uninterrupted = uninterrupted
        self._tries: Counter[str] = Counter()
        self._refusals = Refusals(recorder)
        self._queues: list[RunQueue] = []
        self._ends: deque[Finished] = deque()
        self._is_taken_in = False

    def finished(self, jobs: Sequence[ReportJob]) -> Iterator[Finished]:
        """Each period once with its end: rows to read, an error, or why it was left (and failed runs between).

        A file is fetched just before it is handed out, or while the one before is taken in, so that two at a time
        are on disk. The caller takes it in, and meanwhile calls `tend` now and then.
        """
        clients = list(dict.fromkeys(job.client for job in jobs))
        self._queues = [RunQueue(client, [job for job in jobs if job.client is client]) for client in clients]
        while True:
            self.tend()
            ready = next((queue for queue in self._queues if queue.ready), None)
            if self._ends:
                yield self._ends.popleft()
            elif ready is not None:
                finished = self._collect(ready)
                if finished is not None:
                    self._is_taken_in = finished.file is not None
                    self._fetch_ahead()
                    yield finished
                    self._is_taken_in = False
            elif all(queue.is_empty for queue in self._queues):
                return
            else:
                self._wait()

    def tend(self) -> None:
        """Ask about runs and order others where that is due now; waits for nothing."""
        self._pulse()
        for queue in self._queues:
            self._poll(queue)
            self._fill(queue)
        self._fetch_ahead()

    def _fetch_ahead(self) -> None:
        """While a file is taken in, begin with the one that is next."""
        ready = next((queue.ready[0] for queue in self._queues if queue.ready), None)
        if self._is_taken_in and ready is not None and not ready.kept:
            self._collector.fetch_ahead(ready.job, ready.run)

    def _wait(self) -> None:
        moments = [moment for queue in self._queues if (moment := queue.wakes_at()) is not None]
        seconds = min(moments) - self._clock.monotonic()
        if seconds > 0:
            self._clock.sleep(seconds)

    # -- order -----------------------------------------------------------------------------------------

    def _fill(self, queue: RunQueue) -> None:
        while queue.may_order(now := self._clock.monotonic()):
            job = queue.queue.popleft()
            try:
                got = self._obtain(job, now)
            except Throttled as error:
                queue.queue.appendleft(job)
                self._cool(queue, error, now)
                break
            except ISOLATED as error:
                self._refused(queue, job, error)
                if isinstance(error, RetryableError):
                    # This order is not sent again: the wait that the vendor asks for holds for the next one.
                    self._hold(queue, error, now)
                continue
            if isinstance(got, Finished):
                self._ends.append(got)
                continue
            if got.origin is Step.ORDERED:
                queue.throttled_since = None
                self._refusals.taken(job)
            self._tell(got.origin, got)
            if job.run_id is None or got.origin in {Step.ORDERED, Step.ADOPTED}:
                # Before the next order: one whose id is lost would be ordered again.
                self._checkpoint()
            if got.kept:
                queue.ready.append(got)
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
        if decision.step is Step.DEFERRED and self._tries[str(job)]:
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
                    self._tries[str(job)] += 1
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
            self._ends.append(Finished(job, error=job.failure(error, more=more)))
        queue.queue.clear()

    def _refused(self, queue: RunQueue, job: ReportJob, error: BillingError) -> None:
        try:
            if isinstance(error, Refused) and job.client.api.out_of_range(error):
                ends = [self._out_of_range(queue, job, error)]
            else:
                ends = self._refusals.ended(queue, job, error)
        except DeclarationError as mistake:
            ends = [Finished(job, error=job.failure(error, mistake.remedy, more=f"; and then {mistake}"))]
        self._ends.extend(ends)

    def _out_of_range(self, queue: RunQueue, job: ReportJob, error: Refused) -> Finished:
        """Availability moved between reading it and ordering: look once more."""
        client, start, end = job.client, job.period.start, job.period.end
        key = f"{job} range"
        self._tries[key] += 1
        client.forget_availability(job.account, job.report.report_type)
        try:
            available = client.availability(job.account, job.report.report_type)
        except ISOLATED as problem:
            return Finished(job, error=job.failure(error, problem.remedy, more=f"; and then {problem}"))
        if available is None or start is None or end is None or self._tries[key] > 1:
            return Finished(job, error=job.failure(error))
        if end > available.end:
            return Finished(job, note=f"deferred: {NOT_YET}", step=Step.DEFERRED)
        if end <= available.start:
            return Finished(job, note="left out: the vendor does not have its data any more")
        period = replace(job.period, start=max(start, available.start))
        parameters = client.api.parameters(job.report, period)
        if parameters == job.parameters:
            return Finished(job, error=job.failure(error))
        queue.queue.appendleft(replace(job, period=period, parameters=parameters, attempt=1))
        note = "ordered again: the vendor's data begins later than it said"
        self._listener.tell(Event(Step.AGAIN, job, attempt=job.attempt, reason=note))
        return Finished(job, note=note, step=Step.AGAIN)

    # -- poll ------------------------------------------------------------------------------------------

    def _poll(self, queue: RunQueue) -> None:
        now = self._clock.monotonic()
        for pending in [pending for pending in queue.waiting if pending.next_poll <= now]:
            try:
                ended = self._ask(queue, pending)
            except ISOLATED as error:
                self._failed(queue, pending, error)
                ended = True
            if ended:
                queue.waiting.remove(pending)
                # A run of one's own has ended: the next order need not wait any longer.
                queue.cool_until = 0.0

    def _failed(self, queue: RunQueue, pending: PendingRun, error: BillingError, *, was_bad: bool = False) -> None:
        """The period has failed in this sync; its run stays, unless it could not be used too often."""
        job, run = pending.job, pending.run
        more, absent = "", isinstance(error, AbsenceUnproven)
        if was_bad or absent:
            bad = self._recorder.was_bad(job, run, self._clock.now(), absent=absent)
            if absent and is_given_up(replace(job, bad=bad)):
                self._again(queue, pending, replace(run, status=RunStatus.FAILED, error=str(error)))
                return
            more = what_follows(job, run, bad)
        failure = job.failure(error, remedy_for(job, error.remedy), more=more)
        self._ends.append(pending.ended(run, error=failure))

    def _ask(self, queue: RunQueue, pending: PendingRun) -> bool:
        """Whether the run is no longer to be waited for."""
        job = pending.job
        try:
            run = self._status(pending)
        except NotFound as error:
            self._again(queue, pending, replace(pending.run, status=RunStatus.FAILED, error=str(error)))
            return True
        if run.status is RunStatus.FAILED:
            self._again(queue, pending, run)
            return True
        if run.status is RunStatus.READY:
            queue.ready.append(replace(pending, run=run))
            self._tell(Step.READY, pending)
            return True
        now = self._clock.monotonic()
        waited = now - pending.since
        if waited > self._deadline:
            text = f"run {run.run_id} is still pending after {waited / 60:.0f} minutes; the next sync goes on with it"
            failure = job.failure(text, RetryableError.remedy)
            self._ends.append(pending.ended(run, error=failure))
            return True
        pending.next_poll = min(now + pause(waited), pending.since + self._deadline + 1)
        return False

    def _status(self, pending: PendingRun) -> Run:
        job, client, known = pending.job, pending.job.client, pending.run

        def read(answer: Answer) -> Run:
            with understood(f"run {known.run_id}", ReportError):
                run = client.api.read_status(answer, known.run_id)
            if run.status is RunStatus.UNKNOWN:
                raise ReportError(f"run {known.run_id} has an unknown shape or status ({run.source_status})")
            check_run(job, run, known.run_id)
            client.owners.claim(job.account, [run.run_id])
            return run

        path = {"run_id": known.run_id}
        run = read(
            client.source_client.ask(client.api.status, path=path, account=job.account, doubtful=True, judge=read)
        )
        # What an answer leaves out is known from the order.
        return replace(
            run,
            report_type=run.report_type or known.report_type,
            parameters=run.parameters or known.parameters,
            created_at=run.created_at or known.created_at,
        )

    def _again(self, queue: RunQueue, pending: PendingRun, run: Run) -> None:
        """The run failed or is gone: the period is due again.

        Three orders in the first sync in which that happens, one in each after it, and one a day at last.
        """
        job, attempt, tries = pending.job, pending.attempt, self._tries[str(pending.job)]
        self._recorder.dropped(job, attempt + 1, self._clock.now())
        self._orders.adoption.forget(job, run)
        reason = run.error or "the vendor gives no reason"
        if tries >= (1 if job.failed else ORDERS_A_PERIOD):
            text = f"run {run.run_id} failed ({reason}), as did the {job.failed + tries - 1} before it"
            failure = job.failure(text, remedy_for(job, ReportError.remedy))
            self._ends.append(pending.ended(run, error=failure))
            return
        queue.queue.appendleft(replace(job, run_id=None, ordered_at=None, adopted=False, attempt=attempt + 1))
        note = f"run {run.run_id} failed ({reason}); ordering again"
        self._tell(Step.AGAIN, pending, reason=note)
        self._ends.append(pending.ended(run, note=note, step=Step.AGAIN))

    # -- collect ---------------------------------------------------------------------------------------

    def _collect(self, queue: RunQueue) -> Finished | None:
        """The files of the run that has been ready longest; None when it takes another way."""
        pending = queue.ready.popleft()
        job, run = pending.job, pending.run
        files: tuple[LocalFile, ...] | None
        try:
            if pending.kept:
                files = self._collector.restore(job, run, pending.kept)
            else:
                self._orders.confirm(job)
                files = self._collector.collect(job, run)
        except NotFound as error:
            self._again(queue, pending, replace(run, error=str(error)))
            return None
        except ISOLATED as error:
            self._failed(queue, pending, error, was_bad=isinstance(error, ReportError))
            return None
        if files is None:
            # Gone or changed since: the run is asked for them again.
            self._recorder.unkept(job)
            queue.queue.appendleft(job)
            self._tell(Step.AGAIN, pending, reason="the kept file is gone or has changed")
            return None
        if not pending.kept:
            self._recorder.collected(job, run, files)
        self._tell(Step.COLLECTED, pending, files=len(files), size=sum(file.size for file in files))
        job = replace(job, previous_rows=self._recorder.earlier_rows(job, files[0]))
        return Finished(job, run, pending.origin, pending.attempt, file=files[0], extra=files[1:])

    def _tell(self, step: Step, pending: PendingRun, **facts: Any) -> None:
        self._listener.tell(Event(step, pending.job, pending.run.run_id, pending.attempt, **facts))
