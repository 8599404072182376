"""`report_files`: each collected file, with its size, hash, header and row count."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_billing_reports.singer.streams.report_stream import ReportStream

if TYPE_CHECKING:
    from tap_billing_reports.declare import Report
    from tap_billing_reports.singer.finished_run import ReadRun


class ReportFiles(ReportStream):
    """One record a file. It follows the rows: their number and the header are known once they are read."""

    name = "report_files"
    primary_keys = ("source", "account_id", "file_id")
    replication_key = "created_at"

    def wants(self, report: Report) -> bool:  # noqa: ARG002 - whatever the report
        return True

    def emit(self, read_run: ReadRun) -> None:
        """Send the records of a run's files."""
        self.emit_records(read_run.file_records())
