"""The comparison of totals: whatever differs between control totals and warehouse is a line that differs."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

import duckdb
import pytest

from scripts.totals import compare, differences, exact_sum, table
from scripts.warehouse import DELETED_AT, Table, query, tables

BIG = "12345678901234567890.123"

TOTALS = {
    "accounts": {"stripe": {"rows": 1, "sums": {}}},
    "invoices": {
        "stripe": {"rows": 3, "sums": {"total_amount": BIG, "amount_due": "-0.10"}},
        "bring": {"rows": 0, "sums": {"total_amount": "0", "amount_due": "0"}},
    },
}


def held(*columns, rows=(), **more):
    return Table(dict.fromkeys(columns, "text"), [dict(zip(columns, row, strict=True)) for row in rows], **more)


@pytest.fixture
def warehouse():
    """What a warehouse holds that has everything, and a row that is marked as deleted."""
    amounts = [("0.003", "-0.1000"), ("12345678901234567890.120", None), ("0", "0")]
    rows = [*(("stripe", *row, None) for row in amounts), ("stripe", "9", "9", "2026-01-01")]
    return {
        "accounts": held("source", "name", rows=[("stripe", "a")]),
        "invoices": held("source", "total_amount", "amount_due", DELETED_AT, rows=rows),
    }


def differing(warehouse, totals=TOTALS):
    return [(line.stream, line.source, line.what) for line in compare(totals, warehouse) if not line.equal]


def test_equal_totals_have_a_line_for_every_count_and_sum(warehouse):
    lines = compare(TOTALS, warehouse)
    assert [(line.stream, line.source, line.what) for line in lines] == [
        ("accounts", "stripe", "rows"),
        ("invoices", "bring", "rows"),
        ("invoices", "bring", "total_amount"),
        ("invoices", "bring", "amount_due"),
        ("invoices", "stripe", "rows"),
        ("invoices", "stripe", "total_amount"),
        ("invoices", "stripe", "amount_due"),
    ]
    assert all(line.equal for line in lines)
    assert "DIFFERS" not in table(lines)


def test_one_lost_line_differs_in_rows_and_sums(warehouse):
    del warehouse["invoices"].rows[0]
    assert len(differing(warehouse)) == 3
    assert table(compare(TOTALS, warehouse)).count("DIFFERS") == 3


def test_the_smallest_unit_of_a_twenty_digit_sum_differs(warehouse):
    warehouse["invoices"].rows[0]["total_amount"] = "0.004"
    assert differing(warehouse) == [("invoices", "stripe", "total_amount")]


def test_a_missing_stream_differs_everywhere(warehouse):
    del warehouse["invoices"]
    lines = [line for line in compare(TOTALS, warehouse) if line.stream == "invoices"]
    assert len(lines) == 6
    assert not any(line.equal for line in lines)
    assert "missing" in table(lines)


def test_a_missing_column_differs(warehouse):
    del warehouse["invoices"].columns["amount_due"]
    assert ("invoices", "stripe", "amount_due") in differing(warehouse)


def test_a_source_without_rows_differs_from_one_that_should_have_some(warehouse):
    warehouse["accounts"].rows.clear()
    assert differing(warehouse) == [("accounts", "stripe", "rows")]


def test_a_source_that_only_the_warehouse_has_differs(warehouse):
    warehouse["accounts"].rows.append({"source": "brp", "name": None})
    assert differing(warehouse) == [("accounts", "brp", "rows")]


@pytest.mark.parametrize(("stream", "differs"), [("report_runs", []), ("report_types", ["brp"])])
def test_only_a_stream_of_syncs_may_have_a_source_that_the_vendors_do_not_count(stream, differs):
    loaded = {stream: held("source", rows=[("stripe",), ("stripe",), ("brp",)])}
    totals = {stream: {"stripe": {"rows": 2, "sums": {}}}}
    assert [source for _, source, _ in differing(loaded, totals)] == differs


def test_nothing_to_compare_is_an_error(warehouse):
    with pytest.raises(ValueError, match="no stream"):
        compare({}, warehouse)


def test_a_cell_that_is_no_number_is_an_error():
    with pytest.raises(InvalidOperation):
        exact_sum([{"amount": "1.0"}, {"amount": ""}], "amount")


def test_two_warehouses_differ_in_streams_columns_and_rows_and_not_in_what_a_sync_decides():
    def one():
        return {
            "charges": held("id", "run_id", rows=[("a", "r1"), ("b", "r2")]),
            "report_runs": held("id", rows=[("x",)]),
        }

    first, second = one(), one()
    second["charges"].rows.reverse()
    second["charges"].rows[0]["run_id"] = "another"
    second["report_runs"].rows.clear()
    assert differences(first, second) == []
    second["charges"].rows[1]["id"] = "c"
    assert differences(first, second) == ["charges has other rows in the two warehouses"]
    second["charges"].columns["late"] = "text"
    assert differences(first, second) == ["charges has other columns in the two warehouses"]
    del second["charges"]
    assert differences(first, second) == ["only one warehouse has charges"]


def test_a_warehouse_is_read_as_text_to_the_last_digit(tmp_path):
    file = tmp_path / "exact.duckdb"
    url = f"duckdb:{file}"
    assert tables(url, "billing") == {}
    with duckdb.connect(str(file)) as connection:
        connection.execute("CREATE SCHEMA billing")
        connection.execute('CREATE TABLE billing.charges (source VARCHAR, "odd""name" DECIMAL(38, 12), ok BOOLEAN)')
        connection.execute("INSERT INTO billing.charges VALUES ('stripe', '12345678901234567890.123', true)")
        connection.execute("CREATE TABLE billing._state (job VARCHAR)")
        connection.execute("CREATE VIEW billing.seen AS SELECT 1 AS one")
    (name, found), *others = tables(url, "billing").items()
    assert (name, others) == ("charges", [])
    assert dict(found.columns) == {"source": "VARCHAR", 'odd"name': "DECIMAL(38,12)", "ok": "BOOLEAN"}
    assert found.rows == [{"source": "stripe", 'odd"name': "12345678901234567890.123000000000", "ok": "true"}]
    assert exact_sum(found.living(), 'odd"name') == Decimal(BIG)
    with pytest.raises(RuntimeError, match="the warehouse refused"):
        query(url, "SELECT nothing")
