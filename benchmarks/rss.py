"""Peak memory of a sync, by the size of the report."""

from __future__ import annotations

import shutil

from benchmarks import data
from benchmarks.measure import emitted

SIZES = {"100mb": 100, "1gb": 1024, "5gb": 5120}  # MiB


def measure():
    results = {f"rss_mib.{name}": mib for name, mib in peaks(SIZES, lambda sample: emitted("fast", sample)).items()}
    results["rss_mib.5gb_to_100mb"] = round(results["rss_mib.5gb"] / results["rss_mib.100mb"], 3)
    return results


def peaks(sizes, ran):
    """Name -> MiB that `ran` reports of a report of so many MiB; the biggest files are removed again."""
    found = {}
    for name, mib in sizes.items():
        data.FOLDER.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(data.FOLDER).free < (mib + 1024) << 20:
            raise RuntimeError(f"no room for a report of {mib} MiB under {data.FOLDER}")
        sample = data.narrow_of_size(mib)
        try:
            found[name] = round(ran(sample)["rss_mib"], 1)
        finally:
            if mib > 1000:
                sample.path.unlink()
    return found
