"""CSV rows: ours against the SDK's own path, and against the floor."""

from __future__ import annotations

from benchmarks import data
from benchmarks.measure import emitted, rate, ratio


def _against_both(name, ours, stock):
    to_sdk, fast, slow = ratio(lambda: rate(emitted("fast", ours)), lambda: rate(emitted("stock", stock)))
    to_floor, _, floor = ratio(lambda: rate(emitted("fast", ours)), lambda: rate(emitted("floor", ours)))
    return {
        f"{name}.ratio_to_sdk": to_sdk,
        f"{name}.ratio_to_floor": to_floor,
        f"{name}.rows_per_second": fast,
        f"{name}.sdk_rows_per_second": slow,
        f"{name}.floor_rows_per_second": floor,
    }


def measure():
    # The stock path gets fewer rows: its rate does not depend on them, and it would take minutes.
    return _against_both("csv", data.narrow(500_000), data.narrow(50_000)) | _against_both(
        "csv_wide", data.wide(100_000), data.wide(10_000)
    )
