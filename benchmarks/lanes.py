"""One file into Parquet: `python -m benchmarks.lanes lane|bare [<to>] <file> <columns as JSON> <zone>`.

One line with rows, processor seconds and peak memory goes to stderr. Imports are not counted.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.compute  # so that its import is not counted
from pyarrow import csv, parquet

from benchmarks.data import Sample
from benchmarks.measure import tell
from benchmarks.taps import CONSTANTS, columns_of
from tap_billing_reports.reports.files.parquet import BulkLane, Layout
from tap_billing_reports.reports.files.readers.arrow import arrow_type
from tap_billing_reports.reports.files.readers.csv import CsvReader
from tap_billing_reports.storage.files import Storage

CONSTANT_TYPES = dict.fromkeys(CONSTANTS, "text") | {
    "window_end": "timestamp_utc",
    "period_start": "date",
    "period_end": "date",
    "_sdc_deleted_at": "timestamp_utc",
    "row_number": "integer",
}
SUMMED = ("cost", "net")  # the one of the two that the file has, as a summary is held against it
# The same types, but for the zone, which the file's times do not have.
LOCAL = dict.fromkeys(("timestamp", "timestamp_utc"), pa.timestamp("us"))


def bare(sample, folder):
    types = {header: LOCAL.get(kind) or arrow_type(kind) for header, kind in sample.columns.items()}
    options = csv.ConvertOptions(column_types=types, null_values=[""], strings_can_be_null=True)
    table = csv.read_csv(sample.path, convert_options=options)
    parquet.write_table(table, folder / "bare.parquet")
    return table.num_rows, folder / "bare.parquet"


def lane(sample, folder):
    columns = columns_of(sample)
    size = sample.path.stat().st_size
    reader = CsvReader(sample.path, size=size, resolve=lambda _: columns, zone=sample.zone, sum_of=SUMMED)
    layout = Layout(CONSTANT_TYPES | {column.name: column.type for column in columns}, CONSTANTS)
    bulk = BulkLane(Storage(str(folder / "store")))
    kept = bulk.path("stripe_balance", "acct_1", "all")
    assert bulk.keep_arrays(kept, reader, layout)
    return reader.rows, Path(kept)


def main(kind, *words):
    *to, path, columns, zone = words
    sample = Sample.given(path, columns, zone)
    with tempfile.TemporaryDirectory(dir=sample.path.parent) as folder:
        started = time.process_time()
        rows, written = {"bare": bare, "lane": lane}[kind](sample, Path(folder))
        seconds = time.process_time() - started
        for place in to:
            shutil.copyfile(written, place)
    tell(rows, seconds=seconds)


if __name__ == "__main__":
    main(*sys.argv[1:])
