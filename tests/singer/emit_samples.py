"""A stock stream and a fast one with the same rows, and how to hold their messages side by side."""

from __future__ import annotations

import contextlib
import copy
import io
import json
from decimal import Decimal
from typing import Any

import msgspec
from singer_sdk import Stream, Tap
from singer_sdk import typing as th

from tap_billing_reports.core.columns import Column, ColumnType, json_schema
from tap_billing_reports.reports.files.readers import RowChunk
from tap_billing_reports.singer.fast_rows import FastRows, SelectedColumns
from tap_billing_reports.singer.termination import DeferredTermination
from tap_billing_reports.singer.writer import BufferedWriter

COLUMNS: dict[str, ColumnType] = {
    "id": "integer",
    "name": "text",
    "upd": "timestamp",
    "amt": "decimal",
    "ok": "boolean",
    "day": "date",
    "region": "text",
    "source": "text",
    "period": "timestamp",
}
SCHEMA = {"type": "object", "properties": {name: json_schema(type_) for name, type_ in COLUMNS.items()}}
ROW_NAMES = ("id", "name", "upd", "amt", "ok", "day")
NAMES = (
    "",
    None,
    'quote " and \\ slash',
    "line\nbreak\r\n}\n{",
    "æøå 日本 \U0001f600",
    "\u2028\u2029\x7f\x00\x1f",
)
ROWS = [
    {
        "id": i,
        "name": NAMES[i % len(NAMES)],
        "upd": f"2026-01-{1 + (i * 7) % 28:02d}T00:00:00Z",
        "amt": f"{'-' if i % 2 else ''}{i}{'0' * 20}.10",
        "ok": (True, False, None)[i % 3],
        "day": None if i % 5 else "2026-02-28",
    }
    for i in range(50)
]
CONSTANTS = {"source": "stripe", "period": "2026-01-01T00:00:00Z"}


class Stock(Stream):
    """The SDK's own path, from end to end."""

    name = "s"
    primary_keys = ("id",)
    schema = SCHEMA
    rows = ROWS
    shared = CONSTANTS

    def get_records(self, context):
        for row in self.rows:
            yield {**self.shared, **row}


class Fast(FastRows):
    """The same rows, sent in chunks while the SDK waits for records."""

    name = "s"
    primary_keys = ("id",)
    schema = SCHEMA
    rows = ROWS
    shared = CONSTANTS
    chunk = 7

    def chunks(self):
        selected = SelectedColumns(self)
        columns = tuple(Column(name, name, COLUMNS[name]) for name in ROW_NAMES if name in selected)
        row_type = msgspec.defstruct("R", [column.name for column in columns], gc=False)
        for start in range(0, len(self.rows), self.chunk):
            part = self.rows[start : start + self.chunk]
            yield RowChunk([row_type(*(row[c.name] for c in columns)) for row in part], columns)

    def get_records(self, context):
        self.write_rows(self.chunks(), self.shared, lambda _count: None)
        yield from ()


def tap_of(stream, writer=None, **attributes):
    stream_class = type("Sample", (stream,), attributes)
    base: Any = DeferredTermination if writer else Tap

    class SampleTap(base):  # type: ignore[misc] # a class that is chosen at run time
        name = "tap-sample"
        config_jsonschema = th.PropertiesList().to_dict()
        if writer:
            message_writer_class = writer

        def discover_streams(self):
            return [stream_class(self)]

    return SampleTap


def lines_of(tap_class, config=None, change_catalog=None, state=None):
    """What one sync writes to stdout."""
    catalog = None
    if change_catalog:
        catalog = tap_class(config=dict(config or {})).catalog_dict
        change_catalog(catalog)
    stdout = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    with contextlib.redirect_stdout(stdout):
        tap = tap_class(config=copy.deepcopy(config or {}), catalog=catalog, state=copy.deepcopy(state))
        tap.sync_all()
        if isinstance(tap.message_writer, BufferedWriter):
            tap.message_writer.flush()
    stdout.flush()
    return stdout.buffer.getvalue().decode().split("\n")


def messages_of(*args, **kwargs):
    """Its messages without what differs between any two syncs."""
    *lines, last = lines_of(*args, **kwargs)
    assert not last
    messages = []
    for line in lines:
        message = json.loads(line, parse_float=Decimal)
        message.pop("time_extracted", None)
        message.pop("version", None)
        for bookmark in message.get("value", {}).get("bookmarks", {}).values():
            for part in (bookmark, *bookmark.get("partitions", ())):
                part.pop("replication_key_signpost", None)
        messages.append(message)
    return messages


def deselect(*names):
    """A change of the catalogue: the stream selected, these properties not."""

    def change(catalog):
        for entry in catalog["streams"][0]["metadata"]:
            if not entry["breadcrumb"]:
                entry["metadata"]["selected"] = True
            elif entry["breadcrumb"][1] in names:
                entry["metadata"]["selected"] = False

    return change
