"""`make models BREAK=1`: one transaction that is missing in one warehouse makes the verb fail."""

from __future__ import annotations

from typing import Any

import pytest

from scripts.models.__main__ import take_one_row
from scripts.models.compare import SETTLED_STREAM, TOTALS, by_days, identities, totals
from scripts.models.stores import Store
from scripts.verb import Work
from tests.views.rows import named, paid_out
from tests.views.tables import make, views

MART = "payout_reconciliation"
ROWS = [{**named(n, 1, "charge", "25"), "row_number": n, "period": "2026-05"} for n in (1, 2)]


@pytest.fixture
def store(file_place):
    """A payout of 50 that two transactions of 25 make up."""
    make(file_place, "stripe_payouts_itemized_3", [paid_out(1, "-50")])
    make(file_place, SETTLED_STREAM, ROWS)
    views(file_place)
    return Store("duckdb", file_place.url, "billing", has_views=True)


@pytest.fixture
def work():
    return Work("models")


@pytest.fixture
def told():
    """What the sandbox's ledger says of these rows; of all else, nothing was made."""
    found: dict[str, Any] = {}
    for total in TOTALS:
        for stream, source, column in (*total.told, *total.less):
            found.setdefault(stream, {}).setdefault(source, {"sums": {}})["sums"][column] = "0"
    found[SETTLED_STREAM]["stripe"]["sums"]["net"] = "50"
    return found


def judged(work, store, told):
    lines = totals(store, "billing", told)
    mine = [
        line for line in lines if (line.stream, line.source) == (MART, "stripe") and "transactions_net" in line.what
    ]
    work.judge(mine, "totals differ")
    work.judge(identities(store, "billing"), "identities do not hold", "Identities")
    return work.ended("all is equal")


def test_a_whole_warehouse_passes(work, store, told, capsys):
    assert judged(work, store, told) == 0
    assert capsys.readouterr().out.endswith("\nmodels: all is equal\n")


def test_one_row_less_fails_by_totals_identities_and_the_other_warehouses(work, store, told, capsys):
    whole = store.mart(MART, "billing")
    take_one_row(store)
    assert judged(work, store, told) == 1
    said = capsys.readouterr().out
    assert work.problems == ["1 of 1 totals differ", "1 of 7 identities do not hold"]
    assert said.count(" DIFFERS\n") == 1
    assert "models: 1 of 1 totals differ\n" in said
    assert "all is equal" not in said
    assert store.mart(MART, "billing") != whole


def test_of_two_syncs_that_read_at_other_seconds_the_rows_are_the_same():
    one = [("a", 2, "2026-11-28T12:00:01+00:00"), ("a", 1, "2026-11-28T12:00:09.5+00:00")]
    other = [("a", 2, "2026-11-28T12:00:07+00:00"), ("a", 1, "2026-11-28T12:00:02+00:00")]
    assert by_days(one) == by_days(other)
    assert by_days(one) != by_days([other[0], ("a", 1, "2026-11-27T12:00:02")])
