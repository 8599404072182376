"""What a report file must have: a column that is lost would be read as null, over what was known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_billing_reports.core.errors import FileError
from tap_billing_reports.core.json_text import to_json
from tap_billing_reports.reports.files.readers.joined import parts_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from tap_billing_reports.core.columns import Column
    from tap_billing_reports.declare import Report, ReportApi
    from tap_billing_reports.reports.files.readers import Reader
    from tap_billing_reports.singer.column_memory import ColumnMemory
    from tap_billing_reports.singer.finished_run import ReadRun


class NeededColumns:
    """The columns that each file of one report must have.

    Args:
        report: whose files they are.
        api: says which columns hold money.
        memory: knows what the last files had.
        by_header: the stream's columns, as they are known at any time.
        catalogued: those of the catalogue.
        may_be_missing: headers that the settings say may be missing.
    """

    def __init__(
        self,
        report: Report,
        api: ReportApi,
        memory: ColumnMemory,
        *,
        by_header: Mapping[str, Column],
        catalogued: Collection[Column],
        may_be_missing: Callable[[], Iterable[str]],
    ) -> None:
        self._report = report
        self._api = api
        self._memory = memory
        self._by_header = by_header
        self._catalogued = catalogued
        self._may_be_missing = may_be_missing

    def check(self, read_run: ReadRun) -> None:
        """Refuse a file without a column that it must have: it would be read as null, over what was known.

        Of CSV that is told before the first row. XML and NDJSON leave out what a line does not have, so it is told
        once all lines are read.

        Args:
            read_run: its reader is open, or has read the file.

        Raises:
            FileError: names the column.
        """
        allowed = set(self._may_be_missing())
        if read_run.file.remote.format != "csv":
            missing = self._missing_money(read_run.reader, read_run.job.account.account_id)
            missing += [cell for cell in self._missing_for_checks(read_run) if cell not in missing]
        else:
            missing = self._missing_cells(read_run)
        for cell in missing:
            if cell not in allowed:
                ours = {self._report.stream: [cell]}
                remedy = "if the vendor does not offer it any more, " + (
                    "name those that are wanted in the report's columns"
                    if self._report.columns
                    else f"say so: set allow_missing_columns to {to_json(ours)}; otherwise the file is at fault"
                )
                raise FileError(f"the column {cell!r} is missing", line=1, remedy=remedy)

    def _missing_cells(self, read_run: ReadRun) -> list[str]:
        """What a table does not have. Of several files each must have the columns of a file of the last run."""
        parts, kinds = parts_of(read_run.reader), self._memory.last(read_run.job.account.account_id)
        if self._report.columns or len(parts) == 1 or not kinds:
            required = self._required(read_run)
            return [cell for part in parts for cell in self._missing_in(part.header, required)]
        return [
            cell
            for part in parts
            for cell in min((self._missing_in(part.header, sorted(kind)) for kind in kinds), key=len)
        ]

    def _missing_in(self, header: Iterable[str], required: Iterable[str]) -> list[str]:
        """What of the required a table does not have, under whichever spelling."""
        here = {*header}
        names = {self._by_header[cell].name for cell in here if cell in self._by_header}
        return [
            cell
            for cell in required
            if cell not in here and (cell not in self._by_header or self._by_header[cell].name not in names)
        ]

    def _required(self, read_run: ReadRun) -> list[str]:
        """The headers that a table must have.

        Those asked for. Else those of the account's last good reading and, of a run that was ordered in this sync or
        where nothing was read before, the type's default ones: a run from before may be older than they are. Where
        the vendor names none, the known columns that hold amounts.
        """
        if self._report.columns:
            return [*self._report.columns]
        job, origin = read_run.job, read_run.finished.origin
        required = sorted({cell for headers in self._memory.last(job.account.account_id) for cell in headers})
        if required and origin != "ordered":
            return required
        # For a kept file the vendor is asked nothing.
        defaults = job.client.default_columns(job.account, job.report.report_type, ask=origin != "kept")
        if defaults is not None:
            required += defaults or [column.header for column in self._catalogued if column.type == "decimal"]
        return required

    def _money_in(self, header: Iterable[str]) -> set[str]:
        holds_money = self._api.holds_money or self._looks_like_money
        return {cell for cell in header if holds_money(self._report, cell)}

    def _looks_like_money(self, report: Report, header: str) -> bool:
        return self._api.column_type(report, header) in {"decimal", "currency"}

    def _missing_money(self, reader: Reader, account: str) -> list[str]:
        """What earlier files of the same kind had and no line of this one has, of what holds money today.

        One report may have files of several kinds, such as parcels and cargo, that have no such column in common.
        """
        if not reader.rows:
            return []
        here, kinds = self._money_in(reader.header), [self._money_in(kind) for kind in self._memory.last(account)]
        alike = [kind for kind in kinds if kind & here] or ([] if here else kinds[:1])
        lost = {cell for kind in alike for cell in kind - here}
        without = {currency for amount, currency in self._api.currency_of(self._report).items() if amount in here}
        return sorted(lost | (without - here))

    def _missing_for_checks(self, read_run: ReadRun) -> list[str]:
        """What no line has and the declared checks read: the first file, too, could be held against nothing."""
        if not read_run.reader.rows or self._report.columns:
            return []
        headers = {column.name: column.header for column in self._catalogued}
        names = {name for tally in read_run.tallies for name in tally.missing if name in tally.needed}
        return sorted(headers.get(name, name) for name in names)

    def note(self, read_run: ReadRun) -> None:
        """The file was read well: the next one of this account must have its columns, too."""
        reader, account = read_run.reader, read_run.job.account.account_id
        if read_run.file.remote.format == "csv":
            self._memory.note(account, [] if self._report.columns else [part.header for part in parts_of(reader)])
            return
        here, kinds = self._money_in(reader.header), self._memory.last(account)
        alike = [kind for kind in kinds if kind & here]
        if here and len(alike) < 2:
            self._memory.note(account, [here, *(kind for kind in kinds if kind not in alike)])
