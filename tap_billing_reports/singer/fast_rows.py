"""Report rows to the target, a chunk at a time; `writer.py` buffers them, and no signal cuts a line.

The SDK conforms, deselects, maps, encodes and flushes every record by itself. Report rows come typed and
selected from their reader, so `FastRows` encodes a chunk in one call and writes it in another, and leaves each
record to the SDK wherever that would do anything to it. The messages are the same.

These names of the SDK are private; `tests/singer/test_sdk_contract.py` holds each of them:
`Stream._write_record_message`, `_stream_version`, `_tap`.
"""

from __future__ import annotations

import gc
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from singer_sdk import Stream
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.mapper import SameRecordTransform

from tap_billing_reports.reports.files.readers import ArrayChunk
from tap_billing_reports.singer.writer import ArraySink, BufferedWriter, encoder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from tap_billing_reports.core.columns import Column
    from tap_billing_reports.reports.files.readers import RowChunk


# The SDK's modules live as long as the process. The collector need not look through them again and again: a tenth
# of the start went there.
gc.freeze()


class SelectedColumns:
    """The names of the columns that records may carry; it follows the stream's schema and catalogue.

    A name that the schema does not have yet is contained unless the catalogue deselects it, so that a reader
    which meets a new column gives it out.
    """

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    def __contains__(self, name: object) -> bool:
        return self._stream.mask["properties", str(name)]

    def __iter__(self) -> Iterator[str]:
        return (name for name in self._stream.effective_schema["properties"] if name in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)


class _Plan(NamedTuple):
    """How a RECORD of this stream is written around its row."""

    head: bytes  # up to the record
    version: bytes
    names: frozenset[str]  # what the record may carry
    stream: str = ""


class FastRows(Stream):
    """A stream of rows that come in chunks, already typed and selected; `write_rows` sends them.

    Where nothing but writing is left to do, chunks are encoded and written whole. With stream maps, flattening or a
    deselected part of an object, the same rows go record by record through the SDK.
    """

    # The values are of their schema's types by construction.
    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE

    def columns_changed(self, columns: tuple[Column, ...]) -> None:
        """A chunk has columns that the schema has not: the stream may take them up and send SCHEMA again.

        Called before that chunk is written. What the schema does not have thereafter is left out.
        """

    def write_rows(
        self, chunks: Iterable[RowChunk | ArrayChunk], constants: Mapping[str, Any], counted: Callable[[int], None]
    ) -> None:
        """Send RECORD messages.

        Args:
            chunks: rows; those of one chunk are of one `msgspec.Struct` type. Fields that are not selected are left
                out, see `SelectedColumns`. Arrays only where `takes_arrays`.
            constants: properties that are the same in all these records; a row's own field of that name wins.
            counted: called with how many rows have been written since the last call.
        """
        plan, writer = self._plan(), self._writer
        seen: tuple[Column, ...] = ()
        at_once = 50
        for chunk in chunks:
            if chunk.columns is not seen:
                seen = chunk.columns
                if self._announce(seen):
                    plan = self._plan()
            if isinstance(chunk, ArrayChunk):
                self._write_arrays(chunk, plan, constants)
                counted(chunk.row_count)
                continue
            rows = chunk.rows
            while rows:
                now, rows = rows[:at_once], rows[at_once:]
                with writer.atomic():
                    if plan is None:
                        for record in self._records(now, constants):
                            self._write_record_message(record)
                    elif writer.row_sink is not None:
                        writer.row_sink.rows(plan.stream, now, plan.names, constants)
                        self.state_manager.is_flushed = False
                        at_once = len(chunk.rows)
                    else:
                        lines = _lines(plan, now, constants)
                        writer.write_lines(lines)
                        self.state_manager.is_flushed = False
                        # Pieces of about the writer's size: memory for bigger ones is returned and faulted in
                        # again each time.
                        at_once = max(1, BufferedWriter.limit * len(now) // len(lines))
                counted(len(now))
            # A slow source must not keep rows from the target.
            writer.flush()

    @property
    def takes_arrays(self) -> ArraySink | None:
        """What takes chunks of arrays, where nothing stands between the reader and that."""
        writer = self._tap.message_writer
        return writer.array_sink if isinstance(writer, BufferedWriter) and self._plan() is not None else None

    def _write_arrays(self, chunk: ArrayChunk, plan: _Plan | None, constants: Mapping[str, Any]) -> None:
        sink = self._writer.array_sink
        if sink is None or plan is None:
            raise TypeError("arrays are for a writer that takes them")
        with self._writer.atomic():
            sink.arrays(plan.stream, chunk, plan.names, constants)
            self.state_manager.is_flushed = False

    def _announce(self, columns: tuple[Column, ...]) -> bool:
        known = self.schema["properties"]
        if all(column.name in known for column in columns):
            return False
        self.columns_changed(columns)
        return True

    def _records(self, rows: Sequence[Any], constants: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        known = self.effective_schema["properties"]
        shared = {name: value for name, value in constants.items() if name in known}
        for row in rows:
            own = msgspec.structs.asdict(row)
            yield shared | {name: value for name, value in own.items() if name in known}

    def _plan(self) -> _Plan | None:
        """How to write rows without the SDK, or None if the SDK has anything to do with them."""
        maps = self.stream_maps
        if len(maps) != 1 or type(maps[0]) is not SameRecordTransform or maps[0].flattening_enabled:
            return None
        if any(not selected for breadcrumb, selected in self.mask.items() if len(breadcrumb) > 2):
            return None
        names = frozenset(name for name in self.effective_schema["properties"] if self.mask["properties", name])
        alias = encoder.encode(maps[0].stream_alias)
        version = b"" if self._stream_version is None else b',"version":%d' % self._stream_version
        return _Plan(b'{"type":"RECORD","stream":' + alias + b',"record":', version, names, maps[0].stream_alias)

    @property
    def _writer(self) -> BufferedWriter:
        writer = self._tap.message_writer
        if not isinstance(writer, BufferedWriter):
            raise TypeError("rows are written whole by a BufferedWriter only")
        return writer


def _lines(plan: _Plan, rows: Sequence[Any], constants: Mapping[str, Any]) -> bytes:
    """The RECORD lines of some rows of one type.

    The rows are encoded in one call, one a line; no JSON text has a line break in it, so a line break is the
    seam between two rows, and there the rest of the message is put in. Constants go in after the row's brace.
    """
    fields = rows[0].__struct_fields__
    if not plan.names.issuperset(fields):
        fields = tuple(name for name in fields if name in plan.names)
        rows = _projected(rows, fields)
    shared = {name: value for name, value in constants.items() if name in plan.names and name not in fields}
    now = datetime.now(timezone.utc).isoformat().encode()
    closing = plan.version + b',"time_extracted":"' + now + b'"}\n'
    encoded = encoder.encode_lines(rows)
    if not shared:
        return b"".join((plan.head, encoded[:-1].replace(b"\n", closing + plan.head), closing))
    opening = plan.head + encoder.encode(shared)[:-1]
    if fields:
        opening += b","
    return b"".join((opening, (closing + opening).join(encoded[1:-1].split(b"\n{")), closing))


def _projected(rows: Sequence[Any], fields: tuple[str, ...]) -> Sequence[Any]:
    """The rows with these fields only."""
    narrow: Any = msgspec.defstruct("Row", [(name, Any) for name in fields], gc=False)
    return [narrow(*(getattr(row, name) for name in fields)) for row in rows]
