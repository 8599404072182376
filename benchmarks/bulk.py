"""The bulk lane against a bare pyarrow: the same file with the same types into Parquet."""

from __future__ import annotations

import json

from benchmarks import data
from benchmarks.measure import rate, ratio, run


def _ran(kind, sample):
    return run("-m", "benchmarks.lanes", kind, sample.path, json.dumps(sample.columns), sample.zone)


def _against_bare(sample):
    """The lane alone, and the lane with the reading that checks the file, each by a bare pyarrow."""
    lane, rows, bare = ratio(lambda: rate(_ran("lane", sample)), lambda: rate(_ran("bare", sample)))
    whole, checked, _ = ratio(lambda: rate(_ran("checked", sample)), lambda: rate(_ran("bare", sample)))
    return lane, whole, rows, checked, bare


def measure():
    lane, whole, rows, checked, bare = _against_bare(data.narrow(500_000))
    wide_lane, wide_whole, *_ = _against_bare(data.wide(100_000))
    results = {
        "bulk.ratio_to_pyarrow": lane,
        "bulk.with_checks_ratio_to_pyarrow": whole,
        "bulk.rows_per_second": rows,
        "bulk.with_checks_rows_per_second": checked,
        "bulk.pyarrow_rows_per_second": bare,
        "bulk.wide_ratio_to_pyarrow": wide_lane,
        "bulk.wide_with_checks_ratio_to_pyarrow": wide_whole,
    }
    for name, mib in {"100mb": 100, "1gb": 1024}.items():
        sample = data.narrow_of_size(mib)
        try:
            results[f"bulk.rss_mib.{name}"] = round(_ran("lane", sample)["rss_mib"], 1)
        finally:
            if mib > 1000:
                data.remove(sample)
    return results
