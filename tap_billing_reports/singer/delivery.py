"""A report file's rows: to the target where they are selected, into the bulk lane where there is one, or both."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_billing_reports.reports.files.parquet import Layout

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_billing_reports.reports.files.parquet import BulkLane
    from tap_billing_reports.reports.files.readers import Reader
    from tap_billing_reports.singer.finished_run import ReadRun
    from tap_billing_reports.singer.streams.report_rows import ReportRows


def deliver(rows: ReportRows, read_run: ReadRun, lane: BulkLane | None, pulse: Callable[[], None]) -> None:
    """Read the file to its end, and set `read_run.parquet_uri` to where its rows are kept as Parquet.

    Every row is read and checked, also where the target gets none: the file's record and checks are about all rows.

    Args:
        rows: the file's stream, selected or not.
        read_run: its reader is open, and has read nothing but the header.
        lane: None where no rows are kept.
        pulse: called between pieces.
    """
    reader = read_run.reader
    rows.needed.check(read_run)
    keeping = None if lane is None else _Keeping(lane, rows, read_run, pulse)
    if rows.selected:
        rows.emit(read_run)
    elif keeping is not None and keeping.arrays(reader):
        return
    else:
        for _chunk in reader.chunks(None):
            pulse()
    if keeping is None:
        return
    # A reader of its own: the first one describes the rows that were sent.
    again = rows.open_reader(read_run.file, decimals_as="string")
    if not (rows.selected and keeping.arrays(again, reader.rows)):
        keeping.rows(again, reader)


class _Keeping:
    """The rows of one file on their way into the bulk lane."""

    def __init__(self, lane: BulkLane, rows: ReportRows, read_run: ReadRun, pulse: Callable[[], None]) -> None:
        job = read_run.job
        self._lane = lane
        self._path = lane.path(job.report.stream, job.row_account, job.period.key)
        self._stream, self._read_run, self._pulse = rows, read_run, pulse

    def _layout(self, reader: Reader) -> Layout:
        return Layout(self._stream.kept_columns(reader), self._read_run.constants)

    def arrays(self, reader: Reader, rows: int | None = None) -> bool:
        """In the reader's one pass; False where it has no arrays of this file."""
        uri = self._lane.keep_arrays(self._path, reader, self._layout(reader), rows=rows, pulse=self._pulse)
        self._read_run.parquet_uri = uri
        return uri is not None

    def rows(self, reader: Reader, read: Reader) -> None:
        """From the rows of `reader`, of which `read` has told how many and which columns."""
        layout = self._layout(read)
        self._read_run.parquet_uri = self._lane.keep_rows(self._path, reader, layout, rows=read.rows, pulse=self._pulse)
