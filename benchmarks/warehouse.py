"""Loading beside what the database itself takes for the same cells, and beside other targets."""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from contextlib import contextmanager
from pathlib import Path

from benchmarks import data
from benchmarks.measure import told
from scripts.airflow.measure import piped
from scripts.targets.loaders import BY_COPY, POSTGRES, TUNED, WITHOUT_METADATA, loader_of
from scripts.targets.postgres import postgres_server
from scripts.venvs import provide
from scripts.warehouse import FILE, connected

TURNS = 3
ROWS = {"narrow": 300_000, "wide": 60_000}
# What is measured: of which program which load, and by which seconds. The floor's load of the same number is its floor.
KINDS = {
    "sync": ("sync", 0, "processor_seconds"),
    "again": ("sync", 1, "processor_seconds"),
    "target": ("target", 0, "seconds"),
}
PROGRAMS = ("floor", "sync", "target")
# Other targets are asked for two sizes: what both take, such as their start, does not count.
FEW, MANY = 1_000, 30_000
# PostgreSQL's at its fastest settings, though those make floats of amounts.
OTHERS = {
    "target_postgres": (POSTGRES, {**TUNED, **BY_COPY, **WITHOUT_METADATA}),
    "target_duckdb": ("target-duckdb", {}),
}
END_TO_END, END_TO_END_ROWS = ("target-jsonl", POSTGRES, "target-duckdb"), 20_000


@contextmanager
def _places():
    with tempfile.TemporaryDirectory() as name, postgres_server(Path(name) / "postgres.log") as server:
        yield Path(name), server


def through(sample, target):
    """The rows as a tap sends them, into the pipe of a target; see `Piped`."""
    return piped([sys.executable, "-m", "benchmarks.taps", "fast", *sample.arguments], target)


def into_other(name, sample, folder, server, **settings):
    """A sample through another target with these settings more, in the environment that `make targets` gives it."""
    loader = loader_of(name)
    provide(loader.environment)
    return through(sample, loader.command(loader.place(folder, sample.path.stem, server), **settings))


def end_to_end():
    """The same rows into targets, and how much of the processor the tap takes; Parquet into DuckDB beside them."""
    found = {}
    with _places() as (folder, server):
        for target in END_TO_END:
            took = into_other(target, data.narrow(END_TO_END_ROWS), folder, server)
            found[f"end_to_end.{target}.rows_per_second"] = END_TO_END_ROWS / took.seconds
            found[f"end_to_end.{target}.tap_share_of_cpu"] = took.tap.cpu / (took.tap.cpu + took.target.cpu)
        # A report that goes the bulk lane and is read by DuckDB: checked, written, loaded.
        kept = folder / "kept.parquet"
        written = told("lanes", "lane", data.narrow(500_000), kept)
        with connected(f"{FILE}{folder / 'warehouse.duckdb'}") as database:
            started = time.monotonic()
            database.execute(f"CREATE TABLE bare AS SELECT * FROM read_parquet('{kept}')")
            seconds = written["seconds"] + time.monotonic() - started
    return found | {"end_to_end.parquet_in_duckdb.rows_per_second": written["rows"] / seconds}


def loaded(program, sample, url):
    """What `benchmarks.into` says of one load."""
    if program != "target":
        return told("into", program, sample, url)
    took = through(sample, [sys.executable, "-m", "benchmarks.into", program, url, *sample.arguments])
    return json.loads(took.log[-1])


def _others(name, settings, folder, server):
    """Rows a second of another target."""
    few, many = (into_other(name, data.narrow(rows), folder, server, **settings).seconds for rows in (FEW, MANY))
    return (MANY - FEW) / (many - few)


def warehouse():
    """See `benchmarks/into.py`. In turns.

    `sync` and `again` by processor time, the server's included, as neighbours on the machine do not count then;
    `target` by the clock: there the tap works at the same time.
    """
    found, peaks = {}, []
    with _places() as (folder, server):
        # Each load has a warehouse of its own.
        new = {"duckdb": lambda what: f"duckdb:{folder / what}.duckdb", "postgres": server.create}
        for engine, url in new.items():
            for shape, rows in ROWS.items():
                sample = getattr(data, shape)(rows)
                seen = defaultdict(list)
                for turn in range(TURNS):
                    loads = {one: loaded(one, sample, url(f"{shape}_{one}_{turn}")) for one in PROGRAMS}
                    peaks += [loads[one]["rss_mib"] for one in PROGRAMS if one != "floor"]
                    for kind, (program, number, seconds) in KINDS.items():
                        floor, ours = (loads[one]["loads"][number][seconds] for one in ("floor", program))
                        seen[f"{kind}.ratio_to_floor"].append(floor / ours)
                        seen[f"{kind}.rows_per_second"].append(loads[program]["rows"] / ours)
                found |= {f"warehouse.{engine}.{shape}.{key}": statistics.median(one) for key, one in seen.items()}
        for key, (other, settings) in OTHERS.items():
            speed = _others(other, settings, folder, server)
            ours = found[f"warehouse.{key.removeprefix('target_')}.narrow.target.rows_per_second"]
            found |= {f"warehouse.{key}.rows_per_second": speed, f"warehouse.ratio_to_{key}": ours / speed}
    return found | {"warehouse.rss_mib": max(peaks)}
