"""The models of the dbt package are read as they stand, and fit the streams."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tap_billing_reports.views.models import CellKind, Orders, Seed, Staged, mart, models, staged
from tests.views.tables import views

ROOT = Path(__file__).parents[2]
MARTS = {
    "payout_reconciliation", "balance_rollforward", "invoice_settlement", "processing_fees", "open_items",
    "vat_by_month", "freight_by_shipment", "freight_per_order", "close_checklist", "journal_lines",
    "check_results", "report_timeline",
}  # fmt: skip


def test_all_marts_are_there_each_behind_those_that_it_reads():
    known = models()
    assert set(known.marts) == MARTS
    seen = {*known.sources, *known.between}
    for name, one in known.marts.items():
        assert one.reads, name
        assert set(one.reads) <= seen, name
        seen.add(name)


def test_a_form_for_all_vendors_reads_no_mart():
    for name, one in models().between.items():
        assert set(one.reads) <= {*models().sources, *models().between}, name


def test_every_source_is_read():
    known = models()
    read = {name for one in (*known.marts.values(), *known.between.values()) for name in one.reads}
    assert {*known.sources, *known.between} <= read


def test_every_kind_of_source_is_there():
    kinds = {type(one) for one in models().sources.values()}
    assert kinds == {Staged, Orders, Seed}


@pytest.mark.parametrize("name", ["accounts", "invoices", "report_runs", "reconciliations"])
def test_a_staged_stream_has_the_columns_that_its_schema_has(name):
    source = models().sources[f"stg_{name}"]
    assert isinstance(source, Staged)
    schema = json.loads((ROOT / "schemas" / f"{name}.json").read_text())
    assert set(source.columns) <= set(schema["properties"])


def test_a_staging_model_is_one_call():
    assert staged('{{ staged("t", {"a": "amount"}, report="x.y") }}\n') == Staged("t", {"a": CellKind.AMOUNT}, "x.y")
    with pytest.raises(ValueError, match="one call"):
        staged("select 1")


def test_a_mart_calls_nothing_but_ref():
    assert mart("select * from {{ ref('a') }} as a").reads == ("a",)
    with pytest.raises(ValueError, match="no other macro"):
        mart("select {{ var('x') }}")


def test_every_column_of_a_mart_is_described_and_none_that_is_not_there(file_place):
    views(file_place)
    described = yaml.safe_load((ROOT / "dbt" / "models" / "marts" / "_marts.yml").read_text())["models"]
    assert {one["name"] for one in described} == MARTS
    for one in described:
        there = list(file_place.types(one["name"]))
        assert [column["name"] for column in one["columns"]] == there, one["name"]
        assert all(len(column["description"]) > 3 for column in one["columns"]), one["name"]
        for test in one.get("data_tests", []):
            assert set(test["unique_rows"]["arguments"]["columns"]) <= set(there), one["name"]


def test_every_column_of_a_staging_model_is_described():
    described = yaml.safe_load((ROOT / "dbt" / "models" / "staging" / "_staging.yml").read_text())["models"]
    found = {one["name"]: {column["name"]: column["description"] for column in one["columns"]} for one in described}
    sources = {name: one for name, one in models().sources.items() if not isinstance(one, Seed)}
    assert found.keys() == sources.keys()
    for name, one in sources.items():
        assert {*found[name]} == ({*one.columns} if isinstance(one, Staged) else {"order_id", "tracking_number"})
        assert all(len(text) > 3 for text in found[name].values()), name
