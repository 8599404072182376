"""What is measured and must be reached, and the tables of docs/performance.md, which a test holds to the results."""

from __future__ import annotations

from pathlib import Path

RESULTS = Path(__file__).with_name("results.json")
PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
BEGIN, END = "<!-- measured: written by `make bench` -->\n\n", "<!-- end of what was measured -->"

# Engine and shape of the rows -> what `sync`, the same rows again and the target must reach of the floor's speed. Some
# are lower than what is wanted: docs/performance.md says which, and what stands in the way.
_OF_THE_FLOOR = {
    ("duckdb", "narrow"): (">= 0.55", "", ">= 0.12"),
    ("duckdb", "wide"): (">= 0.75", "", ">= 0.25"),
    ("postgres", "narrow"): (">= 0.75", ">= 1", ">= 0.28"),
    ("postgres", "wide"): (">= 0.55", ">= 1", ">= 0.28"),
}
_FLOORS = {
    "duckdb": ("DuckDB", "`INSERT ... FROM read_csv`, no key", "the same, after a delete by key"),
    "postgres": ("PostgreSQL", "COPY, then insert into a table with a key", "the same, ON CONFLICT"),
}


def _warehouse(engine, shape):
    title, first, again = _FLOORS[engine]
    columns = {"narrow": "15 columns", "wide": "66 columns"}[shape]
    told = (
        ("sync", f"`sync` into {title}, {columns}", first),
        ("again", "the same, every row again", again),
        ("target", "a tap into `target-billing-reports`, by the clock", first),
    )
    goals = _OF_THE_FLOOR[engine, shape]
    return [
        (f"warehouse.{engine}.{shape}.{kind}.ratio_to_floor", what, against, goal)
        for (kind, what, against), goal in zip(told, goals, strict=True)
    ]


# Key, what it is, what it is held against, and what must be reached. A rate of rows stands behind its ratio.
ROWS = (
    ("csv.ratio_to_sdk", "rows of 15 columns", "an SDK `Stream` with `csv.DictReader`", ">= 13"),
    (
        "csv.ratio_to_floor",
        "the same",
        "`benchmarks/floor.py`: bare csv and msgspec, the same conversions and checks",
        ">= 0.85",
    ),
    ("csv_wide.ratio_to_sdk", "66 columns, America/Los_Angeles", "an SDK `Stream` with `csv.DictReader`", ">= 9"),
    ("csv_wide.ratio_to_floor", "the same", "`benchmarks/floor.py`", ">= 0.85"),
    ("xml.ratio_to_iterparse", "reading XML lines", "lxml's `iterparse(tag='{*}Line')` with clear", ">= 0.6"),
    ("bulk.ratio_to_pyarrow", "a CSV file to Parquet, 15 columns", "bare `pyarrow.csv` to Parquet", ">= 0.4"),
    ("bulk.wide_ratio_to_pyarrow", "the same, 66 columns", "the same", ""),
    ("rss_mib.100mb", "MiB of memory, a report of 100 MB", "", ""),
    ("rss_mib.1gb", "of 1 GB", "", ""),
    ("rss_mib.5gb", "of 5 GB", "", "<= 150"),
    ("whole_sync.rss_mib.100mb", "MiB of a whole sync, order and download included, 100 MB", "", ""),
    ("whole_sync.rss_mib.1gb", "of 1 GB", "", "<= 150"),
    ("bulk.rss_mib.100mb", "MiB of the bulk lane, 100 MB", "", ""),
    ("bulk.rss_mib.1gb", "of 1 GB", "", "<= 400"),
    ("waiting.ratio_to_ideal", "40 runs of 20 s, 10 at a time", "80 s", "<= 1.15"),
    ("overlap.ratio_to_one_by_one", "slow files and a slow target, side by side", "one after the other", "<= 0.9"),
    ("startup.ratio_to_sdk_import", "`--discover`", "`import singer_sdk`, and reading the schemas", "<= 1.3"),
    ("state_bytes.10", "bytes of all STATEs of a sync, 10 accounts", "", ""),
    ("state_bytes.100", "100 accounts", "", ""),
    ("state_bytes.500", "500 accounts", "", ""),
    ("state.100000_invoices_bytes", "100,000 invoices of one account", "", ""),
    ("state.100000_invoices_seconds", "processor seconds of that sync", "", ""),
    ("state.2000_subjects_bytes", "2,000 due invoices of one account with their lines", "", ""),
    ("state.2000_subjects_messages", "STATEs of that sync", "", ""),
    ("state.2000_subjects_seconds", "its processor seconds", "", ""),
    *(row for place in _OF_THE_FLOOR for row in _warehouse(*place)),
    ("warehouse.ratio_to_target_duckdb", "the target, 15 columns, DuckDB", "target-duckdb", ">= 4.5"),
    (
        "warehouse.ratio_to_target_postgres",
        "the same, PostgreSQL",
        "meltanolabs-target-postgres at its fastest settings",
        ">= 3.5",
    ),
    ("warehouse.rss_mib", "MiB of memory, the most of all these loads", "", "<= 300"),
)
# What must be reached and has no row of its own.
GOALS = {key: goal for key, _, _, goal in ROWS if goal} | {
    "rss_mib.5gb_to_100mb": "<= 1.1",
    "bulk.rss_mib.1gb_to_100mb": "<= 1.2",
    "state.bytes_an_account_500_to_10": "<= 1.5",
}
TARGETS = ("target-jsonl", "meltanolabs-target-postgres", "target-duckdb")


def table(results):
    """The two tables of the page."""
    lines = ["| measurement | what | against | seen | goal |", "|---|---|---|---:|---:|"]
    for key, what, against, goal in ROWS:
        bound = goal.replace(">=", "≥").replace("<=", "≤")
        lines.append(f"| `{key}` | {what} | {against} | {value(results, key):,} | {bound} |")
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


def value(results, key):
    for part in key.split("."):
        results = results[part]
    return results


def is_met(key, seen):
    """Whether what was seen reaches its goal."""
    sense, bound = GOALS[key].split()
    return seen >= float(bound) if sense == ">=" else seen <= float(bound)


def rewritten(text, results):
    """The page with new tables."""
    head, begin, rest = text.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{PAGE.name} has lost its marks")
    return f"{head}{begin}{table(results)}\n{end}{tail}"
