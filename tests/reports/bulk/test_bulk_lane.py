"""Reports as Parquet: the same rows as the target gets, typed, one file a period, read by engines as they lie."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tap_billing_reports.reports.files import parquet
from tests.reports.bulk.bench import ITEMIZED, ROWS
from tests.running import selecting

LINES = "bring_invoice_lines"
ARROW = {"decimal": pa.decimal128(38, 12), "date-time": pa.timestamp("us", "UTC"), "date": pa.date32()}


def as_rows(paths) -> list[dict[str, Any]]:
    return [row for path in paths for row in pq.ParquetFile(path).read().to_pylist()]


def as_sent(row: dict[str, Any], kinds: dict[str, Any]) -> dict[str, Any]:
    """A Parquet row as the target gets it, amounts as numbers."""
    sent = dict(row)
    for name, value in row.items():
        if value is None:
            continue
        if kinds[name].get("format") == "date-time":
            sent[name] = value.replace(tzinfo=None).isoformat() + "Z"
        elif kinds[name].get("format") == "date":
            sent[name] = value.isoformat()
    return sent


def as_numbers(record: dict[str, Any], kinds: dict[str, Any]) -> dict[str, Any]:
    return {
        name: Decimal(value) if value is not None and kinds[name].get("format") == "x-singer.decimal" else value
        for name, value in record.items()
    }


def in_order(rows):
    return sorted(rows, key=lambda row: (row["account_id"], row["period"], row["row_number"]))


@pytest.mark.parametrize("stream", [ROWS, LINES])
def test_the_rows_of_the_target_typed(bulk, stream):
    result = bulk.run(bulk.config())
    assert result.status == 0, result.log
    kinds, records = result.schemas[stream]["properties"], result.of(stream)
    assert len(records) > 50
    kept = as_rows(bulk.kept(stream))
    # A column that is new in one period is not in the files of the others.
    kept = [dict.fromkeys(kinds) | row for row in kept]
    assert in_order(as_sent(row, kinds) for row in kept) == in_order(
        dict.fromkeys(kinds) | as_numbers(record, kinds) for record in records
    )


def test_columns_are_those_of_the_schema_in_its_order(bulk):
    result = bulk.run(bulk.config())
    (first, *_) = bulk.kept(ROWS)
    schema = pq.ParquetFile(first).schema_arrow
    kinds = result.schemas[ROWS]["properties"]
    assert schema.names == list(kinds)
    expected = {
        name: ARROW[kind["format"].removeprefix("x-singer.")]
        if "format" in kind
        else {"integer": pa.int64(), "boolean": pa.bool_()}.get(
            next(iter({*kind["type"]} - {"null"})) if isinstance(kind["type"], list) else kind["type"], pa.string()
        )
        for name, kind in kinds.items()
    }
    assert {field.name: field.type for field in schema} == expected
    assert {"x-singer.decimal", "date-time"} <= {kind.get("format") for kind in kinds.values()}


def test_duckdb_finds_the_vendors_totals(bulk):
    config = bulk.config()
    assert bulk.run(config, catalog=selecting(config, "report_files", "invoices")).status == 0
    totals = bulk.control.totals(config)
    with duckdb.connect() as db:
        for source, stream in (("stripe", ROWS), ("bring", LINES)):
            expected = totals[stream][source]
            assert expected["rows"] > 50
            files = f"read_parquet('{bulk.store}/parquet/{stream}/*/*/*.parquet', union_by_name=true)"
            assert db.execute(f"SELECT count(*) FROM {files}").fetchall() == [(expected["rows"],)]
            assert expected["sums"]
            for column, total in expected["sums"].items():
                ((found,),) = db.execute(f"SELECT sum({column}) FROM {files}").fetchall()
                assert (found or 0) == Decimal(total), column


def test_the_file_record_says_where_and_nothing_is_ordered_twice(bulk):
    config = bulk.config()
    result = bulk.run(config, catalog=selecting(config, "report_files"))
    assert result.status == 0, result.log
    assert set(result.records) == {"report_files"}
    reports = [record for record in result.of("report_files") if record["format"] != "xlsx"]
    uris = [record["parquet_uri"] for record in reports]
    assert sorted(uris) == sorted(f"file://{path}" for path in bulk.store.joinpath("parquet").rglob("*.parquet"))
    assert len(set(uris)) == len(uris) > 2
    for record in reports:
        rows = pq.ParquetFile(record["parquet_uri"].removeprefix("file://")).metadata.num_rows
        assert rows == record["rows"]
    orders = bulk.control.counters()["orders"]
    again = bulk.run(config, state=result.state, catalog=selecting(config, "report_files"))
    assert (again.status, again.records) == (0, {})
    assert bulk.control.counters()["orders"] == orders


def test_paths_speak_of_account_and_window(bulk):
    config = bulk.config()
    assert bulk.run(config).status == 0
    names = [path.relative_to(bulk.store / "parquet" / ROWS).parts for path in bulk.kept(ROWS)]
    assert [name[1:] for name in names] == [
        ("window=20260901t070000z", "rows.parquet"),
        ("window=20261001t070000z", "rows.parquet"),
    ]
    assert {name[0] for name in names} == {f"account={config['stripe_account_id']}"}
    assert not [path for path in bulk.store.rglob(".*") if path.is_file() and "parquet" in path.parts]


def test_a_period_read_again_replaces_itself(bulk):
    config = bulk.config()
    assert bulk.run(config).status == 0
    before = as_rows(bulk.kept(ROWS))
    bulk.control.options["stripe_drop_rows"] = 1
    config["reuse_runs_since"] = "2026-11-21T00:00:00Z"
    bulk.control.advance(2 * 86400)
    result = bulk.run(config)
    assert result.status == 0, result.log
    after = as_rows(bulk.kept(ROWS))
    assert len(after) == len(before) - len(bulk.kept(ROWS))
    assert not any(row["_sdc_deleted_at"] for row in after)


def test_deselected_columns_stay_out(bulk):
    config = bulk.config()
    catalog = selecting(config, ROWS, "report_files")
    (entry,) = (entry for entry in catalog["streams"] if entry["tap_stream_id"] == ROWS)
    for item in entry["metadata"]:
        if item["breadcrumb"] == ["properties", "customer_email"]:
            item["metadata"]["selected"] = False
    assert bulk.run(config, catalog=catalog).status == 0
    names = pq.ParquetFile(bulk.kept(ROWS)[0]).schema_arrow.names
    assert "customer_email" not in names
    assert {"customer_id", "gross", "row_number"} <= set(names)


def test_the_columns_of_a_deselected_stream_follow_its_catalogue_too(bulk):
    """`meltano select` leaves out a stream with each of its columns: then all are kept, as none is singled out."""
    config = bulk.config()
    catalog = selecting(config, "report_files")
    (entry,) = (entry for entry in catalog["streams"] if entry["tap_stream_id"] == ROWS)

    def deselect(*names):
        for item in entry["metadata"]:
            if item["breadcrumb"] and item["metadata"].get("inclusion") != "automatic":
                item["metadata"]["selected"] = bool(names) and item["breadcrumb"][1] not in names

    deselect("customer_email")
    assert bulk.run(config, catalog=catalog).status == 0
    names = pq.ParquetFile(bulk.kept(ROWS)[0]).schema_arrow.names
    assert "gross" in names
    assert "customer_email" not in names
    deselect()
    assert bulk.run(config, catalog=catalog).status == 0
    assert {"gross", "customer_email"} <= set(pq.ParquetFile(bulk.kept(ROWS)[0]).schema_arrow.names)


def test_a_new_column_is_kept(bulk):
    bulk.control.options["stripe_extra_columns"] = {"brand_new": "x"}
    result = bulk.run(bulk.config())
    assert result.status == 0, result.log
    (first, *_) = bulk.kept(ROWS)
    assert pq.ParquetFile(first).schema_arrow.names[-1] == "brand_new"
    assert {row["brand_new"] for row in as_rows(bulk.kept(ROWS))} == {"x"}


def test_decimals_as_number_changes_nothing_here(bulk):
    assert bulk.run(bulk.config()).status == 0
    as_text = {path: as_rows([path]) for path in bulk.kept(LINES) + bulk.kept(ROWS)}
    config = bulk.config(storage_url=str(bulk.store / "other"), decimals_as="number")
    assert bulk.run(config).status == 0
    for path, rows in as_text.items():
        other = bulk.store / "other" / path.relative_to(bulk.store)
        # The vendor makes new runs and files for it.
        own = {"run_id": None, "file_id": None}
        assert [row | own for row in as_rows([other])] == [row | own for row in rows]


def test_without_the_extra_nothing_is_kept(bulk, monkeypatch):
    monkeypatch.setattr(parquet, "find_spec", lambda _name: None)
    result = bulk.run(bulk.config())
    assert result.status == 0
    assert {record["parquet_uri"] for record in result.of("report_files")} == {None}
    assert not (bulk.store / "parquet").exists()


def test_without_storage_pyarrow_is_not_asked_for(bulk):
    config = bulk.config()
    del config["storage_url"]
    result = bulk.run(config)
    assert result.status == 0
    assert {record["parquet_uri"] for record in result.of("report_files")} == {None}


def test_a_value_that_does_not_fit_fails_its_period_alone(bulk):
    bulk.control.options["stripe_extra_columns"] = {"tiny_amount": "0.0000000000001"}
    config = bulk.config(stripe_reports=[{"report_type": ITEMIZED, "window": "month"}])

    def prepare(tap):
        stream = tap.streams[ROWS]
        known = stream._api.column_type

        def column_type(report, header):
            return "decimal" if header == "tiny_amount" else known(report, header)

        object.__setattr__(stream._api, "column_type", column_type)

    try:
        result = bulk.run(config, prepare=prepare)
    finally:
        bulk.control.options.clear()
    assert result.status == 1
    assert "row 1: the value of column 'tiny_amount' does not fit the Parquet type decimal128(38, 12)" in result.log
    assert not bulk.kept(ROWS)
    assert bulk.kept(LINES), "another report's files"
    assert not [record for record in result.of("report_files") if record["source"] == "stripe"]
    (entry,) = result.state["bookmarks"][ROWS]["ledger"]
    assert "through" not in entry
