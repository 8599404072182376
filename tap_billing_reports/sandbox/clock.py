"""The sandbox's clock: real time that a test may move, stop and start."""

from __future__ import annotations

import threading
import time
from datetime import datetime, timedelta, timezone


class Clock:
    """Time as the emulated vendors see it: a start plus the real time elapsed plus every step made by hand.

    All instants are aware UTC datetimes. Safe to use from several threads.
    """

    def __init__(self, start: datetime | None = None) -> None:
        self._lock = threading.Lock()
        self._base = _utc(start) if start is not None else datetime.now(timezone.utc)
        self._mark: float | None = time.monotonic()
        self._advanced = 0.0
        self.start = self._base

    def now(self) -> datetime:
        with self._lock:
            return self._now()

    def advance(self, seconds: float) -> None:
        """Move by `seconds`, forward or (negative) back, frozen or not."""
        with self._lock:
            self._base += timedelta(seconds=seconds)
            self._advanced += seconds

    def elapsed(self) -> float:
        """Seconds that go on even while the clock is frozen: real time plus every step made by hand."""
        with self._lock:
            return time.monotonic() + self._advanced

    def set(self, moment: datetime) -> None:
        """Show `moment` from now on; a frozen clock stays frozen."""
        with self._lock:
            self._base = _utc(moment)
            if self._mark is not None:
                self._mark = time.monotonic()

    def freeze(self) -> None:
        with self._lock:
            self._base = self._now()
            self._mark = None

    def unfreeze(self) -> None:
        with self._lock:
            if self._mark is None:
                self._mark = time.monotonic()

    @property
    def frozen(self) -> bool:
        return self._mark is None

    def _now(self) -> datetime:
        elapsed = 0.0 if self._mark is None else time.monotonic() - self._mark
        return self._base + timedelta(seconds=elapsed)


def _utc(moment: datetime) -> datetime:
    """Raises ValueError for a datetime without a zone: guessing one would move the seeded data."""
    if moment.tzinfo is None:
        raise ValueError("the clock needs a datetime with a time zone")
    return moment.astimezone(timezone.utc)
