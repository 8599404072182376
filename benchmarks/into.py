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

import json
import os
import select
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pyarrow.compute
import pyarrow.csv  # noqa: F401 - both here, so that the first load does not count their import

from benchmarks.measure import tell
from benchmarks.taps import CONSTANTS, KEYS, columns_of, tap_of
from tap_billing_reports.sync.writer import WarehouseWriter
from tap_billing_reports.warehouse.address import Engine, address_of
from tap_billing_reports.warehouse.database import quoted
from tap_billing_reports.warehouse.databases import open_database
from tap_billing_reports.warehouse.listen import load_from
from tap_billing_reports.warehouse.loader import Loader, Options

DUCKDB = {
    "text": "VARCHAR", "currency": "VARCHAR",
    "integer": "BIGINT", "decimal": "DECIMAL(38,12)", "boolean": "BOOLEAN", "date": "DATE",
    "timestamp": "TIMESTAMP", "timestamp_utc": "TIMESTAMP",
}  # fmt: skip
POSTGRES = DUCKDB | {"text": "text", "currency": "text", "decimal": "numeric"}


class Spent(list):
    """What each load takes: seconds of the clock and of the processor, ours and a PostgreSQL session's process's."""

    def __init__(self, database=None, server=None):
        self.server = database._con.info.backend_pid if database and database.amounts_as_text else server

    @contextmanager
    def load(self):
        begun = self._now()
        yield
        seconds, processor = (end - begin for begin, end in zip(begun, self._now(), strict=True))
        self.append({"seconds": seconds, "processor_seconds": processor})

    def _now(self):
        processor = time.process_time()
        if self.server is not None:
            times = Path(f"/proc/{self.server}/stat").read_text().rpartition(")")[2].split()[11:13]
            processor += sum(map(int, times)) / os.sysconf("SC_CLK_TCK")
        return time.monotonic(), processor


def constants():
    return ", ".join(f"'{value}' as {name}" for name, value in CONSTANTS.items())


def floor_duckdb(path, types, url):
    import duckdb  # noqa: PLC0415

    columns = "{" + ", ".join(f"'{name}': '{DUCKDB[kind]}'" for name, kind in types.items()) + "}"
    with duckdb.connect(url.removeprefix("duckdb:")) as connection:

        def run(sql):
            return connection.execute(sql).fetchall()

        source = f"read_csv('{path}', header = true, columns = {columns})"
        numbered = f"select {constants()}, row_number() over () as row_number, * from {source}"
        run(f"create table report as {numbered} limit 0")
        spent = Spent()
        with spent.load():
            run(f"insert into report {numbered}")
        same = " and ".join(f"t.{key} = s.{key}" for key in KEYS)
        with spent.load():
            run("begin")
            run(f"create temp table raw as {numbered}")
            run(f"delete from report t using raw s where {same}")
            run("insert into report select * from raw")
            run("commit")
        ((rows,),) = run("select count(*) from report")
        return rows, spent


def floor_postgres(path, types, url):
    import psycopg  # noqa: PLC0415

    own = ", ".join(f"{quoted(name)} {POSTGRES[kind]}" for name, kind in types.items())
    same = ", ".join(f"{name} text" for name in CONSTANTS)
    update = ", ".join(f"{quoted(name)} = excluded.{quoted(name)}" for name in types)
    with psycopg.connect(url) as connection:
        connection.execute("drop table if exists floor_report")
        key = ", ".join(KEYS)
        connection.execute(f"create table floor_report ({same}, row_number bigint, {own}, primary key ({key}))")
        spent = Spent(server=connection.info.backend_pid)
        numbered = f"select {constants()}, row_number() over () as row_number, * from raw"
        for rest in ("", f"on conflict ({key}) do update set {update}"):
            with spent.load():
                connection.execute(f"create temp table raw ({own}) on commit drop")
                copied = connection.cursor().copy("copy raw from stdin (format csv, header true)")
                with copied as copy, path.open("rb") as file:
                    while data := file.read(1 << 20):
                        copy.write(data)
                connection.execute(f"insert into floor_report {numbered} {rest}")
                connection.commit()
        (rows,) = connection.execute("select count(*) from floor_report").fetchone()
        return rows, spent


def sync(path, types, zone, url):
    database = open_database(address_of(url), "bench")
    spent = Spent(database)
    for _ in range(2):
        writer = WarehouseWriter()
        tap = tap_of("fast", path, types, zone, message_writer=writer)
        loader = Loader(database, Options())
        writer.load_into(loader, database)
        with spent.load():
            tap.sync_all()
            loader.finish()
        rows = loader.totals.rows["stripe_balance"]
    database.close()
    return rows, spent


def target(url):
    database = open_database(address_of(url), "bench")
    loader = Loader(database, Options(keep_state=False))
    spent = Spent(database)
    select.select([0], [], [])
    with spent.load():
        load_from(0, loader)
    database.close()
    return loader.totals.rows["stripe_balance"], spent


def main():
    kind, url, name, types, zone = sys.argv[1:]
    path, types = Path(name), json.loads(types)
    columns_of(types)
    engine = address_of(url).engine
    if kind == "floor":
        rows, spent = (floor_duckdb if engine is Engine.DUCKDB else floor_postgres)(path, types, url)
    elif kind == "target":
        rows, spent = target(url)
    else:
        rows, spent = sync(path, types, zone, url)
    tell(rows, loads=spent)


if __name__ == "__main__":
    main()
