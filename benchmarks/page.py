"""Writes what was measured into docs/performance.md, from `results.json`; a test holds the two together."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.goals import GOALS, RESULTS

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
BEGIN, END = "<!-- measured: written by `make bench` -->\n\n", "<!-- end of what was measured -->"
# Key, what it is, and what it is held against. A rate of rows stands behind its ratio.
ROWS = (
    ("csv.ratio_to_sdk", "rows of 15 columns", "an SDK `Stream` with `csv.DictReader`"),
    ("csv.ratio_to_floor", "the same", "`benchmarks/floor.py`: bare csv and msgspec, the same conversions and checks"),
    ("csv_wide.ratio_to_sdk", "66 columns, America/Los_Angeles", "an SDK `Stream` with `csv.DictReader`"),
    ("csv_wide.ratio_to_floor", "the same", "`benchmarks/floor.py`"),
    ("xml.ratio_to_iterparse", "reading XML lines", "lxml's `iterparse(tag='{*}Line')` with clear"),
    ("bulk.ratio_to_pyarrow", "a CSV file to Parquet, 15 columns", "bare `pyarrow.csv` to Parquet"),
    ("bulk.wide_ratio_to_pyarrow", "the same, 66 columns", "the same"),
    ("rss_mib.100mb", "MiB of memory, a report of 100 MB", ""),
    ("rss_mib.1gb", "of 1 GB", ""),
    ("rss_mib.5gb", "of 5 GB", ""),
    ("whole_sync.rss_mib.100mb", "MiB of a whole sync, order and download included, 100 MB", ""),
    ("whole_sync.rss_mib.1gb", "of 1 GB", ""),
    ("bulk.rss_mib.100mb", "MiB of the bulk lane, 100 MB", ""),
    ("bulk.rss_mib.1gb", "of 1 GB", ""),
    ("waiting.ratio_to_ideal", "40 runs of 20 s, 10 at a time", "80 s"),
    ("overlap.ratio_to_one_by_one", "slow files and a slow target, side by side", "one after the other"),
    ("startup.ratio_to_sdk_import", "`--discover`", "`import singer_sdk`, and reading the schemas"),
    ("state_bytes.10", "bytes of all STATEs of a sync, 10 accounts", ""),
    ("state_bytes.100", "100 accounts", ""),
    ("state_bytes.500", "500 accounts", ""),
    ("state.100000_invoices_bytes", "100,000 invoices of one account", ""),
    ("state.100000_invoices_seconds", "processor seconds of that sync", ""),
    ("state.2000_subjects_bytes", "2,000 due invoices of one account with their lines", ""),
    ("state.2000_subjects_messages", "STATEs of that sync", ""),
    ("state.2000_subjects_seconds", "its processor seconds", ""),
    *(
        (f"warehouse.{engine}.{shape}.{kind}.ratio_to_floor", what.format(f"{title}, {columns}"), floor)
        for engine, title, floors in (
            ("duckdb", "DuckDB", ("`INSERT ... FROM read_csv`, no key", "the same, after a delete by key")),
            ("postgres", "PostgreSQL", ("COPY, then insert into a table with a key", "the same, ON CONFLICT")),
        )
        for shape, columns in (("narrow", "15 columns"), ("wide", "66 columns"))
        for kind, what, floor in (
            ("sync", "`sync` into {}", floors[0]),
            ("again", "the same, every row again", floors[1]),
            ("target", "a tap into `target-billing-reports`, by the clock", floors[0]),
        )
    ),
    ("warehouse.ratio_to_target_duckdb", "the target, 15 columns, DuckDB", "target-duckdb"),
    (
        "warehouse.ratio_to_target_postgres",
        "the same, PostgreSQL",
        "meltanolabs-target-postgres at its fastest settings",
    ),
    ("warehouse.rss_mib", "MiB of memory, the most of all these loads", ""),
)
TARGETS = ("target-jsonl", "meltanolabs-target-postgres", "target-duckdb")


def table(results):
    """The two tables of the page."""
    goals = {key: f"{sense} {bound:g}".replace(">=", "≥").replace("<=", "≤") for key, sense, bound in GOALS}
    lines = ["| measurement | what | against | seen | goal |", "|---|---|---|---:|---:|"]
    for key, what, against in ROWS:
        if not is_measured(results, key):
            continue
        lines.append(f"| `{key}` | {what} | {against} | {value(results, key):,} | {goals.get(key, '')} |")
    speeds = {"15 columns": "csv", "66 columns": "csv_wide", "XML": "xml", "Parquet": "bulk"}
    said = ", ".join(f"{value(results, f'{key}.rows_per_second'):,} ({what})" for what, key in speeds.items())
    lines += ["", f"Rows a second of one core: {said}.", ""]
    lines += ["| 20,000 rows into | rows a second, real time | the tap's share of the processor |", "|---|---:|---:|"]
    for target in TARGETS:
        speed, share = (value(results, f"end_to_end.{target}.{key}") for key in ("rows_per_second", "tap_share_of_cpu"))
        lines.append(f"| {target} | {speed:,} | {share:.0%} |")
    speed = value(results, "end_to_end.parquet_in_duckdb.rows_per_second")
    lines.append(f"| Parquet, then DuckDB (500,000 rows) | {speed:,} | |")
    return "\n".join(lines) + "\n"


def is_measured(results, key):
    """Whether the benchmark that a key is of has been run since it is one."""
    return key.partition(".")[0] in results


def value(results, key):
    for part in key.split("."):
        results = results[part]
    return results


def rewritten(text, results):
    """The page with new tables."""
    head, begin, rest = text.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{PAGE.name} has lost its marks")
    return f"{head}{begin}{table(results)}\n{end}{tail}"


def main():
    results = json.loads(RESULTS.read_text())
    PAGE.write_text(rewritten(PAGE.read_text(encoding="utf-8"), results), encoding="utf-8")


if __name__ == "__main__":
    main()
