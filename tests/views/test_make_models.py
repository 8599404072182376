"""`make models BREAK=1`: one transaction that is missing in one warehouse makes the verb fail."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from scripts.models.__main__ import Models, ended, take_one_row
from scripts.models.compare import TOTALS, differing, identities, totals
from scripts.models.settings import SETTLED, stream_of
from scripts.models.stores import Store
from tests.views.rows import named, paid_out
from tests.views.tables import make, views

if TYPE_CHECKING:
    from scripts.targets.postgres import Server

MART = "payout_reconciliation"
ROWS = [{**named(n, 1, "charge", "25"), "row_number": n, "period": "2026-05"} for n in (1, 2)]


@pytest.fixture
def store(file_place):
    """A payout of 50 that two transactions of 25 make up."""
    make(file_place, "stripe_payouts_itemized_3", [paid_out(1, "-50")])
    make(file_place, stream_of(SETTLED), ROWS)
    views(file_place)
    return Store("duckdb", "billing", has_views=True, place=Path(file_place.url.removeprefix("duckdb:")))


@pytest.fixture
def work(tmp_path):
    return Models(tmp_path, cast("Server", None), {}, [])


@pytest.fixture
def told():
    """What the sandbox's ledger says of these rows; of all else, nothing was made."""
    found: dict[str, Any] = {}
    for total in TOTALS:
        for stream, source, column in total.told:
            found.setdefault(stream, {}).setdefault(source, {"sums": {}})["sums"][column] = "0"
    found[stream_of(SETTLED)]["stripe"]["sums"]["net"] = "50"
    return found


def judged(work, store, told):
    lines = [line for line in totals(store, "billing", told) if line.what.startswith(f"{MART}: sum(transactions_net)")]
    work.judge("Totals", lines)
    work.judge("Identities", identities(store, "billing"))
    return ended(work, [store])


def test_a_whole_warehouse_passes(work, store, told, capsys):
    assert judged(work, store, told) == 0
    assert "marts are equal" in capsys.readouterr().out


def test_one_row_less_fails_by_totals_identities_and_the_other_warehouses(work, store, told, capsys):
    whole = {MART: store.mart(MART, "billing")}
    take_one_row(store)
    assert judged(work, store, told) == 1
    said = capsys.readouterr().out
    assert work.problems == ["Totals: 1 of 1 differ", "Identities: 1 of 6 differ"]
    assert "models: Totals: 1 of 1 differ" in said
    assert "marts are equal" not in said
    assert differing([MART], whole, {MART: store.mart(MART, "billing")}) == [MART]
