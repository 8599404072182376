"""All measurements, or those named on the command line, into one table, `results.json` and the page."""

from __future__ import annotations

import importlib
import json
import sys

from benchmarks import page
from benchmarks.goals import GOALS, RESULTS

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
    "warehouse",
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
    print(f"{'measurement':44} {'value':>12}")
    for name in wanted:
        for key, value in importlib.import_module(f"benchmarks.{name}").measure().items():
            flat[key] = value
            print(f"{key:44} {value:>12,} {_verdict(key, value)}", flush=True)
    missed = [key for key, value in flat.items() if _verdict(key, value).startswith("MISSED")]
    measured = sum(key in flat for key, *_ in GOALS)
    print(f"goals: {measured} measured, {len(missed)} missed {', '.join(missed)}".rstrip())
    if set(wanted) >= set(MODULES):
        RESULTS.write_text(json.dumps(nested(flat), indent=2) + "\n")
        page.main()
