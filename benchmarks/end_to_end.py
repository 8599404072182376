"""The same rows into targets, and how much of the processor the tap takes; Parquet into DuckDB beside them.

Each target gets the environment that `make targets` gives it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import data
from benchmarks.measure import PROJECT, run
from scripts.targets.loaders import LOADERS, POSTGRES, Place
from scripts.targets.postgres import postgres_server
from scripts.venvs import provide

ROWS = 20_000
TARGETS = ("target-jsonl", POSTGRES, "target-duckdb")
FROM_PARQUET = """
import json, sys, time
from pathlib import Path
import duckdb
started = time.monotonic()
db = duckdb.connect(sys.argv[2])
db.sql(f"CREATE TABLE bare AS SELECT * FROM read_parquet('{sys.argv[1]}')")
((rows,),) = db.sql("SELECT count(*) FROM bare").fetchall()
json.dump({"rows": rows, "seconds": time.monotonic() - started}, sys.stderr)
"""


def _loaded(loader, place, sample):
    """Wall seconds, and the tap's share of all processor time."""
    config = place.folder.parent / f"{loader.executable}.json"
    config.write_text(json.dumps(loader.settings(place)))
    tap = [sys.executable, "-m", "benchmarks.taps", "fast", str(sample.path), json.dumps(sample.columns), sample.zone]
    target = [str(loader.environment.path / "bin" / loader.executable), "--config", str(config)]
    started = time.monotonic()
    with (
        open(os.devnull, "wb") as nowhere,  # noqa: PTH123
        subprocess.Popen(tap, stdout=subprocess.PIPE, stderr=nowhere, cwd=PROJECT) as source,
        subprocess.Popen(target, stdin=source.stdout, stdout=nowhere, stderr=nowhere, cwd=place.folder) as sink,
    ):
        source.stdout.close()
        used = {process.pid: os.wait4(process.pid, 0)[1:] for process in (source, sink)}
        for process in (source, sink):
            process.returncode = os.waitstatus_to_exitcode(used[process.pid][0])
    seconds = time.monotonic() - started
    if source.returncode or sink.returncode:
        raise RuntimeError(f"{loader.name}: exit status {source.returncode} and {sink.returncode}")
    mine, others = (used[p.pid][1].ru_utime + used[p.pid][1].ru_stime for p in (source, sink))
    return seconds, mine / (mine + others)


def measure():
    sample = data.narrow(ROWS)
    loaders = [loader for loader in LOADERS if loader.name in TARGETS]
    for loader in loaders:
        provide(loader.environment)
    results = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with postgres_server(folder / "postgres.log") as server:
            for loader in loaders:
                inside = folder / loader.name
                inside.mkdir()
                place = Place(inside, loader.executable.replace("-", "_"), server)
                server.create(place.database)
                seconds, share = _loaded(loader, place, sample)
                results[f"end_to_end.{loader.name}.rows_per_second"] = round(ROWS / seconds)
                results[f"end_to_end.{loader.name}.tap_share_of_cpu"] = round(share, 3)
        results["end_to_end.parquet_in_duckdb.rows_per_second"] = _from_parquet(data.narrow(500_000), folder)
    return results


def _from_parquet(sample, folder):
    """Rows a second of a report that goes the bulk lane and is read by DuckDB: checked, written, loaded."""
    kept = folder / "kept.parquet"
    arguments = ("lane", sample.path, json.dumps(sample.columns), sample.zone, kept)
    written = run("-m", "benchmarks.lanes", *arguments)
    loaded = run("-c", FROM_PARQUET, kept, folder / "warehouse.duckdb")
    return round(written["rows"] / (written["seconds"] + loaded["seconds"]))
