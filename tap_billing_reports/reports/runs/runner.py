"""Order, poll, collect: many runs wait at once, each source within its own budget; one thread, one loop."""

from __future__ import annotations

from collections import Counter, deque
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tap_billing_reports.core.errors import (
    ISOLATED,
    AbsenceUnproven,
    NotFound,
    Refused,
    ReportError,
    RetryableError,
    Throttled,
    remedy_of,
    understood,
)
from tap_billing_reports.declare import Run, RunStatus
from tap_billing_reports.reports.answered import check_run
from tap_billing_reports.reports.events import Event, Listener
from tap_billing_reports.reports.jobs import Due, Finished, Step
from tap_billing_reports.reports.runs.decisions import NOT_YET, Decider, Decision, Verb, is_given_up, what_follows
from tap_billing_reports.reports.runs.ordering import ORDERS_A_PERIOD, Orders
from tap_billing_reports.reports.runs.queues import Lane, Waiting, pause
from tap_billing_reports.reports.runs.refusals import Refusals, remedy_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from tap_billing_reports.core.clock import Clock
    from tap_billing_reports.http.responses import Answer
    from tap_billing_reports.reports.files.download import Collector
    from tap_billing_reports.reports.recorder import Book


class Runner:
    """Turns due periods into finished ones.

    Args:
        orders: gets runs. book: remembers them. collector: fetches their files.
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
        book: Book,
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
        self._book = book
        self._collector = collector
        self._checkpoint = checkpoint
        self._clock = clock
        self._deadline = deadline_seconds
        self._decider = Decider(orders, book, max_new_runs)
        self._pulse = pulse
        self._listener = listener or Listener()
        self._uninterrupted = uninterrupted
        self._tries: Counter[str] = Counter()
        self._refusals = Refusals(book)
        self._lanes: list[Lane] = []
        self._ends: deque[Finished] = deque()
        self._is_taken_in = False

    def finished(self, dues: Sequence[Due]) -> Iterator[Finished]:
        """Each period once with its end: rows to read, an error, or why it was left (and failed runs between).

        A file is fetched just before it is handed out, or while the one before is taken in, so that two at a time
        are on disk. The caller takes it in, and meanwhile calls `tend` now and then.
        """
        shops = list(dict.fromkeys(due.shop for due in dues))
        self._lanes = [Lane(shop, [due for due in dues if due.shop is shop]) for shop in shops]
        while True:
            self.tend()
            ready = next((lane for lane in self._lanes if lane.ready), None)
            if self._ends:
                yield self._ends.popleft()
            elif ready is not None:
                finished = self._collect(ready)
                if finished is not None:
                    self._is_taken_in = finished.file is not None
                    self._fetch_ahead()
                    yield finished
                    self._is_taken_in = False
            elif all(lane.is_empty for lane in self._lanes):
                return
            else:
                self._wait()

    def tend(self) -> None:
        """Ask about runs and order others where that is due now; waits for nothing."""
        self._pulse()
        for lane in self._lanes:
            self._poll(lane)
            self._fill(lane)
        self._fetch_ahead()

    def _fetch_ahead(self) -> None:
        """While a file is taken in, begin with the one that is next."""
        ready = next((lane.ready[0] for lane in self._lanes if lane.ready), None)
        if self._is_taken_in and ready is not None and not ready.kept:
            self._collector.fetch_ahead(ready.due, ready.run)

    def _wait(self) -> None:
        moments = [moment for lane in self._lanes if (moment := lane.wakes_at()) is not None]
        seconds = min(moments) - self._clock.monotonic()
        if seconds > 0:
            self._clock.sleep(seconds)

    # -- order -----------------------------------------------------------------------------------------

    def _fill(self, lane: Lane) -> None:
        while lane.may_order(now := self._clock.monotonic()):
            due = lane.queue.popleft()
            try:
                got = self._obtain(due, now)
            except Throttled as error:
                lane.queue.appendleft(due)
                self._cool(lane, error, now)
                break
            except ISOLATED as error:
                self._refused(lane, due, error)
                if isinstance(error, RetryableError):
                    # This order is not sent again: the wait that the vendor asks for holds for the next one.
                    self._hold(lane, error, now)
                continue
            if isinstance(got, Finished):
                self._ends.append(got)
                continue
            if got.origin == Verb.ORDER:
                lane.throttled_since = None
                self._refusals.taken(due)
            self._tell(Step(got.origin), got)
            if due.run_id is None or got.origin in {Verb.ORDER, Verb.ADOPT}:
                # Before the next order: one whose id is lost would be ordered again.
                self._checkpoint()
            if got.kept:
                lane.ready.append(got)
            else:
                lane.waiting.append(got)

    def _obtain(self, due: Due, now: float) -> Waiting | Finished:
        """A run to wait for, or why there is none."""
        decision = self._decider.decide(due)
        due, attempt = decision.due, decision.attempt
        if decision.unknown is not None:
            self._book.resumed(due, decision.unknown)
        if decision.is_failure and not due.report.optional:
            return Finished(
                due, error=f"{due}: not ordered: {decision.reason}", remedy=remedy_for(due, ReportError.remedy)
            )
        if decision.verb is Verb.DEFER and self._tries[str(due)]:
            text = f"{due}: its run failed, and another one is deferred: {decision.reason}"
            return Finished(due, error=text, remedy=ReportError.remedy)
        if decision.verb is Verb.DEFER:
            return Finished(due, note=f"deferred: {decision.reason}", step=Step.DEFERRED)
        if decision.verb is Verb.ORDER or decision.verb is Verb.ADOPT:
            return self._new_run(decision, now)
        assert decision.run is not None
        return Waiting(due, decision.run, decision.verb.value, attempt, now, now, decision.kept)

    def _new_run(self, decision: Decision, now: float) -> Waiting:
        """An adopted or ordered run."""
        due, found, attempt, origin = decision.due, decision.run, decision.attempt, decision.verb.value
        with ExitStack() as until_noted:
            if found is None:
                obtained = self._orders.order(
                    due,
                    attempt=attempt,
                    intended=lambda number: self._book.intended(due, number, self._clock.now()),
                    guard=lambda: self._held(until_noted),
                )
                found, origin, attempt = obtained.run, obtained.origin, obtained.attempt
                if origin == Verb.ORDER:
                    self._decider.count(due)
                    self._tries[str(due)] += 1
            found = replace(found, created_at=found.created_at or self._clock.now())
            self._book.ordered(due, found, attempt, adopted=origin == Verb.ADOPT)
        # What the vendor's answer says already may be the end of it: then the first poll is at once.
        first = now if found.status is not RunStatus.PENDING or origin == Verb.ADOPT else now + pause(0.0)
        return Waiting(due, found, origin, attempt, now, first)

    @contextmanager
    def _held(self, until: ExitStack) -> Iterator[None]:
        """Keeps signals away while an order is asked for, and after an answer until that is noted, too."""
        with ExitStack() as asking:
            asking.enter_context(self._uninterrupted())
            yield
            until.push(asking.pop_all())

    def _cool(self, lane: Lane, error: Throttled, now: float) -> None:
        """The vendor wants fewer at once: wait for a run of one's own, else longer and longer."""
        lane.throttled_since = now if lane.throttled_since is None else lane.throttled_since
        throttled_for = now - lane.throttled_since
        if throttled_for > self._deadline:
            self._give_up(lane, f"{error}; throttled for {throttled_for:.0f} s", error)
            return
        lane.cool_until = now + pause(throttled_for)
        self._hold(lane, error, now)

    def _hold(self, lane: Lane, error: RetryableError, now: float) -> None:
        """Order nothing before the time that the vendor named, and nothing at all if that is too late."""
        wait = error.retry_after or 0.0
        if wait > self._deadline:
            self._give_up(lane, f"{error}; not asked again before {wait:.0f} s have passed", error)
        lane.not_before = max(lane.not_before, now + wait)

    def _give_up(self, lane: Lane, reason: str, error: RetryableError) -> None:
        """Nothing more is ordered of this source; what is pending goes on."""
        for due in lane.queue:
            self._ends.append(Finished(due, error=f"{due}: {reason}", remedy=error.remedy))
        lane.queue.clear()

    def _refused(self, lane: Lane, due: Due, error: Exception) -> None:
        if isinstance(error, Refused) and due.shop.api.out_of_range(error):
            self._ends.append(self._out_of_range(lane, due, error))
            return
        self._ends.extend(self._refusals.ended(lane, due, error))

    def _out_of_range(self, lane: Lane, due: Due, error: Refused) -> Finished:
        """Availability moved between reading it and ordering: look once more."""
        shop, start, end = due.shop, due.period.start, due.period.end
        key = f"{due} range"
        self._tries[key] += 1
        shop.forget_availability(due.account, due.report.report_type)
        try:
            available = shop.availability(due.account, due.report.report_type)
        except ISOLATED as problem:
            return Finished(due, error=f"{due}: {error}; and then {problem}", remedy=remedy_of(problem))
        if available is None or start is None or end is None or self._tries[key] > 1:
            return Finished(due, error=f"{due}: {error}", remedy=error.remedy)
        if end > available.end:
            return Finished(due, note=f"deferred: {NOT_YET}", step=Step.DEFERRED)
        if end <= available.start:
            return Finished(due, note="left out: the vendor does not have its data any more")
        period = replace(due.period, start=max(start, available.start))
        parameters = shop.api.parameters(due.report, period)
        if parameters == due.parameters:
            return Finished(due, error=f"{due}: {error}", remedy=error.remedy)
        lane.queue.appendleft(replace(due, period=period, parameters=parameters, attempt=1))
        note = "ordered again: the vendor's data begins later than it said"
        self._listener.tell(Event(Step.AGAIN, due, attempt=due.attempt, reason=note))
        return Finished(due, note=note, step=Step.AGAIN)

    # -- poll ------------------------------------------------------------------------------------------

    def _poll(self, lane: Lane) -> None:
        now = self._clock.monotonic()
        for waiting in [waiting for waiting in lane.waiting if waiting.next_poll <= now]:
            try:
                ended = self._ask(lane, waiting)
            except ISOLATED as error:
                self._failed(lane, waiting, error)
                ended = True
            if ended:
                lane.waiting.remove(waiting)
                # A run of one's own has ended: the next order need not wait any longer.
                lane.cool_until = 0.0

    def _failed(self, lane: Lane, waiting: Waiting, error: Exception, *, was_bad: bool = False) -> None:
        """The period has failed in this sync; its run stays, unless that was no good too often."""
        due, run = waiting.due, waiting.run
        text, absent = f"{due}: {error}", isinstance(error, AbsenceUnproven)
        if was_bad or absent:
            bad = self._book.was_bad(due, run, self._clock.now(), absent=absent)
            if absent and is_given_up(replace(due, bad=bad)):
                self._again(lane, waiting, replace(run, status=RunStatus.FAILED, error=str(error)))
                return
            text += what_follows(due, run, bad)
        remedy = remedy_for(due, remedy_of(error))
        self._ends.append(Finished(due, run, waiting.origin, waiting.attempt, error=text, remedy=remedy))

    def _ask(self, lane: Lane, waiting: Waiting) -> bool:
        """Whether the run is no longer to be waited for."""
        due = waiting.due
        try:
            run = self._status(waiting)
        except NotFound as error:
            self._again(lane, waiting, replace(waiting.run, status=RunStatus.FAILED, error=str(error)))
            return True
        if run.status is RunStatus.FAILED:
            self._again(lane, waiting, run)
            return True
        if run.status is RunStatus.READY:
            lane.ready.append(replace(waiting, run=run))
            self._tell(Step.READY, waiting)
            return True
        now = self._clock.monotonic()
        waited = now - waiting.since
        if waited > self._deadline:
            text = (
                f"{due}: run {run.run_id} is still pending after {waited / 60:.0f} minutes; "
                f"the next sync goes on with it"
            )
            remedy = RetryableError.remedy
            self._ends.append(Finished(due, run, waiting.origin, waiting.attempt, error=text, remedy=remedy))
            return True
        waiting.next_poll = min(now + pause(waited), waiting.since + self._deadline + 1)
        return False

    def _status(self, waiting: Waiting) -> Run:
        due, shop, known = waiting.due, waiting.due.shop, waiting.run

        def read(answer: Answer) -> Run:
            with understood(f"run {known.run_id}", ReportError):
                run = shop.api.read_status(answer, known.run_id)
            if run.status is RunStatus.UNKNOWN:
                raise ReportError(f"run {known.run_id} has an unknown shape or status ({run.source_status})")
            check_run(due, run, known.run_id)
            return run

        path = {"run_id": known.run_id}
        run = read(shop.asker.ask(shop.api.status, path=path, account=due.account, doubtful=True, judge=read))
        # What an answer leaves out is known from the order.
        return replace(
            run,
            report_type=run.report_type or known.report_type,
            parameters=run.parameters or known.parameters,
            created_at=run.created_at or known.created_at,
        )

    def _again(self, lane: Lane, waiting: Waiting, run: Run) -> None:
        """The run failed or is gone: the period is due again.

        Three orders in the first sync in which that happens, one in each after it, and one a day at last.
        """
        due, attempt, tries = waiting.due, waiting.attempt, self._tries[str(waiting.due)]
        self._book.dropped(due, attempt + 1, self._clock.now())
        self._orders.forget(run)
        reason = run.error or "the vendor gives no reason"
        if tries >= (1 if due.failed else ORDERS_A_PERIOD):
            text = f"{due}: run {run.run_id} failed ({reason}), as did the {due.failed + tries - 1} before it"
            remedy = remedy_for(due, ReportError.remedy)
            self._ends.append(Finished(due, run, waiting.origin, attempt, error=text, remedy=remedy))
            return
        lane.queue.appendleft(replace(due, run_id=None, ordered_at=None, adopted=False, attempt=attempt + 1))
        note = f"run {run.run_id} failed ({reason}); ordering again"
        self._tell(Step.AGAIN, waiting, reason=note)
        self._ends.append(Finished(due, run, waiting.origin, attempt, note=note, step=Step.AGAIN))

    # -- collect ---------------------------------------------------------------------------------------

    def _collect(self, lane: Lane) -> Finished | None:
        """The files of the run that has been ready longest; None when it takes another way."""
        waiting = lane.ready.popleft()
        due, run = waiting.due, waiting.run
        if waiting.kept:
            files = self._collector.restore(due, run, waiting.kept)
            if files is None:
                # Gone or changed since: the run is asked for them again.
                self._book.unkept(due)
                lane.queue.appendleft(due)
                self._tell(Step.AGAIN, waiting, reason="the kept file is gone or has changed")
                return None
        else:
            try:
                files = self._collector.collect(due, run)
            except NotFound as error:
                self._again(lane, waiting, replace(run, error=str(error)))
                return None
            except ISOLATED as error:
                self._failed(lane, waiting, error, was_bad=isinstance(error, ReportError))
                return None
            self._book.collected(due, run, files)
        self._tell(Step.COLLECTED, waiting, files=len(files), size=sum(file.size for file in files))
        due = replace(due, previous_rows=self._book.earlier_rows(due, files[0]))
        return Finished(due, run, waiting.origin, waiting.attempt, file=files[0], extra=files[1:])

    def _tell(self, step: Step, waiting: Waiting, **facts: Any) -> None:
        self._listener.tell(Event(step, waiting.due, waiting.run.run_id, waiting.attempt, **facts))
