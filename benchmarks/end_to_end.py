"""The same rows into targets, and how much of the processor the tap takes; Parquet into DuckDB beside them.

Each target gets the environment that `make targets` gives it.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from benchmarks import data
from benchmarks.measure import piped, run
from scripts.targets.loaders import LOADERS, POSTGRES
from scripts.targets.postgres import postgres_server
from scripts.targets.trial import place_of
from scripts.venvs import provide

ROWS = 20_000
TARGETS = ("target-jsonl", POSTGRES, "target-duckdb")
FROM_PARQUET = """
import json, sys, time
import duckdb
started = time.monotonic()
db = duckdb.connect(sys.argv[2])
db.sql(f"CREATE TABLE bare AS SELECT * FROM read_parquet('{sys.argv[1]}')")
((rows,),) = db.sql("SELECT count(*) FROM bare").fetchall()
json.dump({"rows": rows, "seconds": time.monotonic() - started}, sys.stderr)
"""


def loaded(name, sample, folder, server, **settings):
    """A sample through another target with these settings more: wall seconds, the tap's share of processor time."""
    (loader,) = (loader for loader in LOADERS if loader.name == name)
    provide(loader.environment)
    place = place_of(loader, folder, sample.path.stem, server)
    config = folder / f"{place.database}.json"
    config.write_text(json.dumps(loader.settings(place) | settings))
    program = str(loader.environment.path / "bin" / loader.executable)
    return piped(sample, [program, "--config", str(config)], place.folder)


def measure():
    results = {}
    with tempfile.TemporaryDirectory() as name, postgres_server(Path(name) / "postgres.log") as server:
        for target in TARGETS:
            seconds, share = loaded(target, data.narrow(ROWS), Path(name), server)
            results[f"end_to_end.{target}.rows_per_second"] = round(ROWS / seconds)
            results[f"end_to_end.{target}.tap_share_of_cpu"] = round(share, 3)
        results["end_to_end.parquet_in_duckdb.rows_per_second"] = _from_parquet(data.narrow(500_000), Path(name))
    return results


def _from_parquet(sample, folder):
    """Rows a second of a report that goes the bulk lane and is read by DuckDB: checked, written, loaded."""
    kept = folder / "kept.parquet"
    written = run("-m", "benchmarks.lanes", "lane", *sample.arguments, kept)
    read = run("-c", FROM_PARQUET, kept, folder / "warehouse.duckdb")
    return round(written["rows"] / (written["seconds"] + read["seconds"]))
