"""Loading beside what the database itself takes for the same cells, and beside other targets: see `benchmarks/into.py`.

In turns. `sync` and `again` by processor time, the server's included, as neighbours on the machine do not count then;
`target` by the clock: there the tap works at the same time.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

from benchmarks import data
from benchmarks.measure import PROJECT, run
from scripts.targets.loaders import BY_COPY, LOADERS, POSTGRES, TUNED, WITHOUT_METADATA, Place
from scripts.targets.postgres import postgres_server
from scripts.venvs import provide

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
OTHERS = {"target_postgres": POSTGRES, "target_duckdb": "target-duckdb"}


class Warehouses:
    """Warehouses of one kind, each new for its load."""

    def __init__(self, folder, server):
        self.folder, self.server, self.count = folder, server, 0

    def url(self):
        self.count += 1
        if self.server is None:
            return f"duckdb:{self.folder / f'{self.count}.duckdb'}"
        self.server.create(f"bench{self.count}")
        return f"postgresql://billing@127.0.0.1:{self.server.port}/bench{self.count}"


def _arguments(sample):
    return str(sample.path), json.dumps(sample.columns), sample.zone


def loaded(kind, sample, url):
    """What `benchmarks.into` says of one load."""
    into = ("-m", "benchmarks.into", kind, url, *_arguments(sample))
    if kind != "target":
        return run(*into)
    with tempfile.TemporaryFile() as said:
        _piped(sample, [sys.executable, *into], said, PROJECT)
        said.seek(0)
        return json.loads(said.read().splitlines()[-1])


def _piped(sample, target, said, folder):
    """The rows as a tap sends them, into the pipe of a target; wall seconds."""
    started = time.monotonic()
    tap = [sys.executable, "-m", "benchmarks.taps", "fast", *_arguments(sample)]
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    with (
        open(os.devnull, "wb") as nowhere,  # noqa: PTH123
        subprocess.Popen(tap, stdout=subprocess.PIPE, stderr=nowhere, cwd=PROJECT) as source,
        subprocess.Popen(target, stdin=source.stdout, stdout=nowhere, stderr=said, cwd=folder, env=environment) as sink,
    ):
        source.stdout.close()
    if source.returncode or sink.returncode:
        raise RuntimeError(f"{target[0]}: exit status {source.returncode} and {sink.returncode}")
    return time.monotonic() - started


def _turn(sample, warehouses):
    """Of each kind of load its ratio to the floor and rows a second, and the peaks of memory."""
    reports = {program: loaded(program, sample, warehouses.url()) for program in PROGRAMS}
    ratios, speeds = {}, {}
    for kind, (program, number, seconds) in KINDS.items():
        floor, ours = (reports[one]["loads"][number][seconds] for one in ("floor", program))
        ratios[kind], speeds[kind] = floor / ours, reports[program]["rows"] / ours
    return ratios, speeds, [reports[program]["rss_mib"] for program in PROGRAMS if program != "floor"]


def _others(name, folder, server):
    """Rows a second of another target; PostgreSQL's at its fastest settings, though those make floats of amounts."""
    (loader,) = (loader for loader in LOADERS if loader.name == name)
    provide(loader.environment)
    seconds = {}
    for rows in (FEW, MANY):
        inside = folder / f"{loader.executable}{rows}"
        inside.mkdir()
        place = Place(inside, f"{loader.executable}_{rows}".replace("-", "_"), server)
        server.create(place.database)
        settings = loader.settings(place)
        if name == POSTGRES:
            settings |= {**TUNED, **BY_COPY, **WITHOUT_METADATA}
        config = inside / "config.json"
        config.write_text(json.dumps(settings))
        program = [str(loader.environment.path / "bin" / loader.executable), "--config", str(config)]
        seconds[rows] = _piped(data.narrow(rows), program, subprocess.DEVNULL, inside)
    return (MANY - FEW) / (seconds[MANY] - seconds[FEW])


def measure():
    results, peaks = {}, []
    with tempfile.TemporaryDirectory() as name, postgres_server(Path(name) / "postgres.log") as server:
        folder = Path(name)
        engines = {"duckdb": Warehouses(folder, None), "postgres": Warehouses(folder, server)}
        for engine, warehouses in engines.items():
            for shape, rows in ROWS.items():
                sample = getattr(data, shape)(rows)
                ratios, speeds = defaultdict(list), defaultdict(list)
                for _ in range(TURNS):
                    found, rates, memory = _turn(sample, warehouses)
                    peaks += memory
                    for kind in KINDS:
                        ratios[kind].append(found[kind])
                        speeds[kind].append(rates[kind])
                for kind in KINDS:
                    key = f"warehouse.{engine}.{shape}.{kind}"
                    results[f"{key}.ratio_to_floor"] = round(statistics.median(ratios[kind]), 3)
                    results[f"{key}.rows_per_second"] = round(statistics.median(speeds[kind]))
        for key, other in OTHERS.items():
            engine = key.removeprefix("target_")
            ours = results[f"warehouse.{engine}.narrow.target.rows_per_second"]
            speed = _others(other, folder, server)
            results |= {
                f"warehouse.{key}.rows_per_second": round(speed),
                f"warehouse.ratio_to_{key}": round(ours / speed, 2),
            }
    return results | {"warehouse.rss_mib": round(max(peaks), 1)}
