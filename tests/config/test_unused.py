"""What a report has no use for is refused in its entry; what no report looks at is told of."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tap_billing_reports import declare as d
from tap_billing_reports.config.settings import config_jsonschema, with_defaults
from tap_billing_reports.config.unused import unused_keys, unused_settings
from tap_billing_reports.config.validation import problems
from tap_billing_reports.vendors import all_sources
from tests.config.test_validation import BRING, NOW, STRIPE
from tests.declare.shop import ORDERED, SHOP, with_reports

SOURCES = {source.name: source for source in all_sources()}
KLARNA = {"klarna_username": "K1_a", "klarna_password": "p"}
VIPPS = {"vipps_client_id": "i", "vipps_client_secret": "s", "vipps_subscription_key": "k"}
OF_A_PAYOUT = "payout_reconciliation.by_id.itemized.4"
BALANCE = "balance_change_from_activity.itemized.3"


def said(source: d.Source, *entries: dict[str, Any], **settings: Any) -> list[str]:
    values = with_defaults({f"{source.name}_reports": [*entries], **settings}, [source])
    return [*unused_keys(source, values)]


@pytest.mark.parametrize(
    ("vendor", "entry", "key", "why"),
    [
        ("klarna", {"report_type": "transactions", "window": "month"}, "window", "each subject that the vendor lists"),
        ("stripe", {"report_type": OF_A_PAYOUT, "payouts": ["po_1"], "window": "day"}, "window", "the settings name"),
        ("stripe", {"report_type": OF_A_PAYOUT, "payouts": ["po_1"], "include_partial": False}, "include_partial", ""),
        ("stripe", {"report_type": BALANCE, "payouts": ["po_1"], "include_partial": True}, "include_partial", ""),
    ],
)
def test_a_key_without_effect_is_named(vendor, entry, key, why):
    (line,) = said(SOURCES[vendor], {"report_type": entry["report_type"], "name": "other"}, entry)
    assert line.startswith(f"setting {vendor}_reports[1].{key} has no effect on a report of type ")
    assert line.endswith(": take it out")
    assert why in line


@pytest.mark.parametrize(
    ("vendor", "entry"),
    [
        # The only window that there is, and values that are those by default: each says what is so.
        ("klarna", {"report_type": "payouts", "window": "month", "optional": False}),
        ("vipps", {"report_type": "funds", "window": "day", "name": "funds"}),
        ("stripe", {"report_type": BALANCE, "window": "day", "timezone": "UTC", "columns": [], "payouts": []}),
        ("stripe", {"report_type": BALANCE, "include_partial": False, "extra_parameters": {}, "currency": "nok"}),
        (
            "stripe",
            {"report_type": BALANCE, "timezone": "Europe/Oslo", "extra_parameters": {"timezone": "Europe/Oslo"}},
        ),
        ("bring", {"report_type": "A", "window": "week", "lookback_days": 0, "keep_xlsx": False, "parameters": {}}),
    ],
)
def test_what_says_what_is_so_anyway_is_no_mistake(vendor, entry):
    assert said(SOURCES[vendor], entry) == []


def test_a_sync_does_not_begin_with_such_a_key():
    values: dict[str, Any] = {"start_date": "2026-01-01", **KLARNA}
    values["klarna_reports"] = [{"report_type": "transactions", "window": "month"}]
    sources = all_sources()
    found = problems(with_defaults(values, sources), sources, config_jsonschema(sources), NOW)
    (line,) = found
    assert line.startswith("setting klarna_reports[0].window has no effect on a report of type transactions: it has")


def test_a_declaration_that_cannot_make_another_report_is_left_alone():
    def configured(values):
        return [
            d.Report("shop", entry["report_type"], {"sales": "sales"}[entry["report_type"]], "UTC")
            for entry in values["shop_reports"]
            if entry.get("optional", True) or 1 / 0
        ]

    source = with_reports(configured=configured)
    assert said(source, {"report_type": "sales", "optional": True}) == []
    assert said(source, {"report_type": "other", "window": "day"}) == []


@pytest.mark.parametrize(
    ("settings", "name", "what"),
    [
        ({**STRIPE, "stripe_max_concurrent_runs": 5}, "stripe_max_concurrent_runs", "Stripe is ordered"),
        (
            {**BRING, "bring_invoice_lines": False, "bring_skip_invoices": ["1"]},
            "bring_skip_invoices",
            "Bring is of one run an invoice",
        ),
        (
            {**BRING, "bring_invoice_lines": False, "bring_unspecified_invoices": True},
            "bring_unspecified_invoices",
            "Bring is of one run an invoice",
        ),
        (
            {**BRING, "bring_invoice_lines": False, "bring_max_concurrent_runs": 3},
            "bring_max_concurrent_runs",
            "ordered",
        ),
    ],
)
def test_a_setting_that_no_report_looks_at_is_told_of(settings, name, what):
    sources = all_sources()
    (line,) = unused_settings(with_defaults(settings, sources), sources)
    assert line.startswith(f"setting {name} has no effect: no report of ")
    assert what in line


def test_what_is_there_by_default_or_is_used_is_not_told_of():
    sources = all_sources()
    every = {**STRIPE, **BRING, **KLARNA, **VIPPS}
    assert [*unused_settings(with_defaults(every, sources), sources)] == []
    used = {**every, "bring_skip_invoices": ["1"], "bring_max_concurrent_runs": 3, "bring_unspecified_invoices": True}
    assert [*unused_settings(with_defaults(used, sources), sources)] == []


def test_a_declaration_that_knows_configured_reports_alone_says_nothing():
    source = with_reports(stand_ins=lambda values, report: {"sales": {}}[report.report_type])
    assert [*unused_settings(with_defaults({"shop_key": "k"}, [source]), [source])] == []


def test_one_that_allows_another_order_is_told_of_where_nothing_is_ordered():
    flag = d.Setting("shop_reorder", "Shop: order again.", d.FLAG, default=False)
    source = with_reports(retrieval=replace(ORDERED, reorder_setting="shop_reorder"))
    source = replace(source, settings=(*SHOP.settings, flag))
    values = with_defaults({"shop_key": "k", "shop_reorder": True}, [source])
    assert [*unused_settings(values, [source])] == ["setting shop_reorder has no effect: no report of Shop is ordered"]
