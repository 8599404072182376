"""Clocks that tests hand to the tap in place of the machine's."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from tap_billing_reports.clock import Clock

if TYPE_CHECKING:
    from tap_billing_reports.sandbox.control import Control


class SandboxClock(Clock):
    """The sandbox's clock: waiting moves it, so that runs are made while nobody really waits.

    Attributes:
        slept: seconds of each wait.
    """

    def __init__(self, control: Control) -> None:
        self._control = control
        self._elapsed = 0.0
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self._control.now()

    def monotonic(self) -> float:
        # Not the sandbox's instant: its microseconds would round a short wait to none.
        return self._elapsed

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self._elapsed += seconds
        self._control.advance(seconds)


class FakeClock(Clock):
    """Stands still but for its own sleeps and for what a test moves it by.

    Attributes:
        slept: seconds of each wait.
    """

    def __init__(self, start: datetime = datetime(2026, 11, 20, 9, 30, tzinfo=timezone.utc)) -> None:
        self._start = start
        self._passed = 0.0
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._passed)

    def monotonic(self) -> float:
        return self._passed

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        """Let time pass without anybody waiting."""
        self._passed += seconds
