"""The bulk lane against a bare pyarrow: the same file with the same types into Parquet.

The lane is the whole way of a sync whose rows are deselected: from the downloaded file, by all checks, to the file
in the storage, with the keys and constants of every row and the sums that a summary is held against.
"""

from __future__ import annotations

import json

from benchmarks import data
from benchmarks.measure import rate, ratio, run
from benchmarks.rss import peaks


def _ran(kind, sample):
    return run("-m", "benchmarks.lanes", kind, sample.path, json.dumps(sample.columns), sample.zone)


def _against_bare(sample):
    return ratio(lambda: rate(_ran("lane", sample)), lambda: rate(_ran("bare", sample)))


def measure():
    # Some seconds each: in shorter ones it is the kernel's work on new memory that differs.
    narrow, rows, bare = _against_bare(data.narrow(2_000_000))
    wide, wide_rows, wide_bare = _against_bare(data.wide(300_000))
    results = {
        "bulk.ratio_to_pyarrow": narrow,
        "bulk.rows_per_second": rows,
        "bulk.pyarrow_rows_per_second": bare,
        "bulk.wide_ratio_to_pyarrow": wide,
        "bulk.wide_rows_per_second": wide_rows,
        "bulk.wide_pyarrow_rows_per_second": wide_bare,
    }
    memory = peaks({"100mb": 100, "1gb": 1024}, lambda sample: _ran("lane", sample))
    results.update((f"bulk.rss_mib.{name}", mib) for name, mib in memory.items())
    results["bulk.rss_mib.1gb_to_100mb"] = round(results["bulk.rss_mib.1gb"] / results["bulk.rss_mib.100mb"], 3)
    return results
