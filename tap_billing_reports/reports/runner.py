"""Order, poll, collect: many runs wait at once, each source within its own budget; one thread, one loop."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from tap_billing_reports.clock import Clock
from tap_billing_reports.declarations import Run, RunStatus
from tap_billing_reports.errors import ISOLATED, NotFound, Refused, ReportError, Throttled
from tap_billing_reports.reports.book import Book
from tap_billing_reports.reports.download import Collector
from tap_billing_reports.reports.due import Due, Finished, Shop
from tap_billing_reports.reports.ordering import ORDERS_A_PERIOD, Orders
from tap_billing_reports.reports.polling import Waiting, pause


class Lane:
    """One source's periods: those to order, and those whose runs are being made."""

    def __init__(self, shop: Shop, queue: Sequence[Due]) -> None:
        self.shop = shop
        self.queue = deque(queue)
        self.waiting: list[Waiting] = []
        self.budget = max(1, shop.api.budget(shop.asker.values))
        self.cool_until = 0.0
        """Not to order before, unless a run of one's own ends first."""
        self.not_before = 0.0
        """Not to order before in any case: the vendor named the time."""
        self.throttled_since: float | None = None

    def may_order(self, now: float) -> bool:
        ready = now >= max(self.cool_until, self.not_before)
        return bool(self.queue) and len(self.waiting) < self.budget and ready

    def wakes_at(self) -> float | None:
        """When there is something to do next (monotonic seconds), None when the lane is empty."""
        moments = [waiting.next_poll for waiting in self.waiting]
        if self.queue and len(self.waiting) < self.budget:
            moments.append(max(self.cool_until, self.not_before))
        return min(moments, default=None)


