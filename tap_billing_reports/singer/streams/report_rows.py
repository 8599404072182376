"""One stream for each configured report: its rows, typed, keyed by period and place in the file."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec
from singer_sdk.singerlib.catalog import MetadataMapping, SelectionMask, StreamMetadata

from tap_billing_reports.core.columns import (
    Column,
    ColumnType,
    DecimalsAs,
    assigned_names,
    common_header,
    json_schema,
    unique_names,
)
from tap_billing_reports.core.dates import utc_text
from tap_billing_reports.core.errors import FileError
from tap_billing_reports.core.redaction import clipped
from tap_billing_reports.declare import PerInvoice
from tap_billing_reports.reports.files.opening import open_reader
from tap_billing_reports.reports.files.readers import ArrayChunk, NotPlain, Reader, RowChunk
from tap_billing_reports.singer.column_memory import ColumnMemory
from tap_billing_reports.singer.fast_rows import FastRows, SelectedColumns
from tap_billing_reports.singer.needed_columns import NeededColumns
from tap_billing_reports.singer.outcome import Place
from tap_billing_reports.singer.schemas import stream_schema
from tap_billing_reports.singer.streams.report_stream import ReportStream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from tap_billing_reports.declare import Report, ReportApi
    from tap_billing_reports.reports.files.readers.tallies import Tally
    from tap_billing_reports.reports.jobs import LocalFile
    from tap_billing_reports.singer.context import SyncContext
    from tap_billing_reports.singer.finished_run import ReadRun

SCHEMA = "report_rows"
KEYS = ("source", "account_id", "report_name", "period", "row_number")
DELETED_AT = "_sdc_deleted_at"
# What the rows of a report of one run an invoice have beside the other columns of all rows.
OF_INVOICE = {
    "invoice_id": {"type": ["string", "null"], "description": "The row's invoice, as in `invoices`."},
    "row_of": {
        "type": ["string", "null"],
        "description": "file: a row of the report. invoice: the one row of an invoice that has no report, with what "
        "the invoice says. Null for a row that is marked as deleted.",
    },
}
# The types of the stream's own columns by their schemas' formats.
_KEPT_AS: dict[str | None, ColumnType] = {"date": "date", "date-time": "timestamp_utc"}
SURPLUS_CHUNK = 1000  # rows


class ReportRows(FastRows, ReportStream):
    """The rows of one report. New columns are added as `on_new_column` says; identical rows are all kept."""

    primary_keys = KEYS
    replication_key = "period"

    def __init__(self, tap: SyncContext, report: Report, api: ReportApi) -> None:
        self.report = report
        self._api = api
        self._decimals_as: DecimalsAs = tap.config.get("decimals_as") or "string"
        schema = stream_schema(SCHEMA)
        if isinstance(report.cadence, PerInvoice):
            schema["properties"] |= OF_INVOICE
        self._own = dict(schema["properties"])
        self._common = api.common_columns(report)
        self._reserved = frozenset(self._own) | frozenset(self._common)
        self._by_header: dict[str, Column] = {}
        self._names: dict[str, str] = {}
        self._recalled = False
        headers = tuple(dict.fromkeys(api.headers(report)))
        # Report families may spell one column in two ways: both mean the same one. What is chosen is meant apart.
        chosen = assigned_names(headers, reserved=self._reserved) if report.columns else {}
        for header in headers:
            name = chosen.get(header) or unique_names([header], self._reserved)[0]
            column = self._by_header[header] = Column(header, name, api.column_type(report, header))
            schema["properties"].setdefault(name, self._schema_of(column))
        for name, fields in self._common.items():
            header = common_header(name)
            column = self._by_header[header] = Column(header, name, api.column_type(report, fields[0]))
            schema["properties"][name] = self._schema_of(column)
        self._catalogued = tuple(self._by_header.values())
        super().__init__(tap, name=report.stream, schema=schema)

    @property
    def schema_name(self) -> str:
        return SCHEMA

    def wants(self, report: Report) -> bool:
        return report is self.report

    # -- rows ------------------------------------------------------------------------------------------

    def emit(self, read_run: ReadRun) -> None:
        """Send one finished run's rows, then take back what an earlier, longer reading had sent."""
        if not self.is_sampled:
            constants = self._constants(read_run)
            job, rows = read_run.job, self.billing_tap.summary.rows
            place = Place(job.client.name, job.row_account, self.name)

            def counted(written: int) -> None:
                self.meter.increment(written)
                rows[place] += written

            self.write_rows(self._chunks(read_run, constants), constants, counted)

    def count(self, record: Mapping[str, Any]) -> None:
        """Rows are counted in chunks, whichever way they go."""

    def _chunks(self, read_run: ReadRun, constants: Mapping[str, Any]) -> Iterator[RowChunk | ArrayChunk]:
        yield from self._file_chunks(read_run, constants)
        # The row that stood in for a report, if any, is the first: a report without rows takes that one back, too.
        stood_in = int(bool(self._api.stand_ins(read_run.job.client.source_client.values, self.report)))
        yield from self._surplus(max(read_run.job.previous_rows or 0, stood_in), read_run.reader.rows)

    def _file_chunks(self, read_run: ReadRun, constants: Mapping[str, Any]) -> Iterator[RowChunk | ArrayChunk]:
        if (sink := self.takes_arrays) is not None:
            try:
                yield from read_run.array_chunks(amounts_as_text=sink.amounts_as_text)
            except NotPlain:
                # Rows that are out by then come again, with the same keys.
                pass
            else:
                return
        yield from read_run.chunks(SelectedColumns(self), constants)

    def _constants(self, read_run: ReadRun) -> dict[str, Any]:
        """What all rows share: what the run gives them, and null for every column that its file does not have.

        Left out, such a column would keep what an earlier reading has put there: a target upserts what it is sent.
        """
        return dict.fromkeys(self.effective_schema["properties"]) | read_run.constants

    def _surplus(self, before: int, rows: int) -> Iterator[RowChunk]:
        """The keys of rows that are no longer there, marked as deleted and otherwise null."""
        if before <= rows:
            return
        deleted_at = utc_text(self.session.clock.now().replace(microsecond=0))
        rest = [name for name in self.schema["properties"] if name not in {*KEYS, DELETED_AT}]
        row: Any = msgspec.defstruct("Gone", [("row_number", int), (DELETED_AT, str), *((name, Any) for name in rest)])
        for first in range(rows + 1, before + 1, SURPLUS_CHUNK):
            numbers = range(first, min(first + SURPLUS_CHUNK, before + 1))
            yield RowChunk([row(number, deleted_at, *(None for _ in rest)) for number in numbers], ())

    def stand_in(self, invoice: Mapping[str, Any], columns: Mapping[str, Any]) -> None:
        """Send the one row of an invoice that has no report: what a report of it would replace.

        Args:
            invoice: as in `invoices`.
            columns: what the row holds of it.
        """
        if self.is_sampled:
            return
        names = [name for name in columns if name in self.schema["properties"]]
        row: Any = msgspec.defstruct("StandIn", [("row_number", int), *((name, Any) for name in names)])
        shared = {
            "source": self.report.source,
            "account_id": invoice["account_id"],
            "report_name": self.report.name,
            "period": invoice["invoice_id"],
            "invoice_id": invoice["invoice_id"],
            "row_of": "invoice",
            "period_zone": self.report.zone,
        }
        chunk = RowChunk([row(1, *(self._cell(name, columns[name]) for name in names))], ())
        constants = dict.fromkeys(self.effective_schema["properties"]) | shared
        self.write_rows([chunk], constants, self.meter.increment)

    def _cell(self, name: str, value: Any) -> Any:
        is_number = "number" in self.schema["properties"][name]["type"]
        return Decimal(value) if is_number and value is not None else value

    # -- columns ---------------------------------------------------------------------------------------

    def open_reader(
        self,
        file: LocalFile,
        sum_of: tuple[str, ...] = (),
        decimals_as: DecimalsAs | None = None,
        judge: Callable[[Mapping[str, str]], None] = lambda _metadata: None,
        tallies: Sequence[Tally] = (),
    ) -> Reader:
        """A reader of the file that knows this stream's columns; adds up what checks need.

        `judge` refuses a file by what that says of itself, before its first row; `tallies` are told a CSV file's rows.
        """
        sums = (*(column for kind in self._api.sums(self.report) for column in kind), *sum_of)
        return open_reader(
            file,
            self._api,
            self.report,
            resolve=self.resolve,
            sum_of=sums,
            decimals_as=decimals_as or self._decimals_as,
            common=self._common,
            judge=judge,
            tallies=tallies,
        )

    @cached_property
    def _memory(self) -> ColumnMemory:
        memory = ColumnMemory(lambda: self.stream_state, self.billing_tap.uninterrupted)
        self.billing_tap.before_each_state(memory.write)
        return memory

    @cached_property
    def needed(self) -> NeededColumns:
        """What a file of this stream must have."""
        return NeededColumns(
            self.report,
            self._api,
            self._memory,
            by_header=self._by_header,
            catalogued=self._catalogued,
            may_be_missing=lambda: self.session.settings.allow_missing_columns.get(self.name, ()),
        )

    # -- names -----------------------------------------------------------------------------------------

    def resolve(self, header: tuple[str, ...]) -> Sequence[Column | None]:
        """The column of each header cell; None leaves it out."""
        self.recall_names()
        self._meet([cell for cell in header if cell not in self._by_header])
        taken: set[str] = set()
        columns: list[Column | None] = []
        for cell in header:
            column = self._by_header.get(cell)
            if column is not None and column.name in taken:
                # Two spellings of one column in one file are two columns after all.
                column = self._by_header[cell] = replace(column, name=self._named([cell])[cell])
            if column is not None:
                taken.add(column.name)
            columns.append(column)
        return columns

    def _meet(self, fresh: Sequence[str]) -> None:
        """Take up the headers that are new, or leave them out, as the settings say."""
        if not fresh:
            return
        policy = self.session.settings.on_new_column
        if policy == "fail":
            remedy = "set on_new_column to add or ignore; the period is still due"
            raise FileError(f"column {clipped(fresh[0], 80)} is new, and on_new_column is fail", line=1, remedy=remedy)
        if policy == "ignore":
            return
        if self._is_pruned():
            self._tell_left_out(fresh)
            return
        named = {cell: self._names[cell] for cell in fresh if cell in self._names}
        named |= self._named([cell for cell in fresh if cell not in named])
        for cell, name in named.items():
            self._by_header[cell] = Column(cell, name, self._api.column_type(self.report, cell))

    def _named(self, fresh: Sequence[str]) -> dict[str, str]:
        """Names for headers that are new together, which are theirs for ever."""
        others = {column.name for column in self._by_header.values()} | {*self._names.values()}
        names = assigned_names(fresh, others, self._reserved)
        self._names |= names
        self._memory.keep_names(self._names)
        return names

    def recall_names(self) -> None:
        """Take up which name each header has had; once a sync, before the first order."""
        if self._recalled:
            return
        self._recalled = True
        known = {header: column.name for header, column in self._by_header.items()}
        self._names = self._memory.names(known, self._reserved)
        if self._memory.is_older() and self.report.columns:
            # What was chosen had names by its place among the columns.
            before = dict(zip(self.report.columns, unique_names(self.report.columns, self._reserved), strict=True))
            known |= {header: name for header, name in before.items() if header not in self._names}
        catalogued = {*self._api.headers(replace(self.report, columns=())), *map(common_header, self._common)}
        self._names |= {
            header: name for header, name in known.items() if header not in catalogued and header not in self._names
        }
        self._memory.keep_names(self._names)
        for header, column in self._by_header.items():
            self._by_header[header] = replace(column, name=self._names.get(header, column.name))

    def _is_pruned(self) -> bool:
        """Whether the user's catalogue leaves out a column of this stream: then none is added uninvited.

        One that leaves out the whole stream, or all of its columns with it, singles out none.
        """
        if self.billing_tap.input_catalog is None:
            return False
        mask = self._mask_of_columns()
        left_out = {name for name in self.schema["properties"] if not mask["properties", name]}
        return bool(left_out) and (self.selected or not left_out >= {column.name for column in self._catalogued})

    def _tell_left_out(self, fresh: Sequence[str]) -> None:
        """Name the new columns that the user's catalogue leaves out without naming them."""
        why = "the catalogue selects columns of this stream one by one: make it anew and select this one, too"
        for header in fresh:
            self.session.note(f"{self.name}: column {clipped(header, 80)} is new and is left out, because {why}")

    def _mask_of_columns(self) -> SelectionMask:
        """Which columns the catalogue selects, as if it selected the stream."""
        metadata = MetadataMapping(self.metadata)
        metadata[()] = StreamMetadata(selected=True)
        return metadata.resolve_selection()

    def kept_columns(self, reader: Reader) -> dict[str, ColumnType]:
        """The columns that rows are kept with as Parquet, in the order of the schema: name -> type.

        Those of the catalogue, then the file's own: what other files have is no matter of this one.
        What the catalogue leaves out is left out there too; a catalogue that leaves out the whole stream, or all
        of its columns, wants the rows kept and not sent.
        """
        mask = self._mask_of_columns()
        types: dict[str, ColumnType] = {
            name: "integer" if kind["type"] == "integer" else _KEPT_AS.get(kind.get("format"), "text")
            for name, kind in self._own.items()
        }
        there = {column.name: column.type for column in (*self._catalogued, *reader.columns)}
        selected = {name: kind for name, kind in there.items() if mask["properties", name]}
        return types | (selected or there)

    def recall_columns(self) -> None:
        """Take up the columns that earlier syncs have added: rows that have lost one must say so."""
        self.recall_names()
        if self.session.settings.on_new_column == "add" and not self._is_pruned():
            self._meet([header for header in self._names if header not in self._by_header])
        self._take_up(tuple(self._by_header.values()))

    def columns_changed(self, columns: tuple[Column, ...]) -> None:
        """Take new columns up and tell the target, before the first row that has them."""
        self._take_up(columns)
        self.write_schema_again()

    def _schema_of(self, column: Column) -> dict[str, Any]:
        """Type and description; of a column that nobody has described, which header of the file it is."""
        is_common = column.header == common_header(column.name)
        text = self._api.describe(self.report, column.name if is_common else column.header)
        text = text or f"{clipped(column.header, 80)} of the file, as the vendor writes it. Null where it is empty."
        return json_schema(column.type, decimals_as=self._decimals_as, description=text)

    def _take_up(self, columns: tuple[Column, ...]) -> None:
        if all(column.name in self.schema["properties"] for column in columns):
            return
        self._schema = self._grown(self.schema, columns)
        if self._input_schema is not None:
            self._input_schema = self._grown(self._input_schema, columns)
        self.billing_tap.mapper.register_raw_stream_schema(self.name, self.effective_schema, self.primary_keys)
        self._stream_maps = None

    def _grown(self, schema: Mapping[str, Any], columns: tuple[Column, ...]) -> dict[str, Any]:
        """A copy with the columns that are new: the SDK's mapper compares with the schema that it has seen."""
        new = {column.name: self._schema_of(column) for column in columns}
        return {
            **schema,
            "properties": {
                **schema["properties"],
                **{name: kind for name, kind in new.items() if name not in schema["properties"]},
            },
        }
