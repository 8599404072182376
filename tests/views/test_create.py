"""Views are made over whatever a warehouse has, and stand while its tables change."""

from __future__ import annotations

from datetime import date

import pytest

from tap_billing_reports.core.errors import ConfigError
from tap_billing_reports.views.models import Staged, models
from tap_billing_reports.views.sql import OwnOrders, Warehouse, table_of, tables_named
from tap_billing_reports.warehouse.address import Engine
from tap_billing_reports.warehouse.errors import LoadError
from tests.views.tables import D, answers, make, views
from tests.warehouse.lines import INTEGER, NUMBER, TEXT, record, schema, state
from tests.warehouse.places import load

ACTIVITY = "stripe_balance_change_from_activity_itemized_3"


def test_an_empty_warehouse_has_all_views_without_rows(place):
    views(place)
    assert set(place.views()) == set(models().marts)
    for name in models().marts:
        assert answers(place, f"select * from billing.{name}") == []


def test_amounts_as_text_and_instants_without_a_zone_are_read_as_well(place):
    """As target-duckdb and target-postgres leave them."""
    make(
        place, ACTIVITY,
        [
            {
                "source": "stripe", "account_id": "acct_1", "period_start": "2026-05-01", "period_end": "2026-05-31",
                "period_zone": "Europe/Oslo", "balance_transaction_id": "txn_1", "currency": "nok",
                "reporting_category": "charge", "gross": "123456789012345.67", "fee": "", "net": "123456789012345.67",
                "created": "2026-05-01T22:30:00Z", "automatic_payout_effective_at": "2026-05-03 23:30:00",
                "invoice_id": "in_1", "_sdc_deleted_at": None,
            }
        ],
        _sdc_deleted_at="timestamp", automatic_payout_effective_at="timestamp",
    )  # fmt: skip
    make(place, "invoices", [{"source": "stripe", "account_id": "acct_1", "invoice_id": "in_1", "currency": "NOK"}])
    views(place)
    assert answers(place, "select currency, gross_amount, fee_amount from billing.processing_fees") == [
        ("NOK", D("123456789012345.67"), None)
    ]
    # Half past ten at night in UTC is the next day in Oslo.
    assert answers(place, "select distinct booking_date from billing.journal_lines") == [(date(2026, 5, 2),)]
    assert answers(place, "select payout_date from billing.invoice_settlement") == [(date(2026, 5, 4),)]


def test_deleted_rows_are_not_read(place):
    gone = {"source": "brp", "account_id": "1", "invoice_id": "7", "status": "open", "currency": "SEK"}
    make(
        place, "invoices",
        [{**gone, "_sdc_deleted_at": "2026-05-01 00:00:00+00"}, {**gone, "invoice_id": "8", "_sdc_deleted_at": None}],
        _sdc_deleted_at="timestamptz",
    )  # fmt: skip
    views(place)
    assert answers(place, "select invoice_id from billing.open_items") == [("8",)]


def test_a_column_is_widened_under_the_views_that_read_it(place):
    first = schema("invoices", ("invoice_id",), invoice_id=TEXT, total_amount=INTEGER)
    load(place, first, record("invoices", invoice_id="1", total_amount=5), state(1))
    views(place)
    place_view = "create view billing.mine as select count(*) as open_items from billing.open_items"
    database = place.open()
    database._run(place_view)
    database._commit()
    database.close()
    wider = schema("invoices", ("invoice_id",), invoice_id=TEXT, total_amount=NUMBER)
    load(place, wider, record("invoices", invoice_id="2", total_amount=5.25), state(2))
    assert place.types("invoices")["total_amount"].startswith(("decimal", "numeric"))
    assert answers(place, "select total_amount from billing.invoice_settlement order by 1") == [(D("5"),), (D("5.25"),)]
    assert len(answers(place, "select * from billing.mine")) == 1


def test_views_are_made_again_with_other_columns(place):
    database = place.open()
    database._run("create view billing.open_items as select 1 as something_else")
    database._commit()
    database.close()
    views(place)
    views(place)
    assert answers(place, "select invoice_id from billing.open_items") == []


def test_a_table_with_the_name_of_a_view_is_left_alone(place):
    make(place, "open_items", [{"mine": 1}])
    with pytest.raises(LoadError, match=r"open_items.*--no-views"):
        views(place)
    assert place.tables() == ["_state", "open_items"]


def test_orders_that_are_not_there_are_refused_and_nobody_speaks_of_a_load(place):
    with pytest.raises(LoadError, match=r"views: the warehouse refused: .*my_orders") as refused:
        views(place, orders=OwnOrders("billing.my_orders", "order_id", "tracking_number"))
    assert "loaded" not in str(refused.value)


def test_tables_with_other_names_are_named_by_what_they_hold():
    assert tables_named(["stripe_activity=a", "invoices=b=c"]) == {"stripe_activity": "a", "invoices": "b=c"}
    for wrong in ("stripe_activity", "stripe_activity=", "nothing=a"):
        with pytest.raises(ConfigError, match=r"WHAT is one of .*stripe_activity"):
            tables_named([wrong])


def test_of_a_family_of_reports_the_newest_version_is_read():
    activity = models().sources["stg_stripe_activity"]
    assert isinstance(activity, Staged)

    def found(*tables, names=(), named=None):
        return table_of(
            activity,
            Warehouse(
                Engine.DUCKDB, "billing", {one: {} for one in tables},
                {"balance_change_from_activity.itemized.3": names, "payouts.itemized.3": ["other"]}, named or {},
            ),
        )  # fmt: skip

    family = "stripe_balance_change_from_activity_itemized"
    assert found() is None
    assert found(f"{family}_2", f"{family}_3") == f"{family}_3"
    assert found("stripe_mine", "stripe_other", names=["mine"]) == "stripe_mine"
    assert found("stripe_mine", f"{family}_3", names=["mine"]) == f"{family}_3"
    assert found("a", f"{family}_3", named={"stripe_activity": "a"}) == "a"
