# ruff: noqa: ARG002 - the SDK's signatures
"""The same report through our path and through the SDK's own, each as a tap of one stream.

As a program: `python -m benchmarks.taps fast|stock <file> <columns as JSON> <zone>`; RECORDs go to stdout, and
one line with rows, seconds and peak memory goes to stderr.
"""

from __future__ import annotations

import csv
import logging
import sys
import time
from datetime import datetime, timezone
from typing import ClassVar
from zoneinfo import ZoneInfo

from singer_sdk import Stream, Tap

from benchmarks.data import Sample
from benchmarks.measure import tell
from tap_billing_reports.core.columns import Column, json_schema, unique_names
from tap_billing_reports.reports.files.parquet import row_numbers
from tap_billing_reports.reports.files.readers import ArrayChunk
from tap_billing_reports.reports.files.readers.csv import CsvReader
from tap_billing_reports.singer.fast_rows import FastRows, SelectedColumns
from tap_billing_reports.singer.termination import DeferredTermination
from tap_billing_reports.singer.writer import BufferedWriter

CONSTANTS = {
    "source": "stripe",
    "account_id": "acct_1032D82eZvKYlo2C",
    "report_name": "balance",
    "period": "2026-01-01T08:00:00Z",
    "window_end": "2026-02-01T08:00:00Z",
    "period_start": "2026-01-01",
    "period_end": "2026-01-31",
    "period_zone": "America/Los_Angeles",
    "run_id": "frr_1PGzG72eZvKYlo2C5y1Q",
    "file_id": "file_1PGzGJ2eZvKYlo2C9c2T",
}
KEYS = ("source", "account_id", "report_name", "period", "row_number")


def columns_of(sample):
    names = unique_names(sample.columns, reserved=(*CONSTANTS, "row_number"))
    return [Column(header, name, type_) for (header, type_), name in zip(sample.columns.items(), names, strict=True)]


class ReportStream(Stream):
    name = "stripe_balance"
    primary_keys = KEYS

    def __init__(self, tap, sample):
        self.sample, self.columns = sample, columns_of(sample)
        properties = {name: json_schema("text") for name in CONSTANTS} | {"row_number": json_schema("integer")}
        properties |= {column.name: json_schema(column.type) for column in self.columns}
        super().__init__(tap, schema={"type": "object", "properties": properties})


class FastStream(FastRows, ReportStream):
    def get_records(self, context):
        self.write_rows(self.chunks(), CONSTANTS, self.get_record_counter().increment)
        yield from ()

    def chunks(self):
        path = self.sample.path
        if path.suffix == ".xml":
            return xml_reader(self.sample).chunks(SelectedColumns(self), CONSTANTS)
        reader = CsvReader(path, size=path.stat().st_size, resolve=lambda _: self.columns, zone=self.sample.zone)
        if (sink := self.takes_arrays) is not None:
            return _arrays(reader, sink.amounts_as_text)
        return reader.chunks(SelectedColumns(self), CONSTANTS)


def xml_reader(sample):
    from tap_billing_reports.reports.files.readers.xml import XmlReader  # noqa: PLC0415 - not in a CSV file's memory
    from tap_billing_reports.vendors.bring import XML  # noqa: PLC0415

    by_header = {column.header: column for column in columns_of(sample)}
    return XmlReader(
        sample.path, form=XML, resolve=lambda header: [by_header[name] for name in header], zone=sample.zone
    )


def _arrays(reader, as_text):
    done = 0
    for rows, arrays in reader.arrays(amounts_as_text=as_text):
        yield ArrayChunk(rows, {**arrays, "row_number": row_numbers(done + 1, rows)}, reader.columns)
        done += rows


class StockStream(ReportStream):
    """As one would write it with the SDK: DictReader, a converter a type, one dict a record."""

    def get_records(self, context):
        def instant(zone):
            return lambda text: datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(utc).isoformat()[:19] + "Z"

        utc = timezone.utc
        convert = {
            **dict.fromkeys(("text", "decimal", "date"), str),
            "currency": str.upper,
            "integer": int,
            "boolean": {"true": True, "false": False}.__getitem__,
            "timestamp": instant(ZoneInfo(self.sample.zone)),
            "timestamp_utc": instant(utc),
        }
        plan = [(column.header, column.name, convert[column.type]) for column in self.columns]
        with self.sample.path.open(encoding="utf-8-sig", newline="") as file:
            for number, row in enumerate(csv.DictReader(file), start=1):
                values = {name: function(row[header]) if row[header] else None for header, name, function in plan}
                yield CONSTANTS | {"row_number": number} | values


def tap_of(stream, sample, message_writer=None):
    """A tap of one stream, `FastStream` or `StockStream`, with what each needs around it."""
    is_fast = stream is FastStream

    class BenchTap(DeferredTermination if is_fast else Tap):
        name = "tap-bench"
        config_jsonschema: ClassVar = {"properties": {}}
        if is_fast:
            message_writer_class = BufferedWriter

        def discover_streams(self):
            return [stream(self, sample)]

    return BenchTap(config={}, setup_mapper=True, message_writer=message_writer)


def main(kind, *words):
    logging.disable(logging.INFO)
    tap = tap_of({"fast": FastStream, "stock": StockStream}[kind], Sample.given(*words))
    stream = tap.streams["stripe_balance"]
    counter = stream.get_record_counter()
    stream.get_record_counter = lambda **_: counter
    counter._pop = lambda: None
    started = time.process_time()
    tap.sync_all()
    tell(counter.value, seconds=time.process_time() - started)


if __name__ == "__main__":
    main(*sys.argv[1:])