class Runner:
    """Turns due periods into finished ones.

    Args:
        orders: gets runs. book: remembers them. collector: fetches their files.
        checkpoint: called when a run's id must reach the target before it is waited for.
        deadline_seconds: how long one sync waits for one run; after that its id is kept for the next sync.
        max_new_runs: new orders for each report and sync.
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
    ) -> None:
        self._orders = orders
        self._book = book
        self._collector = collector
        self._checkpoint = checkpoint
        self._clock = clock
        self._deadline = deadline_seconds
        self._max_new = max_new_runs
        self._new: Counter[str] = Counter()
        self._tries: Counter[str] = Counter()

    def finished(self, dues: Sequence[Due]) -> Iterator[Finished]:
        """Each period once with its end: rows to read, an error, or why it was left (and failed runs between).

        The caller emits between the steps; runs go on at the vendor meanwhile.
        """
        shops = list(dict.fromkeys(due.shop for due in dues))
        lanes = [Lane(shop, [due for due in dues if due.shop is shop]) for shop in shops]
        while lanes:
            for lane in lanes:
                yield from self._fill(lane)
            lanes = [lane for lane in lanes if lane.queue or lane.waiting]
            moments = [moment for lane in lanes if (moment := lane.wakes_at()) is not None]
            if moments:
                self._wait_until(min(moments))
            for lane in lanes:
                yield from self._poll(lane)

    def _wait_until(self, moment: float) -> None:
        seconds = moment - self._clock.monotonic()
        if seconds > 0:
            self._clock.sleep(seconds)

    # -- order -----------------------------------------------------------------------------------------

    def _fill(self, lane: Lane) -> Iterator[Finished]:
        ordered = False
        while lane.may_order(now := self._clock.monotonic()):
            due = lane.queue.popleft()
            try:
                waiting = self._obtain(due, now)
            except Throttled as error:
                lane.queue.appendleft(due)
                yield from self._cool(lane, error, now)
                break
            except ISOLATED as error:
                yield from self._refused(lane, due, error)
                continue
            lane.throttled_since = None
            if isinstance(waiting, Finished):
                yield waiting
                continue
            ordered = ordered or due.run_id is None
            lane.waiting.append(waiting)
        if ordered:
            self._checkpoint()

    def _obtain(self, due: Due, now: float) -> Waiting | Finished:
        """A run to wait for, or why there is none."""
        if due.run_id is not None:
            run = Run(
                due.run_id,
                RunStatus.PENDING,
                RunStatus.PENDING.value,
                report_type=due.report.report_type,
                parameters=due.parameters,
                created_at=due.ordered_at,
            )
            return Waiting(due, run, "resumed", due.attempt, now, now)
        found, attempt = self._orders.find(due, attempt=due.attempt)
        origin = "adopted"
        if found is None:
            if self._new[due.report.stream] >= self._max_new:
                return Finished(due, note=f"deferred: more than max_new_runs={self._max_new} are due")
            if self._tries[str(due)] >= ORDERS_A_PERIOD:
                raise ReportError(f"{due}: {ORDERS_A_PERIOD} runs failed; see their errors, then run the sync again")
            obtained = self._orders.order(due, attempt=attempt)
            found, origin, attempt = obtained.run, obtained.origin, obtained.attempt
            if origin == "ordered":
                self._new[due.report.stream] += 1
                self._tries[str(due)] += 1
        at = found.created_at or self._clock.now()
        self._book.ordered(due, found.run_id, attempt, at)
        # What the vendor's answer says already may be the end of it: then the first poll is at once.
        first = now if found.status is not RunStatus.PENDING or origin == "adopted" else now + pause(0.0)
        return Waiting(due, replace(found, created_at=at), origin, attempt, now, first)

    def _cool(self, lane: Lane, error: Throttled, now: float) -> Iterator[Finished]:
        """The vendor wants fewer at once: wait for a run of one's own, else longer and longer."""
        lane.throttled_since = now if lane.throttled_since is None else lane.throttled_since
        throttled_for = now - lane.throttled_since
        if throttled_for > self._deadline:
            for due in lane.queue:
                yield Finished(due, error=f"{due}: throttled for {throttled_for:.0f} s; {error}")
            lane.queue.clear()
            return
        lane.cool_until = now + pause(throttled_for)
        lane.not_before = now + (error.retry_after or 0.0)

    def _refused(self, lane: Lane, due: Due, error: Exception) -> Iterator[Finished]:
        api = due.shop.api
        if isinstance(error, Refused) and api.out_of_range(error):
            yield self._out_of_range(lane, due, error)
            return
        note = f"refused, and optional: {error}" if isinstance(error, Refused) and due.report.optional else None
        text = None if note else f"{due}: {error}"
        yield Finished(due, error=text, note=note)
        if isinstance(error, Refused) and error.status in {401, 403, 404}:
            # Not this period but the report itself is refused: asking for its other periods is pointless.
            same = [d for d in lane.queue if d.report is due.report and d.account is due.account and d.run_id is None]
            lane.queue = deque(d for d in lane.queue if d not in same)
            for other in same:
                yield Finished(other, note=f"not ordered: {error}", final=bool(note))

    def _out_of_range(self, lane: Lane, due: Due, error: Refused) -> Finished:
        """Availability moved between reading it and ordering: look once more."""
        key = f"{due} range"
        self._tries[key] += 1
        due.shop.forget_availability(due.account, due.report.report_type)
        available = due.shop.availability(due.account, due.report.report_type)
        start, end = due.period.start, due.period.end
        if available is None or start is None or end is None or self._tries[key] > 1:
            return Finished(due, error=f"{due}: {error}")
        if end > available.end or end <= available.start:
            return Finished(due, note="deferred: the vendor does not have its data yet")
        period = replace(due.period, start=max(start, available.start))
        parameters = due.shop.api.parameters(due.report, period)
        lane.queue.appendleft(replace(due, period=period, parameters=parameters))
        return Finished(due, note="ordered again: the vendor's data begins later than it said", final=False)

    # -- poll ------------------------------------------------------------------------------------------

    def _poll(self, lane: Lane) -> Iterator[Finished]:
        now = self._clock.monotonic()
        for waiting in [waiting for waiting in lane.waiting if waiting.next_poll <= now]:
            try:
                finished = self._ask(lane, waiting)
            except ISOLATED as error:
                finished = Finished(
                    waiting.due, waiting.run, waiting.origin, waiting.attempt, error=f"{waiting.due}: {error}"
                )
            if finished is not None:
                lane.waiting.remove(waiting)
                # A run of one's own has ended: the next order need not wait any longer.
                lane.cool_until = 0.0
                yield finished

    def _ask(self, lane: Lane, waiting: Waiting) -> Finished | None:
        """None while the run is being made."""
        due = waiting.due
        try:
            run = self._status(waiting)
        except NotFound as error:
            return self._again(lane, waiting, replace(waiting.run, status=RunStatus.FAILED, error=str(error)))
        if run.status is RunStatus.FAILED:
            return self._again(lane, waiting, run)
        if run.status is RunStatus.READY:
            try:
                file = self._collector.collect(due, run)
            except NotFound as error:
                return self._again(lane, waiting, replace(run, error=str(error)))
            return Finished(due, run, waiting.origin, waiting.attempt, file=file)
        now = self._clock.monotonic()
        waited = now - waiting.since
        if waited > self._deadline:
            text = f"{due}: run {run.run_id} is still pending after {waited / 60:.0f} minutes; the next sync goes on with it"
            return Finished(due, run, waiting.origin, waiting.attempt, error=text)
        waiting.next_poll = min(now + pause(waited), waiting.since + self._deadline + 1)
        return None

    def _status(self, waiting: Waiting) -> Run:
        shop, known = waiting.due.shop, waiting.run
        answer = shop.asker.ask(shop.api.status, path={"run_id": known.run_id}, account=waiting.due.account)
        try:
            run = shop.api.read_status(answer, known.run_id)
        except (ValueError, KeyError, TypeError) as error:
            raise ReportError(f"run {known.run_id} has an unknown status or shape ({error})") from None
        # What an answer leaves out is known from the order.
        return replace(
            run,
            report_type=run.report_type or known.report_type,
            parameters=run.parameters or known.parameters,
            created_at=run.created_at or known.created_at,
        )

    def _again(self, lane: Lane, waiting: Waiting, run: Run) -> Finished:
        """The run failed or is gone: the period is due again, at most three orders in one sync."""
        due = waiting.due
        self._book.dropped(due)
        reason = run.error or "the vendor gives no reason"
        if self._tries[str(due)] >= ORDERS_A_PERIOD:
            text = f"{due}: run {run.run_id} failed ({reason}), as did the {ORDERS_A_PERIOD - 1} before it"
            return Finished(due, run, waiting.origin, waiting.attempt, error=text)
        fresh = replace(due, run_id=None, ordered_at=None, attempt=waiting.attempt + 1)
        self._orders.forget(run)
        lane.queue.appendleft(fresh)
        note = f"run {run.run_id} failed ({reason}); ordering again"
        return Finished(due, run, waiting.origin, waiting.attempt, note=note, final=False)
