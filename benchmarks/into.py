"""One report file into a warehouse: `python -m benchmarks.into floor|sync|again <url> <file> <columns as JSON> <zone>`.

floor: what the database itself takes for the same cells with the same types: DuckDB reads the CSV, PostgreSQL gets it
by COPY and moves it into a table with a key. sync: our way, with all checks. again: the same rows a second time.
One line with rows, seconds (of the clock), processor seconds and peak memory goes to stderr. Imports are not counted.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from benchmarks.measure import peak_mib
from benchmarks.taps import CONSTANTS, KEYS, columns_of, tap_of
from tap_billing_reports.sync.writer import WarehouseWriter
from tap_billing_reports.warehouse.address import Engine, address_of
from tap_billing_reports.warehouse.databases import open_database
from tap_billing_reports.warehouse.loader import Loader, Options

DUCKDB = {
    "text": "VARCHAR", "currency": "VARCHAR",
    "integer": "BIGINT", "decimal": "DECIMAL(38,12)", "boolean": "BOOLEAN", "date": "DATE",
    "timestamp": "TIMESTAMP", "timestamp_utc": "TIMESTAMP",
}  # fmt: skip
POSTGRES = DUCKDB | {"text": "text", "currency": "text", "decimal": "numeric"}


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


def constants():
    return ", ".join(f"'{value}' as {name}" for name, value in CONSTANTS.items())


def floor_duckdb(path, types, url):
    import duckdb  # noqa: PLC0415

    columns = "{" + ", ".join(f"'{name}': '{DUCKDB[kind]}'" for name, kind in types.items()) + "}"
    with duckdb.connect(url.removeprefix("duckdb:")) as connection:
        started = time.monotonic(), time.process_time()
        source = f"read_csv('{path}', header = true, columns = {columns})"
        numbered = f"select {constants()}, row_number() over () as row_number, * from {source}"
        connection.execute(f"create table report as {numbered} limit 0").fetchall()
        connection.execute(f"insert into report {numbered}").fetchall()
        (rows,) = connection.execute("select count(*) from report").fetchall()[0]
        return rows, started


def floor_postgres(path, types, url):
    import psycopg  # noqa: PLC0415

    own = ", ".join(f"{quoted(name)} {POSTGRES[kind]}" for name, kind in types.items())
    same = ", ".join(f"{name} text" for name in CONSTANTS)
    with psycopg.connect(url) as connection:
        connection.execute("drop table if exists floor_report")
        key = ", ".join(KEYS)
        connection.execute(f"create table floor_report ({same}, row_number bigint, {own}, primary key ({key}))")
        started = time.monotonic(), time.process_time()
        connection.execute(f"create temp table raw ({own}) on commit drop")
        with connection.cursor().copy("copy raw from stdin (format csv, header true)") as copy, path.open("rb") as file:
            while data := file.read(1 << 20):
                copy.write(data)
        connection.execute(
            f"insert into floor_report select {constants()}, row_number() over () as row_number, * from raw"
        )
        connection.commit()
        (rows,) = connection.execute("select count(*) from floor_report").fetchone()
        return rows, started


def sync(path, types, zone, url, times):
    database = open_database(address_of(url), "bench")
    rows = 0
    for _ in range(times):
        writer = WarehouseWriter()
        tap = tap_of("fast", path, types, zone, message_writer=writer)
        loader = Loader(database, Options())
        writer.load_into(loader, database)
        started = time.monotonic(), time.process_time()
        tap.sync_all()
        loader.finish()
        rows = loader.totals.rows["stripe_balance"]
    database.close()
    return rows, started


def main():
    kind, url, name, types, zone = sys.argv[1:]
    path, types = Path(name), json.loads(types)
    columns_of(types)
    engine = address_of(url).engine
    if kind == "floor":
        rows, started = (floor_duckdb if engine is Engine.DUCKDB else floor_postgres)(path, types, url)
    else:
        rows, started = sync(path, types, zone, url, 2 if kind == "again" else 1)
    seconds, processor = time.monotonic() - started[0], time.process_time() - started[1]
    memory = peak_mib(Path("/proc/self/status").read_text())
    report = {"rows": rows, "seconds": seconds, "processor_seconds": processor, "rss_mib": memory}
    print("\n" + json.dumps(report), file=sys.stderr)


if __name__ == "__main__":
    main()
