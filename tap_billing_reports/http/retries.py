"""How often and when a call is tried again: full jitter, never before Retry-After, within a budget."""

from __future__ import annotations

import logging
import random
from typing import TYPE_CHECKING, TypeVar

import backoff

from tap_billing_reports.core.errors import RetryableError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from tap_billing_reports.core.clock import Clock

LONGEST_JITTER = 30.0

_T = TypeVar("_T")

logger = logging.getLogger("tap-billing-reports")


class RetryBudget:
    """Lets a vendor stumble, not lie dead: retries cost, successes pay back, an empty purse fails at once."""

    COST = 1.0
    REFUND = 0.5

    def __init__(self, capacity: float) -> None:
        self._capacity = self._purse = capacity

    def spend(self) -> bool:
        """Take one retry; False when none is left."""
        if self._purse < self.COST:
            return False
        self._purse -= self.COST
        return True

    def refund(self) -> None:
        """A call has succeeded: give half a retry back, never beyond the capacity."""
        self._purse = min(self._capacity, self._purse + self.REFUND)


class Retries:
    """Runs calls again after errors that may pass.

    Args:
        clock: waits.
        budget: shared by all calls of a source.
        tries: of one call, the first included.
        waiting_seconds: longest sum of the waits of one call; a longer one is not begun.
    """

    def __init__(self, clock: Clock, budget: RetryBudget, *, tries: int, waiting_seconds: float) -> None:
        self._clock = clock
        self._budget = budget
        self._tries = tries
        self._waiting_seconds = waiting_seconds

    def __call__(self, once: Callable[[], _T], *, hopeless: Callable[[RetryableError], bool]) -> _T:
        """The result of `once`, or its last error: after the tries, or at once when that is `hopeless`."""
        attempt = backoff.on_exception(
            self._waits,
            RetryableError,
            max_tries=self._tries,
            giveup=hopeless,  # type: ignore[arg-type] # only ever called with what is caught
            jitter=None,
            logger=None,
        )(once)
        result = attempt()
        self._budget.refund()
        return result

    def _waits(self) -> Generator[float, RetryableError, None]:
        """Waits by the injected clock itself and has backoff wait no longer; ends when out of time or budget."""
        error = yield 0.0
        spent, ceiling = 0.0, 1.0
        while self._budget.spend():
            # Jitter spreads load; it guards no secret.
            wait = random.uniform(0, ceiling) + (error.retry_after or 0.0)  # noqa: S311 - no secret hangs on it
            spent += wait
            if spent > self._waiting_seconds:
                return
            logger.info("trying again in %.1f s: %s", wait, error)
            self._clock.sleep(wait)
            ceiling = min(ceiling * 2, LONGEST_JITTER)
            error = yield 0.0
