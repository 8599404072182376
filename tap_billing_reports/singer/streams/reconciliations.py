"""`reconciliations`: each check of a run, an invoice or a range."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_billing_reports.core.dates import utc_text
from tap_billing_reports.singer.streams.report_stream import ReportStream

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_billing_reports.declare import Report
    from tap_billing_reports.singer.check import Check
    from tap_billing_reports.singer.finished_run import ReadRun


class Reconciliations(ReportStream):
    """Checks go out with the run they belong to; those of other streams when the lifecycle begins and ends."""

    name = "reconciliations"
    primary_keys = ("source", "account_id", "subject", "check")
    replication_key = "checked_at"

    def wants(self, report: Report) -> bool:  # noqa: ARG002 - checks alone order nothing
        return False

    def emit(self, read_run: ReadRun) -> None:
        """Send a run's own checks."""
        self.emit_records(self.records(read_run.checks))

    def records(self, checks: Iterable[Check]) -> list[dict[str, Any]]:
        """The records of some checks, stamped with the sync's clock."""
        now = utc_text(self.session.clock.now().replace(microsecond=0))
        return [check.record(now) for check in checks]
