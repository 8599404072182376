"""Loading beside what the database itself takes for the same cells, and beside other targets: see `benchmarks/into.py`.

In turns. `sync` and `again` by processor time, the server's included, as neighbours on the machine do not count then;
`target` by the clock: there the tap works at the same time.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

from benchmarks import data, end_to_end
from benchmarks.measure import PROJECT, piped, run
from scripts.targets.loaders import BY_COPY, POSTGRES, TUNED, WITHOUT_METADATA
from scripts.targets.postgres import postgres_server

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


def loaded(program, sample, url):
    """What `benchmarks.into` says of one load."""
    into = ("-m", "benchmarks.into", program, url, *sample.arguments)
    if program != "target":
        return run(*into)
    with tempfile.TemporaryFile() as said:
        piped(sample, [sys.executable, *into], PROJECT, said)
        said.seek(0)
        return json.loads(said.read().splitlines()[-1])


def _others(name, settings, folder, server):
    """Rows a second of another target."""
    few, many = (end_to_end.loaded(name, data.narrow(rows), folder, server, **settings)[0] for rows in (FEW, MANY))
    return (MANY - FEW) / (many - few)


def measure():
    results, peaks = {}, []
    with tempfile.TemporaryDirectory() as name, postgres_server(Path(name) / "postgres.log") as server:
        folder = Path(name)
        # Each load has a warehouse of its own.
        new = {"duckdb": lambda what: f"duckdb:{folder / what}.duckdb", "postgres": server.create}
        for engine, url in new.items():
            for shape, rows in ROWS.items():
                sample = getattr(data, shape)(rows)
                found = defaultdict(list)
                for turn in range(TURNS):
                    told = {one: loaded(one, sample, url(f"{shape}_{one}_{turn}")) for one in PROGRAMS}
                    peaks += [told[one]["rss_mib"] for one in PROGRAMS if one != "floor"]
                    for kind, (program, number, seconds) in KINDS.items():
                        floor, ours = (told[one]["loads"][number][seconds] for one in ("floor", program))
                        found[f"{kind}.ratio_to_floor"].append(floor / ours)
                        found[f"{kind}.rows_per_second"].append(told[program]["rows"] / ours)
                for key, seen in found.items():
                    digits = 3 if "ratio" in key else None
                    results[f"warehouse.{engine}.{shape}.{key}"] = round(statistics.median(seen), digits)
        for key, (other, settings) in OTHERS.items():
            engine = key.removeprefix("target_")
            ours = results[f"warehouse.{engine}.narrow.target.rows_per_second"]
            speed = _others(other, settings, folder, server)
            results[f"warehouse.{key}.rows_per_second"] = round(speed)
            results[f"warehouse.ratio_to_{key}"] = round(ours / speed, 2)
    return results | {"warehouse.rss_mib": round(max(peaks), 1)}
