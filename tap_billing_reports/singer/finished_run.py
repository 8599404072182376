"""One finished run that is being sent: its reader, its checks, and what the records of all streams are made from."""

from __future__ import annotations

from decimal import Decimal
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from tap_billing_reports.core.dates import date_text, utc_text
from tap_billing_reports.core.json_text import to_json
from tap_billing_reports.declare import PerInvoice
from tap_billing_reports.reports.files.parquet import ROW_NUMBER, row_numbers
from tap_billing_reports.reports.files.readers import ArrayChunk
from tap_billing_reports.reports.files.readers.joined import parts_of
from tap_billing_reports.reports.jobs import Step
from tap_billing_reports.singer.check import Check

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from tap_billing_reports.declare import Run
    from tap_billing_reports.reports.files.readers import Reader, RowChunk
    from tap_billing_reports.reports.files.readers.tallies import Tally
    from tap_billing_reports.reports.jobs import Collected, Finished, LocalFile


def utc_or_none(moment: Any) -> str | None:
    """An instant as text, whole seconds; None stays None."""
    return None if moment is None else utc_text(moment.replace(microsecond=0))


def _sum(counts: Iterable[int | None]) -> Decimal | None:
    """The sum of counts, None where one of them is not known."""
    known = [*counts]
    return None if None in known else Decimal(sum(count for count in known if count is not None))


class FinishedRun:
    """A finished run, whatever came of it: what its record is made from."""

    def __init__(self, finished: Finished, run: Run) -> None:
        self.finished = finished
        self.job = finished.job
        self.run = run

    @property
    def key(self) -> str:
        """Names the run for the SDK's context; no secret, no vendor text beyond the id."""
        return self.run.run_id

    @property
    def _origin(self) -> str:
        if not self.job.is_ordered:
            return "fetched"
        return "adopted" if self.finished.origin is Step.ADOPTED or self.job.adopted else "ordered"

    def run_record(self) -> dict[str, Any]:
        """The record of the stream `report_runs`."""
        run, job, failure = self.run, self.job, self.finished.error
        return {
            "source": job.client.name,
            "account_id": job.account.account_id,
            "run_id": run.run_id,
            "report_type": run.report_type,
            "report_name": job.report.name,
            "period": job.period.key,
            "window_end": utc_or_none(job.period.end),
            "parameters": to_json(dict(run.parameters)),
            "status": run.status.value,
            "source_status": run.source_status,
            "attempt": self.finished.attempt,
            # One that an earlier sync ordered is still one that this tap ordered.
            "origin": self._origin,
            "created_at": utc_or_none(run.created_at),
            "finished_at": utc_or_none(run.finished_at),
            "error": run.error or (None if failure is None else str(failure.redacted())),
            "file_id": None if run.file is None else run.file.file_id,
        }


