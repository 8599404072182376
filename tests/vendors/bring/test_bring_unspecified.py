"""An invoice without a specification has one row of its own, until it has lines: the rows are all that was invoiced."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

import pytest

from tests.running import selecting

LINES = "bring_invoice_lines"
ALL = {"bring_unspecified_invoices": True}
# A specification without lines, which says so.
NO_LINES, EMPTY = r"(?s)<NumberOfRows>\d+</NumberOfRows>(.*<Lines>).*(</Lines>)", r"<NumberOfRows>0</NumberOfRows>\1\2"


def invoiced(rows, column="net_amount"):
    """Currency -> sum."""
    found: defaultdict[str, Decimal] = defaultdict(Decimal)
    for row in rows:
        found[row["currency"]] += Decimal(row[column] or 0)
    return dict(found)


def alone(result):
    """Invoice -> its row without a specification, of what a table holds."""
    return {row["invoice_id"]: row for row in result.table(LINES).values() if row["row_of"] == "invoice"}


def test_the_rows_add_up_to_what_was_invoiced(bring):
    config = bring.config("2026-01-01", **ALL)
    result = bring.run(config)
    assert (result.status, result.doubles()) == (0, {})
    invoices, rows = result.of("invoices"), result.of(LINES)
    assert invoiced(rows) == invoiced(invoices)
    without = {one["invoice_id"]: one for one in invoices if one["specification_available"] is False}
    assert len(without) > 5
    assert set(alone(result)) == set(without)
    for number, row in alone(result).items():
        one = without[number]
        assert (row["period"], row["row_number"], row["account_id"]) == (number, 1, one["account_id"])
        assert row["line_date"] == one["invoice_date"]
        assert {name: row[name] for name in ("net_amount", "tax_amount", "total_amount", "currency")} == {
            name: one[name] for name in ("net_amount", "tax_amount", "total_amount", "currency")
        }
        assert row["run_id"] is row["file_id"] is row["shipment_id"] is None
    assert {row["row_of"] for row in rows} == {"file", "invoice"}
    totals = bring.control.totals(config)[LINES]["bring"]
    assert totals["rows"] == len(rows)
    for column, total in totals["sums"].items():
        assert sum(Decimal(row[column]) for row in rows if row[column]) == Decimal(total)


def test_without_the_setting_there_is_none(bring):
    rows = bring.run(bring.config("2026-06-01")).of(LINES)
    assert {row["row_of"] for row in rows} == {"file"}


def test_numbers_where_numbers_are_asked_for(bring):
    rows = alone(bring.run(bring.config("2026-06-01", decimals_as="number", **ALL)))
    assert rows
    assert all(isinstance(row["net_amount"], int | float | Decimal) for row in rows.values())


def withhold(bring):
    """The list says for now that no invoice has a specification."""
    bring.control.fault(
        {"alter": {"from": '"invoiceSpecificationAvailable":true', "to": '"invoiceSpecificationAvailable":false'}},
        {"path": "/api/invoices/"},
    )


@pytest.mark.parametrize("is_empty", [False, True])
def test_a_specification_that_comes_later_takes_its_place(bring, is_empty):
    config = bring.config("2026-10-20", bring_customers=["20000770022"], **ALL)
    withhold(bring)
    first = bring.run(config)
    assert set(alone(first)) == {one["invoice_id"] for one in first.of("invoices")}
    bring.control.clear_faults()
    if is_empty:
        config["on_mismatch"] = "warn"
        bring.control.fault({"alter": {"pattern": NO_LINES, "to": EMPTY}}, {"path": r"/report/.*\.xml"})
    second = bring.run(config, state=first.state)
    late = {one["invoice_id"] for one in second.of("invoices") if one["specification_available"]}
    assert late
    both = {**first.table(LINES), **{tuple(row[n] for n in second.keys[LINES]): row for row in second.of(LINES)}}
    rows = [row for row in both.values() if not row["_sdc_deleted_at"] and row["invoice_id"] in late]
    assert {row["row_of"] for row in rows} == (set() if is_empty else {"file"})
    assert (late <= {row["invoice_id"] for row in rows}) is not is_empty
    third = bring.run(config, state=second.state)
    assert not late & set(alone(third))


def test_one_that_had_lines_once_keeps_them(bring):
    config = bring.config("2026-10-20", bring_customers=["20000770022"], **ALL)
    first = bring.run(config)
    lined = {row["invoice_id"] for row in first.of(LINES) if row["row_of"] == "file"}
    assert lined
    withhold(bring)
    second = bring.run(config, state=first.state)
    assert not lined & set(alone(second))


def test_a_stream_that_is_left_out_has_none(bring):
    config = bring.config("2026-10-20", **ALL)
    result = bring.run(config, catalog=selecting(config, "invoices", "report_files"))
    assert result.of(LINES) == []
