"""One report file into a warehouse: `python -m benchmarks.into KIND <url> <file> <columns as JSON> <zone>`.

floor: what the database itself takes for the same cells with the same types: DuckDB reads the CSV, PostgreSQL gets it
by COPY and moves it into a table with a key. Then every row again: DuckDB deletes by key and inserts, PostgreSQL
inserts with ON CONFLICT. sync: our way, with all checks, and the same rows again. target: the messages that a tap sends
to stdin.
One line goes to stderr: rows, peak memory, and of each load the seconds of the clock and of the processor (of this
process and of the server's that works for it). Imports are not counted, and `target` counts from the tap's first
message.
"""

from __future__ import annotations

import os
import select
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pyarrow.compute
import pyarrow.csv  # noqa: F401 - both here, so that the first load does not count their import

from benchmarks.data import Sample
from benchmarks.measure import tell
from benchmarks.taps import CONSTANTS, KEYS, FastStream, tap_of
from tap_billing_reports.sync.writer import WarehouseWriter
from tap_billing_reports.warehouse.address import Engine, address_of
from tap_billing_reports.warehouse.database import quoted
from tap_billing_reports.warehouse.databases import open_database
from tap_billing_reports.warehouse.listen import load_from
from tap_billing_reports.warehouse.loader import Loader, Options

TYPES = {
    "text": "text", "currency": "text", "integer": "bigint", "decimal": "numeric", "boolean": "boolean", "date": "date",
    "timestamp": "timestamp", "timestamp_utc": "timestamp",
}  # fmt: skip
DUCKDB = TYPES | {"decimal": "decimal(38,12)"}
SHARED = ", ".join(f"'{value}' as {name}" for name, value in CONSTANTS.items())
NUMBERED = f"select {SHARED}, row_number() over () as row_number, * from "


class Spent(list):
    """What each load takes: seconds of the clock and of the processor, ours and a PostgreSQL session's process's."""

    def __init__(self, connection):
        session = getattr(connection, "info", None)
        self._server = session and Path(f"/proc/{session.backend_pid}/stat")

    @contextmanager
    def load(self):
        begun = self._now()
        yield
        seconds, processor = (end - begin for begin, end in zip(begun, self._now(), strict=True))
        self.append({"seconds": seconds, "processor_seconds": processor})

    def _now(self):
        processor = time.process_time()
        if self._server:
            times = self._server.read_text().rpartition(")")[2].split()[11:13]
            processor += sum(map(int, times)) / os.sysconf("SC_CLK_TCK")
        return time.monotonic(), processor


def floor(url, sample):
    from scripts.warehouse import connected  # noqa: PLC0415 - not in the memory of the others

    loads = _duckdb_floor if address_of(url).engine is Engine.DUCKDB else _postgres_floor
    with connected(url) as connection:
        spent = Spent(connection)
        for load in loads(connection.execute, sample):
            with spent.load():
                load()
        ((rows,),) = connection.execute("select count(*) from report").fetchall()
    return rows, spent


def _duckdb_floor(run, sample):
    columns = "{" + ", ".join(f"'{name}': '{DUCKDB[kind]}'" for name, kind in sample.columns.items()) + "}"
    numbered = f"{NUMBERED} read_csv('{sample.path}', header = true, columns = {columns})"
    run(f"create table report as {numbered} limit 0")
    yield lambda: run(f"insert into report {numbered}")
    same = " and ".join(f"t.{key} = s.{key}" for key in KEYS)
    again = (
        f"begin; create temp table raw as {numbered}; delete from report t using raw s where {same}; "
        "insert into report select * from raw; commit"
    )
    yield lambda: run(again)


def _postgres_floor(run, sample):
    own = ", ".join(f"{quoted(name)} {TYPES[kind]}" for name, kind in sample.columns.items())
    shared = ", ".join(f"{name} text" for name in CONSTANTS)
    update = ", ".join(f"{quoted(name)} = excluded.{quoted(name)}" for name in sample.columns)
    key = ", ".join(KEYS)
    run(f"create table report ({shared}, row_number bigint, {own}, primary key ({key}))")

    def load(rest):
        run("begin")
        cursor = run(f"create temp table raw ({own}) on commit drop")
        with cursor.copy("copy raw from stdin (format csv, header true)") as copy, sample.path.open("rb") as file:
            while data := file.read(1 << 20):
                copy.write(data)
        run(f"insert into report {NUMBERED} raw {rest}")
        run("commit")

    yield lambda: load("")
    yield lambda: load(f"on conflict ({key}) do update set {update}")


def sync(url, sample):
    database = open_database(address_of(url), "bench")
    spent = Spent(database._con)
    for _ in range(2):
        writer = WarehouseWriter()
        tap = tap_of(FastStream, sample, message_writer=writer)
        loader = Loader(database, Options())
        writer.load_into(loader, database)
        with spent.load():
            tap.sync_all()
            loader.finish()
    database.close()
    return loader.totals.rows["stripe_balance"], spent


def target(url, _sample):
    database = open_database(address_of(url), "bench")
    loader = Loader(database, Options(keep_state=False))
    spent = Spent(database._con)
    select.select([0], [], [])
    with spent.load():
        load_from(0, loader)
    database.close()
    return loader.totals.rows["stripe_balance"], spent


def main(kind, url, *words):
    rows, spent = {"floor": floor, "sync": sync, "target": target}[kind](url, Sample.given(*words))
    tell(rows, loads=spent)


if __name__ == "__main__":
    main(*sys.argv[1:])
