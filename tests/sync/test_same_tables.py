"""`billing-reports sync` and `tap | target-billing-reports` leave the same tables, cell by cell."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path

import pytest

from scripts.demo.settings import STRIPE_REPORTS, demo_settings
from tap_billing_reports.singer.tap import TapBillingReports
from tests.sync.moment import NOW
from tests.sync.syncing import contents, load, messages, settings_in, sync
from tests.warehouse.places import place_in

ITEMIZED = "balance_change_from_activity.itemized.3"
ROWS = "stripe_balance_change_from_activity_itemized_3"
PAYOUTS = "stripe_payouts_itemized_3"
NEW_COLUMN = {"stripe_extra_columns": {"Loyalty tier": "gold, \u00e5"}}
KEPT = "kept"  # the folder for files, beside the settings
FEWER_ROWS = {"stripe_run_rules": [{"match": {"report_type": ITEMIZED}, "do": {"drop_rows": 60}}]}


@pytest.fixture
def other(place, tmp_path, request):
    """A second warehouse of the same kind."""
    folder = tmp_path / "other"
    folder.mkdir()
    return place_in(place.engine, folder, request.getfixturevalue("server") if place.engine == "postgres" else None)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where settings and files lie: the same for both kinds of warehouse, so that rows name the same files."""
    return tmp_path_factory.mktemp("settings")


@pytest.fixture(scope="module")
def printed():
    """What the tap has printed, by what it was given: no warehouse changes it, so one sync serves both kinds."""
    return {}


@pytest.fixture
def both_ways(sandbox, place, other, folder, printed):
    """Loads two syncs into both warehouses, with a change at the vendor between them; what each one holds."""

    def run(config, *, days, change, catalog=None):
        def twice(step):
            sandbox.control.reset(at=NOW)
            shutil.rmtree(folder / KEPT, ignore_errors=True)
            for _ in range(2):
                step()
                sandbox.control.next_day()
                sandbox.control.advance((days - 1) * 86_400)
                sandbox.control.options.update(change)

        def selection():
            return None if catalog is None else io.StringIO(catalog)

        state: list[str | None] = [None]

        def by_messages():
            given = (Path(config).read_text(), catalog, days, repr(change), state[0])
            if given not in printed:
                printed[given] = messages(config, state[0], catalog=selection())
            state[0] = load(other, printed[given])

        def in_one():
            assert sync(place, config, catalog=selection()) == 0

        twice(in_one)
        twice(by_messages)
        return contents(place), contents(other)

    return run


def assert_same(found, wanted):
    assert list(found) == list(wanted)
    for name in wanted:
        assert found[name] == wanted[name], name


def test_two_syncs_with_a_new_column_between_them(sandbox, place, folder, both_ways):
    config = settings_in(folder, sandbox, decimals_as="string" if place.engine == "duckdb" else "number")
    found, wanted = both_ways(config, days=7, change=NEW_COLUMN)
    assert_same(found, wanted)
    assert len(found[ROWS][1]) > 100
    assert len(found["bring_invoice_lines"][1]) > 20


def test_all_streams_of_the_demo(sandbox, folder, both_ways):
    # By the week: two of them have rows of every stream, as a month would.
    reports = [{**report, "window": "week"} if report["window"] == "month" else report for report in STRIPE_REPORTS]
    settings = demo_settings(sandbox.settings(), today=NOW.date(), days=14, storage=folder / KEPT, reports=reports)
    path = folder / "config.json"
    path.write_text(json.dumps(settings))
    config = str(path)
    found, wanted = both_ways(config, days=1, change={})
    assert_same(found, wanted)
    assert found.keys() == TapBillingReports.opened((config,)).streams.keys()
    assert [name for name, (_, rows) in found.items() if not rows] == []


def test_flattened_records(sandbox, folder, both_ways):
    config = settings_in(folder, sandbox, flattening_enabled=True, flattening_max_depth=2)
    found, wanted = both_ways(config, days=7, change={})
    assert_same(found, wanted)
    assert len(found[ROWS][1]) > 100


def test_stream_maps_deselected_columns_and_rows_that_go(sandbox, folder, both_ways):
    maps = {
        "invoices": {"shouted": "status.upper() if status else None", "document_url": None},
        # The rows of a file go record by record then.
        PAYOUTS: {"doubled": "str(row_number * 2)", "__filter__": "row_number % 5 > 0"},
    }
    # A month that is not over is read again on the next day.
    reports = [
        {"report_type": ITEMIZED, "window": "month", "include_partial": True},
        {"report_type": "payouts.itemized.3", "window": "week"},
    ]
    config = settings_in(folder, sandbox, stream_maps=maps, stripe_reports=reports)
    catalog = TapBillingReports.opened((config,)).catalog_dict
    for stream in catalog["streams"]:
        for entry in stream["metadata"]:
            if entry["breadcrumb"] and entry["breadcrumb"][-1] in {"description", "source_record"}:
                entry["metadata"]["selected"] = False
    found, wanted = both_ways(config, days=1, change=FEWER_ROWS, catalog=json.dumps(catalog))
    assert_same(found, wanted)
    types, rows = found["invoices"]
    assert "shouted" in types
    assert "source_record" not in types
    types, rows = found[ROWS]
    assert "description" not in types
    gone = [*types].index("_sdc_deleted_at")
    assert 0 < sum(row[gone] is not None for row in rows) < len(rows)
    types, rows = found[PAYOUTS]
    numbers = {row[[*types].index("row_number")]: row[[*types].index("doubled")] for row in rows}
    assert 5 not in numbers
    assert numbers[1] == "2"
