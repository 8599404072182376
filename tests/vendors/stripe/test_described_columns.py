"""What a column holds may differ from type to type; one that nobody has described says which it is."""

from __future__ import annotations

import pytest

from tap_billing_reports.declare import Report
from tap_billing_reports.vendors.stripe_columns import describe
from tests.vendors.stripe.emulated import ITEMIZED

ROWS = "stripe_balance_change_from_activity_itemized_3"


@pytest.mark.parametrize(
    ("report_type", "header", "part"),
    [
        (ITEMIZED, "gross", "before the fee"),
        ("balance_change_from_activity.summary.1", "gross", "Sum of"),
        ("payouts.summary.1", "gross", "Sum of"),
        ("connected_account_payouts.itemized.3", "gross", "paid out"),
        ("failed_payouts.itemized.2", "gross", "paid out"),
        ("balance.summary.1", "category", "starting_balance"),
        ("connected_account_tax.transactions.itemized.2", "id", "tax transaction"),
        (ITEMIZED, "payment_metadata[order]\nid]", "metadata of that key on the payment"),
        ("never.seen.1", "charge_id", "The charge"),
    ],
)
def test_of_each_type(report_type, header, part):
    text = describe(Report("stripe", report_type, "r", "UTC"), header)
    assert text is not None
    assert part in text


def test_nobody_has_described_what_no_page_names():
    assert describe(Report("stripe", ITEMIZED, "r", "UTC"), "never_seen") is None


def test_the_schema_says_it_of_columns_that_a_file_brings_too(stripe):
    stripe.control.options["stripe_extra_columns"] = {"Loyalty tier": "gold"}
    asked = {"report_type": ITEMIZED, "window": "month", "columns": ["net", "payment_metadata[order_id]"]}
    ended = stripe.sync(asked)
    assert ended.code == 0, ended.log
    kinds = ended.schemas[ROWS][-1]["properties"]
    assert kinds["loyalty_tier"]["description"] == (
        "'Loyalty tier' of the file, as the vendor writes it. Null where it is empty."
    )
    assert kinds["payment_metadata_order_id"]["description"].startswith("Your own metadata of that key on the payment.")
