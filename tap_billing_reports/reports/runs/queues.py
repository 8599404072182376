"""One source's periods on their way: those to order, those whose runs are made, those whose files are ready."""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tap_billing_reports.declare.settings import value_of
from tap_billing_reports.reports.jobs import Finished, Step

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tap_billing_reports.declare import Run
    from tap_billing_reports.reports.jobs import ReportClient, ReportJob
    from tap_billing_reports.reports.state.journal import KeptFile

SHORTEST_SECONDS = 1.0
LONGEST_SECONDS = 60.0
SHARE_OF_WAITED = 0.1
SPREAD = 0.1


def pause(waited: float, spread: Callable[[float, float], float] = random.uniform) -> float:
    """Seconds until the next poll: a tenth of the time waited, between 1 s and 60 s, plus or minus 10 %."""
    seconds = min(max(SHORTEST_SECONDS, waited * SHARE_OF_WAITED), LONGEST_SECONDS)
    return seconds * (1 + spread(-SPREAD, SPREAD))


@dataclass
class PendingRun:
    """A run in flight, from where it is got to its files.

    Attributes:
        job: what it is for.
        run: as the vendor last described it.
        origin: how it was got: ORDERED, ADOPTED, RESUMED, KEPT or FETCHED.
        attempt: the number of its order.
        kept: its files in the storage, where an earlier sync has collected them.
        since: since when it is waited for (monotonic seconds).
        next_poll: when to ask for it next.
        asked_again: its file's link had expired, and the vendor was asked for another one.
    """

    job: ReportJob
    run: Run
    origin: Step
    attempt: int
    kept: tuple[KeptFile, ...] = ()
    since: float = 0.0
    next_poll: float = 0.0
    asked_again: bool = False

    @property
    def is_looked_up(self) -> bool:
        """Whether no vendor makes anything for it: its files are kept, or there without an order."""
        return bool(self.kept) or self.origin is Step.FETCHED

    def ended(self, run: Run | None = None, **facts: Any) -> Finished:
        """What came of it; with the run as it is now, where that is newer."""
        return Finished(self.job, run or self.run, self.origin, self.attempt, **facts)


class RunQueue:
    """What one source has to do. Pending runs come first: they take their places at the vendor already."""

    def __init__(self, client: ReportClient, queue: Sequence[ReportJob]) -> None:
        self.client = client
        self.queue = deque(sorted(queue, key=lambda job: job.run_id is None))
        self.waiting: list[PendingRun] = []
        self.ready: deque[PendingRun] = deque()
        """Runs whose files can be read; changed by `put_ready` and `take_ready` alone."""
        self._looked_up = 0  # of the ready ones, those that wait for no vendor
        self.budget = max(1, value_of(client.api.budget, client.source_client.values))
        self.cool_until = 0.0
        """Not to order before, unless a run of one's own ends first."""
        self.not_before = 0.0
        """Not to order before in any case: the vendor named the time."""
        self.throttled_since: float | None = None

    @property
    def is_empty(self) -> bool:
        return not (self.queue or self.waiting or self.ready)

    @property
    def has_room(self) -> bool:
        """Whether one more may be begun: within the budget, and kept files not looked up far ahead of their use."""
        return bool(self.queue) and len(self.waiting) < self.budget and self._looked_up < self.budget

    def put_ready(self, pending: PendingRun) -> None:
        """The run's files can be read, once it is its turn."""
        self.ready.append(pending)
        self._looked_up += pending.is_looked_up

    def take_ready(self) -> PendingRun:
        """The run that has been ready longest: it is its turn."""
        pending = self.ready.popleft()
        self._looked_up -= pending.is_looked_up
        return pending

    def may_order(self, now: float) -> bool:
        return self.has_room and now >= max(self.cool_until, self.not_before)

    def wakes_at(self) -> float | None:
        """When there is something to do next (monotonic seconds), None when nothing is to be waited for."""
        moments = [pending.next_poll for pending in self.waiting]
        if self.has_room:
            moments.append(max(self.cool_until, self.not_before))
        return min(moments, default=None)
