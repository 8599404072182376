"""All measurements, or those named on the command line, into one table, `results.json` and the page."""

from __future__ import annotations

import importlib
import json
import sys

from benchmarks.page import GOALS, PAGE, RESULTS, is_met, rewritten

MODULES = (
    "csv_rows", "xml_rows", "bulk", "rss", "whole_sync", "state_bytes", "startup", "waiting", "overlap", "end_to_end",
    "warehouse",
)  # fmt: skip


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


def main():
    wanted = sys.argv[1:] or MODULES
    flat, missed = {}, []
    print(f"{'measurement':44} {'value':>12}")
    for name in wanted:
        for key, value in importlib.import_module(f"benchmarks.{name}").measure().items():
            flat[key] = value
            verdict = ""
            if key in GOALS:
                verdict = f"{'ok' if is_met(key, value) else 'MISSED'} ({GOALS[key]})"
                missed += [key] * (not is_met(key, value))
            print(f"{key:44} {value:>12,} {verdict}", flush=True)
    measured = len(flat.keys() & GOALS.keys())
    print(f"goals: {measured} measured, {len(missed)} missed {', '.join(missed)}".rstrip())
    if set(wanted) >= set(MODULES):
        RESULTS.write_text(json.dumps(nested(flat), indent=2) + "\n")
        PAGE.write_text(rewritten(PAGE.read_text(encoding="utf-8"), nested(flat)), encoding="utf-8")
