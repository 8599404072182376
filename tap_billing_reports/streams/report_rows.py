"""One stream for each configured report: its rows, typed, keyed by period and place in the file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from tap_billing_reports.dates import utc_text
from tap_billing_reports.declarations import Report, ReportApi
from tap_billing_reports.errors import FileError
from tap_billing_reports.reports.columns import Column, json_schema, unique_names
from tap_billing_reports.reports.due import LocalFile
from tap_billing_reports.reports.readers import Reader
from tap_billing_reports.reports.readers.csv import CsvReader
from tap_billing_reports.reports.readers.xml import XmlReader
from tap_billing_reports.schemas import stream_schema
from tap_billing_reports.streams.emission import Emission
from tap_billing_reports.streams.member import Member

if TYPE_CHECKING:
    from tap_billing_reports.tap import TapBillingReports

SCHEMA = "report_rows"
KEYS = ("source", "account_id", "report_name", "period", "row_number")


class ReportRows(Member):
    """The rows of one report. New columns are added as `on_new_column` says; identical rows are all kept."""

    primary_keys = KEYS
    replication_key = "period"

    def __init__(self, tap: TapBillingReports, report: Report, api: ReportApi) -> None:
        self.report = report
        self._api = api
        self._decimals_as = tap.config.get("decimals_as") or "string"
        schema = stream_schema(SCHEMA)
        self._reserved = frozenset(schema["properties"])
        self._by_header: dict[str, Column] = {}
        for column in api.known_columns(report):
            # Report families may spell one column in two ways: both mean the same one.
            name = unique_names([column.header], self._reserved)[0]
            self._by_header[column.header] = Column(column.header, name, column.type)
            schema["properties"].setdefault(name, json_schema(column.type, decimals_as=self._decimals_as))
        super().__init__(tap, name=report.stream, schema=schema)

    @property
    def schema_name(self) -> str:
        return SCHEMA

    def wants(self, report: Report) -> bool:
        return report is self.report

    def records_of(self, emission: Emission) -> Iterator[Mapping[str, Any]]:
        reader = emission.reader
        assert reader is not None
        constants = emission.constants
        for chunk in reader.chunks():
            for row in chunk.rows:
                yield constants | msgspec.structs.asdict(row)
        yield from self._surplus(emission, reader.rows)

    def _surplus(self, emission: Emission, rows: int) -> Iterator[Mapping[str, Any]]:
        """Rows of an earlier, longer reading of this period: taken back, so that sums are right again."""
        deleted_at = utc_text(self.session.clock.now().replace(microsecond=0))
        keys = {name: emission.constants[name] for name in KEYS if name != "row_number"}
        for number in range(rows + 1, (emission.due.previous_rows or 0) + 1):
            yield {**keys, "row_number": number, "_sdc_deleted_at": deleted_at}

    # -- columns ---------------------------------------------------------------------------------------

    def open_reader(self, file: LocalFile, sum_of: tuple[str, ...] = ()) -> Reader:
        """A reader of the file that knows this stream's columns; adds up what checks need."""
        sums = (*self._api.sums(self.report), *sum_of)
        if file.remote.format == "csv":
            return CsvReader(
                file.path,
                size=file.size if file.remote.size is None else file.remote.size,
                resolve=self.resolve,
                zone=self.report.zone,
                sum_of=sums,
                decimals_as=self._decimals_as,
            )
        return XmlReader(
            file.path,
            size=file.size,
            resolve=self.resolve,
            zone=self.report.zone,
            sum_of=sums,
            decimals_as=self._decimals_as,
        )

    def resolve(self, header: tuple[str, ...]) -> Sequence[Column | None]:
        """The column of each header cell; None leaves it out."""
        taken: set[str] = set()
        columns: list[Column | None] = []
        added = False
        for cell in header:
            column = self._by_header.get(cell)
            if column is None:
                column = self._new_column(cell, taken)
                added = added or column is not None
            elif column.name in taken:
                # Two spellings of one column in one file are two columns after all.
                name = unique_names([cell], self._reserved | taken)[0]
                column = self._add(Column(cell, name, column.type))
                added = True
            if column is not None:
                taken.add(column.name)
            columns.append(column)
        if added:
            self._announce()
        return columns

    def _new_column(self, header: str, taken: Iterable[str]) -> Column | None:
        policy = self.session.settings.on_new_column
        if policy == "fail":
            raise FileError(f"column {header!r:.80} is new, and on_new_column is fail", line=1)
        if policy == "ignore" or self._is_pruned():
            return None
        kind = self._api.column_type(self.report, header)
        name = unique_names([header], self._reserved.union(taken, self._names_of_others(header)))[0]
        return self._add(Column(header, name, kind))  # type: ignore[arg-type]

    def _names_of_others(self, header: str) -> set[str]:
        return {column.name for other, column in self._by_header.items() if other != header}

    def _is_pruned(self) -> bool:
        """Whether the user's catalogue leaves out a column of this stream: then none is added uninvited."""
        if self.billing_tap.input_catalog is None:
            return False
        return any(not self.mask["properties", name] for name in self.schema["properties"])

    def _add(self, column: Column) -> Column:
        self._by_header[column.header] = column
        kind = json_schema(column.type, decimals_as=self._decimals_as)  # type: ignore[arg-type]
        for schema in (self._schema, self._input_schema):
            if schema is not None:
                schema["properties"].setdefault(column.name, kind)
        return column

    def _announce(self) -> None:
        """Tell the target of the new columns before the first row that has them."""
        self.billing_tap.mapper.register_raw_stream_schema(self.name, self.effective_schema, self.primary_keys)
        self._stream_maps = None
        if self.selected:
            self.write_schema_again()
