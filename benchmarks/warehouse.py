"""Loading beside what the database itself takes for the same cells: see `benchmarks/into.py`.

By the clock, in turns: a database works in threads and processes of its own, whose processor time is no one's.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from benchmarks import data
from benchmarks.measure import ratio, run
from scripts.targets.postgres import postgres_server


class Place:
    """Warehouses of one kind, each new for its load."""

    def __init__(self, folder, server):
        self.folder, self.server, self.count = folder, server, 0

    def url(self):
        self.count += 1
        if self.server is None:
            return f"duckdb:{self.folder / f'{self.count}.duckdb'}"
        self.server.create(f"bench{self.count}")
        return f"postgresql://billing@127.0.0.1:{self.server.port}/bench{self.count}"


def _loaded(kind, sample, place):
    return run("-m", "benchmarks.into", kind, place.url(), sample.path, json.dumps(sample.columns), sample.zone)


def _rate(report):
    return report["rows"] / report["seconds"]


def measure():
    samples = {"narrow": data.narrow(500_000), "wide": data.wide(100_000)}
    results, peaks = {}, []
    with tempfile.TemporaryDirectory() as name, postgres_server(Path(name) / "postgres.log") as server:
        for engine, place in (("duckdb", Place(Path(name), None)), ("postgres", Place(Path(name), server))):
            for shape, sample in samples.items():
                for kind in ("sync", "again"):

                    def mine(kind=kind, sample=sample, place=place):
                        report = _loaded(kind, sample, place)
                        peaks.append(report["rss_mib"])
                        return _rate(report)

                    def floor(sample=sample, place=place):
                        return _rate(_loaded("floor", sample, place))

                    key = f"warehouse.{engine}.{shape}.{kind}"
                    to_floor, rows, _ = ratio(mine, floor)
                    results |= {f"{key}.ratio_to_floor": to_floor, f"{key}.rows_per_second": rows}
    return results | {"warehouse.rss_mib": round(max(peaks), 1)}
