"""A vendor's emulator at a fixed moment, and syncs against it in this process."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, ClassVar

from tests.fakes import SandboxClock
from tests.running import Result, run_tap

if TYPE_CHECKING:
    from tap_billing_reports.sandbox.core import Sandbox

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=timezone.utc)


class Emulated:
    """The emulated vendor and a tap that reads it."""

    start_date: ClassVar[str] = "2026-10-01"

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.control = sandbox.control
        self.clock = SandboxClock(sandbox.control)

    def config(self, start_date: str | None = None, **settings: Any) -> dict[str, Any]:
        return {**self.sandbox.settings(start_date or self.start_date), **settings}

    def run(self, config: dict[str, Any] | None = None, **more: Any) -> Result:
        """One sync; the request log is that of this sync alone."""
        self.control.forget()
        return run_tap(config or self.config(), clock=self.clock, **more)

    def asked(self, part: str) -> list[dict[str, Any]]:
        """The requests whose path contains `part`."""
        return [entry for entry in self.control.requests() if part in entry["path"]]