class ReadRun(FinishedRun):
    """A finished run whose files are being read.

    Args:
        collected: its files are on disk.
        reader: has read nothing but the header yet; knows rows, header and sums of what it has read.
        tallies: are told the rows.
        before_rows: called with the number of rows that will be out, before each chunk of them.

    Attributes:
        file: that of the rows.
        parquet_uri: where its rows are kept as Parquet, once they are.
        checks: what has been held against each other so far.
    """

    def __init__(
        self,
        collected: Collected,
        reader: Reader,
        tallies: tuple[Tally, ...] = (),
        before_rows: Callable[[int], None] = lambda _rows: None,
    ) -> None:
        super().__init__(collected, collected.run)
        self.file = collected.file
        self.reader = reader
        self.tallies = tallies
        self.parquet_uri: str | None = None
        self.checks: list[Check] = []
        self._files = collected.files
        self._before_rows = before_rows

    def chunks(self, selected: Collection[str], constants: Mapping[str, Any] | None = None) -> Iterator[RowChunk]:
        """The rows of the file, as `Reader.chunks`; with the run's own constants unless others are given."""
        for chunk in self.reader.chunks(selected, self.constants if constants is None else constants):
            if chunk.rows:
                self._before_rows(chunk.rows[-1].row_number)
            yield chunk

    def array_chunks(self, *, amounts_as_text: bool) -> Iterator[ArrayChunk]:
        """The same rows as arrays, all columns of them; see `Reader.arrays`.

        Raises:
            NotPlain: at once or in the middle: `chunks` has them all.
        """
        done = 0
        for count, arrays in self.reader.arrays(amounts_as_text=amounts_as_text):
            if count:
                self._before_rows(done + count)
                numbered = {**arrays, ROW_NUMBER: row_numbers(done + 1, count)}
                yield ArrayChunk(count, numbered, self.reader.columns)
                done += count

    @property
    def constants(self) -> dict[str, Any]:
        """The columns that all rows of the run share."""
        job = self.job
        first, last = job.period.calendar_days(job.report.zone) or (None, None)
        of_invoice = (
            {"invoice_id": job.period.key, "row_of": "file"} if isinstance(job.report.cadence, PerInvoice) else {}
        )
        return {
            "source": job.client.name,
            "account_id": job.row_account,
            "report_name": job.report.name,
            "period": job.period.key,
            **of_invoice,
            "window_end": utc_or_none(job.period.end),
            "period_start": None if first is None else date_text(first),
            "period_end": None if last is None else date_text(last),
            "period_zone": job.report.zone,
            "run_id": self.run.run_id,
            "file_id": self.file.remote.file_id,
            "_sdc_deleted_at": None,
        }

    def file_records(self) -> Iterator[dict[str, Any]]:
        """The records of the stream `report_files`; rows and header are known once the file has been read."""
        for file, reader in zip_longest(self._files, parts_of(self.reader)):
            yield self._file_record(file, reader)

    def _file_record(self, file: LocalFile, reader: Reader | None) -> dict[str, Any]:
        remote = file.remote
        created_at = remote.created_at or self.run.created_at
        return {
            "source": self.job.client.name,
            "account_id": self.job.account.account_id,
            "file_id": remote.file_id,
            "run_id": self.key,
            "report_name": self.job.report.name,
            "period": self.job.period.key,
            "format": remote.format,
            "uri": file.uri,
            "parquet_uri": None if reader is None else self.parquet_uri,
            "size": file.size,
            "sha256": file.sha256,
            "rows": None if reader is None else reader.rows,
            "columns": None if reader is None else to_json(list(reader.header)),
            "created_at": utc_or_none(created_at),
            "expires_at": utc_or_none(remote.expires_at),
        }

    def check(self, name: str, expected: Decimal | None, actual: Decimal | None, **facts: Any) -> None:
        """Note a reconciliation of this run."""
        self.checks.append(Check.compare(expected, actual, check=name, **self.subject, **facts))

    def _undeclared(self, name: str, actual: Decimal, reason: str) -> None:
        """The vendor does not say what it always has said: that is no less than a wrong number."""
        self.checks.append(Check(check=name, actual=actual, ok=False, reason=reason, **self.subject))

    @property
    def subject(self) -> dict[str, Any]:
        """What the checks of this run have in common."""
        job = self.job
        return {
            "source": job.client.name,
            "account_id": job.row_account,
            "subject": f"{job.report.name} {job.period.key}",
            "run_id": self.key,
        }

    def check_file(self, invoice: Mapping[str, Any] | None) -> None:
        """What a file that has been read to its end can be held against.

        Args:
            invoice: the columns of the invoice that the report specifies, None where it is not known.
        """
        file, reader, report = self.file, self.reader, self.job.report
        size = _sum([part.remote.size for part in file.of_rows])
        unstated = "the vendor does not say how many bytes its file has"
        self.check("file_bytes", size, Decimal(sum(part.size for part in file.of_rows)), unstated=unstated)
        if (rows := _sum([part.remote.rows for part in file.of_rows])) is not None:
            self.check("rows_declared", rows, Decimal(reader.rows))
        form = self.job.client.api.xml
        if form is not None:
            declared = reader.declared_rows
            counted = Decimal(form.counted(reader.rows, reader.blank_lines, declared))
            if form.rows and declared is None:
                # Without it nobody could tell a cut list of lines.
                self._undeclared("rows_declared", counted, "the file does not say how many rows it has")
            elif declared is not None:
                self.check("rows_declared", Decimal(declared), counted)
            self.check("blank_lines", None, Decimal(reader.blank_lines), unknown="blank lines are no charges")
        if reader.ambiguous_times or reader.nonexistent_times:
            reason = "local times that occurred twice: the first occurrence was taken"
            count = Decimal(reader.ambiguous_times + reader.nonexistent_times)
            self.check("ambiguous_local_times", None, count, unknown=reason)
        if isinstance(report.cadence, PerInvoice):
            self._check_sums(invoice, reader)

    def _check_sums(self, invoice: Mapping[str, Any] | None, reader: Reader) -> None:
        """Hold the lines against the invoice, by the columns of the kind of line that the file has.

        A file without lines adds up to nothing, which is an amount like any other.
        """
        kinds = self.job.client.api.sums(self.job.report)
        kind = next((kind for kind in kinds if any(column in reader.sums for column in kind)), {})
        column_of = {check: column for column, check in kind.items()}
        unstated = "the invoice was not read" if invoice is None else "the invoice does not state this amount"
        amounts = {"lines_net": "net_amount", "lines_tax": "tax_amount", "lines_total": "total_amount"}
        for name, amount in amounts.items():
            stated = None if invoice is None else invoice.get(amount)
            actual = reader.sums.get(column_of.get(name, "")) if reader.rows else Decimal(0)
            self.check(
                name,
                None if stated is None else Decimal(stated),
                actual,
                unknown="lines of this kind do not hold it" if kind and reader.rows and name not in column_of else None,
                unstated=unstated,
                missing="the lines have no column for it",
                currency=None if invoice is None else invoice.get("currency"),
            )
