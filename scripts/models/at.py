"""A program of ours on another day: `python -m scripts.models.at INSTANT billing-reports sync ...`.

Its clock starts at that instant and goes on from there. Nothing else differs.
"""

from __future__ import annotations

import sys
import time
from datetime import datetime, timedelta

from tap_billing_reports.cli.main import main as billing_reports
from tap_billing_reports.core.clock import Clock
from tap_billing_reports.singer.tap import TapBillingReports

PROGRAMS = {"billing-reports": billing_reports, "tap-billing-reports": TapBillingReports.cli}


class ClockFrom(Clock):
    """Real time, counted from another start."""

    def __init__(self, start: datetime) -> None:
        self._start = start
        self._begun = time.monotonic()

    def now(self) -> datetime:
        return self._start + timedelta(seconds=time.monotonic() - self._begun)


def main() -> None:
    """Runs the program; the exit status is its own."""
    start, program, *words = sys.argv[1:]
    TapBillingReports.clock = ClockFrom(datetime.fromisoformat(start))
    sys.argv = [program, *words]
    PROGRAMS[program]()


if __name__ == "__main__":
    main()
