"""What a sync says of its files does not depend on who takes the rows: the target, the bulk lane, both or nobody."""

from __future__ import annotations

import dataclasses
import shutil
from typing import Any

import pyarrow.parquet as pq
import pytest

from tap_billing_reports.reports.files.readers.csv import CsvReader
from tests.reports.bulk.bench import ITEMIZED, NOW, ROWS
from tests.running import selecting

SUMMARY = "balance_change_from_activity.summary.1"
SUMS = "stripe_balance_change_from_activity_summary_1"
ALWAYS = ("report_files", "report_runs", "reconciliations", "invoices")
# A month in which the clock is put back.
REPORTS = [
    {"report_type": kind, "window": "month", "timezone": "Europe/Oslo", "columns": columns}
    for kind, columns in (
        (ITEMIZED, ["balance_transaction_id", "created", "currency", "gross", "fee", "net", "reporting_category"]),
        (SUMMARY, ["reporting_category", "currency", "count", "gross", "fee", "net"]),
    )
]


def told(result: Any) -> dict[str, Any]:
    """Files, runs and checks, but for when and where; and the STATE, but for whether the rows have been sent."""
    streams = {
        stream: sorted(
            (
                {key: value for key, value in record.items() if not key.endswith(("_at", "uri"))}
                for record in result.of(stream)
            ),
            key=str,
        )
        for stream in ALWAYS
    }
    ledgers = {
        name: [{key: value for key, value in part.items() if key != "unsent"} for part in entry["ledger"]]
        for name, entry in result.state["bookmarks"].items()
        if "ledger" in entry
    }
    return {**streams, "ledgers": ledgers}


@pytest.fixture
def passes(monkeypatch) -> dict[str, int]:
    """How often files were read as rows, and as arrays to the end."""
    counted = {"rows": 0, "arrays": 0}
    chunks, arrays = CsvReader.chunks, CsvReader.arrays

    def counted_chunks(self, *given):
        counted["rows"] += 1
        return chunks(self, *given)

    def counted_arrays(self):
        yield from arrays(self)
        counted["arrays"] += 1

    monkeypatch.setattr(CsvReader, "chunks", counted_chunks)
    monkeypatch.setattr(CsvReader, "arrays", counted_arrays)
    return counted


def run(bulk, *, lane: bool, selected: bool, options: dict[str, Any], **more: Any) -> Any:
    bulk.control.reset(at=NOW)
    bulk.control.options.update(options)
    config = {name: value for name, value in bulk.config().items() if not name.startswith("bring")}
    config["stripe_reports"] = REPORTS
    # A storage of its own: another sync's would know the runs already.
    config["storage_url"] = str(bulk.store / ("rows and arrays" if selected else "arrays"))
    if not lane:
        del config["storage_url"]
    names = (*ALWAYS, ROWS, SUMS) if selected else ALWAYS
    try:
        return bulk.run(config, catalog=selecting(config, *names), **more)
    finally:
        bulk.control.options.clear()


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"stripe_csv_crlf": True, "stripe_csv_bom": True, "stripe_extra_columns": {"brand_new": 'a "b", c\n'}},
        {"stripe_run_rules": [{"match": {"report_type": "itemized"}, "do": {"drop_rows": 1}}]},
    ],
    ids=["good", "odd", "lost row"],
)
def test_files_checks_and_state_are_the_same(bulk, passes, options):
    ways = {}
    for lane in (True, False):
        for selected in (True, False):
            passes.update(rows=0, arrays=0)
            result = run(bulk, lane=lane, selected=selected, options=options)
            assert result.status == 0, result.log
            assert bool(result.of(ROWS)) == selected
            # Two months of two reports. Unselected rows are read once, and only where the lane does not take them.
            assert passes == {"rows": 0 if lane and not selected else 4, "arrays": 4 if lane else 0}
            ways[lane, selected] = told(result)
    first = ways[True, False]
    checks = {record["check"] for record in first["reconciliations"]}
    assert {"file_bytes", "itemized_vs_summary", "ambiguous_local_times", "windows_contiguous"} <= checks
    assert len(first["report_files"]) == 4
    assert all(record["rows"] for record in first["report_files"])
    for way in ways.values():
        for part in first:
            assert way[part] == first[part]


def test_the_rows_kept_are_the_same_whoever_has_read_them(bulk, passes):
    kept = []
    for selected in (True, False):
        result = run(bulk, lane=True, selected=selected, options={})
        assert result.status == 0, result.log
        kept.append([pq.ParquetFile(path).read() for path in sorted(bulk.store.glob("*/parquet/*/*/*/*"))])
        shutil.rmtree(bulk.store)
    assert len(kept[0]) == 4
    assert kept[0] == kept[1]
    assert passes == {"rows": 4, "arrays": 8}


@pytest.mark.parametrize("cell", ["TRUE", "maybe"])
def test_what_is_not_plain_is_decided_by_our_reader_with_its_line(bulk, passes, cell):
    """A file that our reader takes, and one that it refuses: the same, selected or not, lane or not."""
    ways = []
    for lane in (True, False):
        for selected in (True, False):
            odd = {"stripe_extra_columns": {"is_odd": cell}}
            result = run(bulk, lane=lane, selected=selected, options=odd, prepare=as_boolean)
            ways.append(told(result))
            if cell == "TRUE":
                assert result.status == 0, result.log
            else:
                assert result.status == 1
                assert "line 2: column 'is_odd' does not hold a value of type boolean" in result.log
                assert not result.of("report_files")
                # What is open names the files that are kept.
                ledgers = ways[-1].pop("ledgers").values()
                assert not any("through" in entry for ledger in ledgers for entry in ledger)
    assert ways == [ways[0]] * 4
    assert passes["arrays"] == 0
    kept = [*bulk.store.glob("*/parquet/*/*/*/*")]
    assert len(kept) == (8 if cell == "TRUE" else 0)
    assert {row["is_odd"] for path in kept for row in pq.ParquetFile(path).read().to_pylist()} <= {True}


def as_boolean(tap: Any) -> None:
    """The vendor's new column has a type."""
    for name in (ROWS, SUMS):
        stream = tap.streams[name]
        known = stream._api.column_type

        def column_type(report, header, known=known):
            return "boolean" if header == "is_odd" else known(report, header)

        stream._api = dataclasses.replace(stream._api, column_type=column_type)
