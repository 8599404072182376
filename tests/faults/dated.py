"""The Singer command as at an instant: `python -m tests.faults.dated INSTANT ARGUMENT...`.

The vendors of a fault stand still at a day. A command that goes by the machine's day would, from some day on,
find their data out of date, and end with 1 for that alone.
"""

from __future__ import annotations

import sys
from datetime import datetime, timezone
from unittest.mock import patch

from tap_billing_reports.core.clock import Clock
from tap_billing_reports.singer.tap import TapBillingReports


def main() -> None:
    """The clock begins at the instant, and goes on as the machine's does."""
    behind = datetime.now(timezone.utc) - datetime.fromisoformat(sys.argv.pop(1))
    with patch.object(Clock, "now", lambda _clock: datetime.now(timezone.utc) - behind):
        TapBillingReports.cli()


if __name__ == "__main__":
    main()
