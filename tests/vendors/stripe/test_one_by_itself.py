"""What is refused or unknown at Stripe fails by itself."""

from __future__ import annotations

import pytest

from tests.vendors.stripe.emulated import SUMMARY

BY_ID = "payout_reconciliation.by_id.summary.1"


def payouts(stripe, count):
    """Ids of real payouts."""
    ended = stripe.sync({"report_type": "payouts.itemized.3", "window": "month"})
    found = list(dict.fromkeys(row["payout_id"] for row in ended.of("stripe_payouts_itemized_3")))
    return found[:count]


@pytest.mark.parametrize("status", [400, 404])
def test_one_refused_payout_leaves_the_others_read(stripe, status):
    ids = payouts(stripe, 5)
    assert len(ids) == 5
    missing = {
        "type": "invalid_request_error",
        "code": "resource_missing",
        "param": "payout",
        "message": "No such payout",
    }
    fault = {"status": status, "body": {"error": missing}}
    stripe.control.fault(fault, {"method": "POST", "form": {"parameters[payout]": "po_none"}})
    report = {"report_type": BY_ID, "payouts": ["po_none", *ids], "optional": True}
    ended = stripe.sync(report)
    assert ended.code == 0, ended.log
    assert {row["period"] for row in ended.of(f"stripe_{BY_ID.replace('.', '_')}")} == set(ids)
    assert "po_none" in ended.log


def test_a_listed_run_in_an_unknown_status_stops_no_order(stripe):
    other = {"report_type": SUMMARY, "window": "week", "name": "other"}
    stripe.sync(other)
    stripe.control.fault(
        {"alter": {"pattern": '"status":\\s*"(pending|succeeded)"', "to": '"status":"canceled"'}},
        {"method": "GET", "path": "^/v1/reporting/report_runs$"},
    )
    ended = stripe.sync({"report_type": SUMMARY, "window": "month"})
    assert ended.code == 0, ended.log
    shown = {run["status"] for run in ended.of("report_runs") if run["source_status"] == "canceled"}
    assert shown == {"unknown"}
    ordered = stripe.ordered()
    again = stripe.sync(other)
    assert again.code == 0, again.log
    assert stripe.ordered() > ordered, "what nobody knows is not adopted"


def test_another_decimal_separator_is_refused(stripe):
    report = {"report_type": SUMMARY, "extra_parameters": {"decimal_separator": "comma"}}
    ended = stripe.sync(report)
    assert ended.code == 1
    assert "extra_parameters has decimal_separator, which changes the form of the file" in ended.log
