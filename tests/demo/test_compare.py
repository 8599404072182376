"""The demo's comparison: whatever differs between control totals and warehouse is a line that differs."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

import pytest

from scripts.demo.compare import compare, table
from scripts.demo.warehouse import Held, sum_sql

BIG = "12345678901234567890.123"

TOTALS = {
    "accounts": {"stripe": {"rows": 1, "sums": {}}},
    "invoices": {
        "stripe": {"rows": 3, "sums": {"total_amount": BIG, "amount_due": "-0.10"}},
        "bring": {"rows": 0, "sums": {"total_amount": "0", "amount_due": "0"}},
    },
}
AMOUNTS = {"total_amount": Decimal(BIG), "amount_due": Decimal("-0.1000")}


@dataclass
class LoadedWarehouse:
    """A warehouse that holds what it is told."""

    loaded: dict[str, dict[str, Held]] = field(
        default_factory=lambda: {
            "accounts": {"stripe": Held(1)},
            "invoices": {"stripe": Held(3, dict(AMOUNTS))},
        }
    )
    lacking: tuple[str, ...] = ()

    def columns(self):
        names = ["source", "total_amount", "amount_due"]
        return {stream: [name for name in names if name not in self.lacking] for stream in self.loaded}

    def held(self, stream, sums):
        assert not set(sums) & set(self.lacking)
        return self.loaded[stream]


def differing(warehouse, totals=TOTALS):
    return [(line.stream, line.source, line.what) for line in compare(totals, warehouse) if not line.equal]


def test_equal_totals_have_a_line_for_every_count_and_sum():
    lines = compare(TOTALS, LoadedWarehouse())
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


def test_one_lost_line_differs_in_rows_and_sums():
    warehouse = LoadedWarehouse()
    warehouse.loaded["invoices"]["stripe"] = Held(2, AMOUNTS | {"total_amount": Decimal("12345678901234567890.122")})
    assert differing(warehouse) == [("invoices", "stripe", "rows"), ("invoices", "stripe", "total_amount")]
    assert table(compare(TOTALS, warehouse)).count("DIFFERS") == 2


def test_the_smallest_unit_of_a_twenty_digit_sum_differs():
    warehouse = LoadedWarehouse()
    warehouse.loaded["invoices"]["stripe"] = Held(3, AMOUNTS | {"total_amount": Decimal(BIG) + Decimal("0.001")})
    assert differing(warehouse) == [("invoices", "stripe", "total_amount")]


def test_a_missing_stream_differs_everywhere():
    warehouse = LoadedWarehouse()
    del warehouse.loaded["invoices"]
    lines = [line for line in compare(TOTALS, warehouse) if line.stream == "invoices"]
    assert len(lines) == 6
    assert not any(line.equal for line in lines)
    assert "missing" in table(lines)


def test_a_missing_column_differs():
    warehouse = LoadedWarehouse(lacking=("amount_due",))
    warehouse.loaded["invoices"]["stripe"] = Held(3, {"total_amount": Decimal(BIG)})
    assert ("invoices", "stripe", "amount_due") in differing(warehouse)


def test_a_source_without_rows_differs_from_one_that_should_have_some():
    warehouse = LoadedWarehouse()
    warehouse.loaded["accounts"] = {}
    assert differing(warehouse) == [("accounts", "stripe", "rows")]


def test_a_source_that_only_the_warehouse_has_differs():
    warehouse = LoadedWarehouse()
    warehouse.loaded["accounts"]["brp"] = Held(1)
    assert differing(warehouse) == [("accounts", "brp", "rows")]


@pytest.mark.parametrize(("stream", "differs"), [("report_runs", []), ("report_types", ["brp"])])
def test_only_a_stream_of_syncs_may_have_a_source_that_the_vendors_do_not_count(stream, differs):
    warehouse = LoadedWarehouse()
    warehouse.loaded[stream] = {"stripe": Held(2), "brp": Held(7)}
    totals = {stream: {"stripe": {"rows": 2, "sums": {}}}}
    assert [source for _, source, _ in differing(warehouse, totals)] == differs


def test_nothing_to_compare_is_an_error():
    with pytest.raises(ValueError, match="no stream"):
        compare({}, LoadedWarehouse())


def test_sums_are_exact_decimals_and_a_fraction_that_would_be_rounded_is_an_error():
    sql = sum_sql('odd"name')
    assert 'CAST("odd""name" AS DECIMAL(38, 12))' in sql
    assert "error(" in sql
    assert "DOUBLE" not in sql
