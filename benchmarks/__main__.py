"""All measurements, or the parts named on the command line, as one table; of all, also `results.json` and the page."""

from __future__ import annotations

import json
import sys

from benchmarks import page, rows, syncs, warehouse

PARTS = {
    part.__name__: part
    for part in (
        rows.csv_rows, rows.xml_rows, rows.bulk, rows.rss, syncs.whole_sync, syncs.state_bytes, syncs.startup,
        syncs.waiting, syncs.overlap, warehouse.end_to_end, warehouse.warehouse,
    )
}  # fmt: skip


def main(wanted):
    text = page.PAGE.read_text(encoding="utf-8")
    goals = {key: goal for key, goal in page.figures(text).items() if goal}
    found, missed = {}, []
    print(f"{'measurement':44} {'value':>12}")
    for part in wanted:
        for key, seen in PARTS[part]().items():
            found[key] = value = page.rounded(seen)
            verdict = ""
            if key in goals:
                is_met = page.is_met(goals[key], value)
                verdict = f"{'ok' if is_met else 'MISSED'} ({goals[key]})"
                missed += [key] * (not is_met)
            print(f"{key:44} {value:>12,} {verdict}", flush=True)
    print(f"goals: {len(found.keys() & goals.keys())} measured, {len(missed)} missed {', '.join(missed)}".rstrip())
    if {*PARTS} <= {*wanted}:
        page.RESULTS.write_text(json.dumps(page.nested(found), indent=2) + "\n")
        page.PAGE.write_text(page.rewritten(text, page.nested(found)), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:] or PARTS)
