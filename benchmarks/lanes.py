"""One file into Parquet: `python -m benchmarks.lanes lane|bare <file> <columns as JSON> <zone> [<to>]`.

One line with rows, processor seconds and peak memory goes to stderr. Imports are not counted.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.compute  # so that its import is not counted
from pyarrow import csv, parquet

from benchmarks.measure import tell
from benchmarks.taps import CONSTANTS, columns_of
from tap_billing_reports.reports.files.parquet import BulkLane, Layout
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
TYPES = {
    "text": pa.string(),
    "currency": pa.string(),
    "integer": pa.int64(),
    "decimal": pa.decimal128(38, 12),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
    "timestamp_utc": pa.timestamp("us"),
}


def bare(path, types, _zone, folder):
    options = csv.ConvertOptions(
        column_types={header: TYPES[kind] for header, kind in types.items()}, null_values=[""], strings_can_be_null=True
    )
    table = csv.read_csv(path, convert_options=options)
    parquet.write_table(table, folder / "bare.parquet")
    return table.num_rows, folder / "bare.parquet"


def lane(path, types, zone, folder):
    columns = columns_of(types)
    reader = CsvReader(path, size=path.stat().st_size, resolve=lambda _: columns, zone=zone, sum_of=SUMMED)
    layout = Layout(CONSTANT_TYPES | {column.name: column.type for column in columns}, CONSTANTS)
    bulk = BulkLane(Storage(str(folder / "store")))
    kept = bulk.path("stripe_balance", "acct_1", "all")
    assert bulk.keep_arrays(kept, reader, layout)
    return reader.rows, Path(kept)


def main():
    kind, name, types, zone, *to = sys.argv[1:]
    path, types = Path(name), json.loads(types)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        started = time.process_time()
        rows, written = (bare if kind == "bare" else lane)(path, types, zone, Path(folder))
        seconds = time.process_time() - started
        for place in to:
            shutil.copyfile(written, place)
    tell(rows, seconds=seconds)


if __name__ == "__main__":
    main()
