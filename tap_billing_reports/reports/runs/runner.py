"""Order, poll, collect: many runs wait at once, each source within its own budget; one thread, one loop."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING

from tap_billing_reports.core.errors import (
    ISOLATED,
    BillingError,
    LinkRefused,
    NotFound,
    NotYet,
    Refused,
    ReportError,
)
from tap_billing_reports.reports.events import Listener
from tap_billing_reports.reports.jobs import Collected, Finished, LocalFile, ReportJob, Step
from tap_billing_reports.reports.not_yet import told_apart
from tap_billing_reports.reports.runs.ends import Ends
from tap_billing_reports.reports.runs.filling import Filling
from tap_billing_reports.reports.runs.polling import Polling
from tap_billing_reports.reports.runs.queues import PendingRun, RunQueue
from tap_billing_reports.reports.runs.refusals import remedy_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from tap_billing_reports.core.clock import Clock
    from tap_billing_reports.reports.files.download import Collector
    from tap_billing_reports.reports.recorder import Recorder
    from tap_billing_reports.reports.runs.ordering import Orders


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
        self._clock = clock
        self._pulse = pulse
        self._ends = Ends(orders, recorder, clock, listener or Listener())
        self._polling = Polling(self._ends, clock, deadline_seconds)
        self._filling = Filling(
            orders=orders,
            recorder=recorder,
            ends=self._ends,
            checkpoint=checkpoint,
            clock=clock,
            deadline_seconds=deadline_seconds,
            max_new_runs=max_new_runs,
            uninterrupted=uninterrupted,
        )
        self._queues: list[RunQueue] = []
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
            if (end := self._ends.take()) is not None:
                yield end
            elif ready is not None:
                collected = self._collect(ready)
                if collected is not None:
                    self._is_taken_in = True
                    self._fetch_ahead()
                    yield collected
                    self._is_taken_in = False
            elif all(queue.is_empty for queue in self._queues):
                return
            else:
                self._wait()

    def tend(self) -> None:
        """Ask about runs and order others where that is due now; waits for nothing."""
        self._pulse()
        for queue in self._queues:
            self._polling.poll(queue)
            self._filling.fill(queue)
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

    def _collect(self, queue: RunQueue) -> Collected | None:
        """The files of the run that has been ready longest; None when it takes another way."""
        pending = queue.take_ready()
        job, run = pending.job, pending.run
        files: tuple[LocalFile, ...] | None
        try:
            if pending.kept:
                files = self._collector.restore(job, run, pending.kept)
            else:
                self._orders.confirm(job)
                with told_apart(job.client.api):
                    files = self._collector.collect(job, run, self.tend)
        except NotYet as error:
            self._ends.not_yet(job, error)
            return None
        except ISOLATED as error:
            self._not_collected(queue, pending, error)
            return None
        if files is None:
            # Gone or changed since: the run is asked for them again.
            self._recorder.unkept(job)
            queue.queue.appendleft(job)
            self._ends.tell(Step.AGAIN, pending, reason="the kept file is gone or has changed")
            return None
        if pending.origin is Step.FETCHED:
            self._filling.taken(job)
            self._recorder.fetched(job, run, pending.attempt, run.created_at or self._clock.now(), files)
            self._ends.tell(Step.FETCHED, pending)
        elif not pending.kept:
            self._recorder.collected(job, run, files)
        every = [part for file in files for part in file.of_rows]
        self._ends.tell(Step.COLLECTED, pending, files=len(every), size=sum(file.size for file in every))
        job = replace(job, previous_rows=self._recorder.earlier_rows(job, files[0]))
        return Collected(job, origin=pending.origin, attempt=pending.attempt, run=run, file=files[0], extra=files[1:])

    def _not_collected(self, queue: RunQueue, pending: PendingRun, error: BillingError) -> None:
        job, run = pending.job, pending.run
        if pending.origin is not Step.FETCHED:
            if isinstance(error, NotFound):
                self._ends.again(queue, pending, replace(run, error=str(error)))
            elif isinstance(error, LinkRefused) and not pending.asked_again:
                # The run's status brings a link of today.
                now = self._clock.monotonic()
                queue.waiting.append(replace(pending, asked_again=True, since=now, next_poll=now))
            else:
                self._ends.failed(queue, pending, error, was_bad=isinstance(error, ReportError))
        elif isinstance(error, Refused):
            self._filling.refused(queue, job, error)
        else:
            # There is no run that could be no good: the next sync asks anew.
            self._ends.put(Finished(job, error=job.failure(error, remedy_for(job, error.remedy))))
