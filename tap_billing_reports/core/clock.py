"""The one place that knows what time it is and how to wait; tests hand in a clock of their own."""

from __future__ import annotations

import time
from datetime import date, datetime, timezone
from zoneinfo import ZoneInfo


class Clock:
    """The machine's clock. A subclass with the same methods stands in for it in tests."""

    def now(self) -> datetime:
        """The current instant, aware, in UTC."""
        return datetime.now(timezone.utc)

    def monotonic(self) -> float:
        """Seconds that never run backwards; only differences mean anything."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait that many seconds."""
        time.sleep(seconds)

    def today(self, zone: str) -> date:
        """The current calendar day in an IANA zone."""
        return self.now().astimezone(ZoneInfo(zone)).date()


class CountingClock(Clock):
    """Another clock, and how long was waited by it.

    Attributes:
        waited: seconds of all waits so far.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.waited = 0.0

    def now(self) -> datetime:
        return self._clock.now()

    def monotonic(self) -> float:
        return self._clock.monotonic()

    def sleep(self, seconds: float) -> None:
        self._clock.sleep(seconds)
        self.waited += seconds
