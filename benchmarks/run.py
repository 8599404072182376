"""All measurements, or those named on the command line, into one table and `results.json`."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

RESULTS = Path(__file__).with_name("results.json")
MODULES = (
    "csv_rows",
    "xml_rows",
    "bulk",
    "rss",
    "whole_sync",
    "state_bytes",
    "startup",
    "waiting",
    "overlap",
    "end_to_end",
)
# What must be reached: (key, at least or at most, value).
GOALS = (
    ("csv.ratio_to_sdk", ">=", 13),
    ("csv.ratio_to_floor", ">=", 0.85),
    ("csv_wide.ratio_to_sdk", ">=", 9),
    ("csv_wide.ratio_to_floor", ">=", 0.85),
    ("xml.ratio_to_iterparse", ">=", 0.6),
    ("rss_mib.5gb", "<=", 150),
    ("rss_mib.5gb_to_100mb", "<=", 1.1),
    ("whole_sync.rss_mib.1gb", "<=", 150),
    ("bulk.ratio_to_pyarrow", ">=", 0.4),
    ("bulk.rss_mib.1gb", "<=", 400),
    ("state.bytes_an_account_500_to_10", "<=", 1.5),
    ("startup.ratio_to_sdk_import", "<=", 1.3),
    ("waiting.ratio_to_ideal", "<=", 1.15),
    ("overlap.ratio_to_one_by_one", "<=", 0.9),
)


def nested(flat):
    """`{"a.b": 1}` as `{"a": {"b": 1}}`."""
    result = {}
    for key, value in flat.items():
        *path, last = key.split(".")
        place = result
        for part in path:
            place = place.setdefault(part, {})
        place[last] = value
    return result


def _verdict(key, value):
    for goal, sense, bound in GOALS:
        if goal == key:
            met = value >= bound if sense == ">=" else value <= bound
            return f"{'ok' if met else 'MISSED'} ({sense} {bound:g})"
    return ""


def main():
    wanted = sys.argv[1:] or MODULES
    flat = {}
    print(f"{'measurement':34} {'value':>12}")
    for name in wanted:
        for key, value in importlib.import_module(f"benchmarks.{name}").measure().items():
            flat[key] = value
            print(f"{key:34} {value:>12,} {_verdict(key, value)}", flush=True)
    missed = [key for key, value in flat.items() if _verdict(key, value).startswith("MISSED")]
    measured = sum(key in flat for key, *_ in GOALS)
    print(f"goals: {measured} measured, {len(missed)} missed {', '.join(missed)}".rstrip())
    if set(wanted) >= set(MODULES):
        RESULTS.write_text(json.dumps(nested(flat), indent=2) + "\n")
