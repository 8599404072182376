"""Klarna's emulator at a fixed moment, and syncs against it in this process."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from tests.fakes import SandboxClock
from tests.running import Result, run_tap

if TYPE_CHECKING:
    from tap_billing_reports.sandbox.core import Sandbox

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=timezone.utc)


class Klarna:
    """The emulated Klarna and a tap that reads it."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.control = sandbox.control
        self.clock = SandboxClock(sandbox.control)

    def config(self, start_date: str = "2026-10-01", **settings: Any) -> dict[str, Any]:
        return {**self.sandbox.settings(start_date), **settings}

    def run(self, config: dict[str, Any] | None = None, **more: Any) -> Result:
        """One sync; the request log is that of this sync alone."""
        self.control.forget()
        return run_tap(config or self.config(), clock=self.clock, **more)
