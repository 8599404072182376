"""The bulk lane against a bare pyarrow: the same file with the same types into Parquet.

The lane is the whole way of a sync whose rows are deselected: from the downloaded file, by all checks, to the file
in the storage, with the keys and constants of every row and the sums that a summary is held against.
"""

from __future__ import annotations

from benchmarks import data
from benchmarks.measure import rate, ratio, run
from benchmarks.rss import peaks


def _ran(kind, sample):
    return run("-m", "benchmarks.lanes", kind, *sample.arguments)


def measure():
    results = {}
    # Some seconds each: in shorter ones it is the kernel's work on new memory that differs.
    for prefix, sample in {"": data.narrow(2_000_000), "wide_": data.wide(300_000)}.items():
        found, rows, bare = ratio(lambda s=sample: rate(_ran("lane", s)), lambda s=sample: rate(_ran("bare", s)))
        results[f"bulk.{prefix}ratio_to_pyarrow"] = found
        results[f"bulk.{prefix}rows_per_second"] = rows
        results[f"bulk.{prefix}pyarrow_rows_per_second"] = bare
    memory = peaks({"100mb": 100, "1gb": 1024}, lambda sample: _ran("lane", sample))
    results.update((f"bulk.rss_mib.{name}", mib) for name, mib in memory.items())
    results["bulk.rss_mib.1gb_to_100mb"] = round(results["bulk.rss_mib.1gb"] / results["bulk.rss_mib.100mb"], 3)
    return results
