"""Reconciliations and refusals, seen from a sync's end."""

from __future__ import annotations

from tap_billing_reports.sandbox.stripe.accounts import KEY_WITHOUT_REPORTS
from tests.stripe.conftest import ITEMIZED, SUMMARY

BOTH = (
    {"report_type": ITEMIZED, "window": "month"},
    {"report_type": SUMMARY, "window": "month"},
)


def checks(ended) -> dict[str, list[dict]]:
    found: dict[str, list[dict]] = {}
    for record in ended.of("reconciliations"):
        found.setdefault(record["check"], []).append(record)
    return found


def test_every_check_of_a_good_sync_holds(stripe):
    ended = stripe.sync(*BOTH)
    assert ended.code == 0, ended.log
    found = checks(ended)
    assert [r["ok"] for r in found["file_bytes"]] == [True, True]
    assert [r["ok"] for r in found["windows_contiguous"]] == [True, True]
    assert [r["ok"] for r in found["freshness"]] == [True, True]
    assert [r["ok"] for r in found["itemized_vs_summary"]] == [True]
    assert found["itemized_vs_summary"][0]["difference"] in {"0", "0.00", "0.000"}


def test_repeated_local_hours_are_counted(stripe):
    zone = "America/Los_Angeles"
    ended = stripe.sync(
        {**BOTH[0], "timezone": zone, "name": "la", "window": "day"},
        start_date="2026-11-01",
        end_date="2026-11-02",
    )
    assert ended.code == 0, ended.log
    for record in checks(ended).get("ambiguous_local_times", []):
        assert record["ok"] is None
        assert int(record["actual"]) > 0


def test_a_missing_row_shows_in_the_summary(stripe):
    stripe.control.options["stripe_run_rules"] = [{"match": {"report_type": "itemized"}, "do": {"drop_rows": 1}}]
    ended = stripe.sync(*BOTH)
    assert ended.code == 0, "on_mismatch warns unless told otherwise"
    twin = checks(ended)["itemized_vs_summary"][0]
    assert twin["ok"] is False
    assert twin["difference"] not in {"0", "0.00"}
    assert "itemized_vs_summary" in ended.log


def test_on_mismatch_fail_keeps_the_bookmark(stripe):
    stripe.control.options["stripe_run_rules"] = [{"match": {"report_type": "itemized"}, "do": {"drop_rows": 1}}]
    ended = stripe.sync(*BOTH, on_mismatch="fail")
    assert ended.code == 1
    ledgers = [
        ended.state["bookmarks"][name]["ledger"][0]
        for name in (
            "stripe_balance_change_from_activity_itemized_3",
            "stripe_balance_change_from_activity_summary_1",
        )
    ]
    assert sum("through" in entry for entry in ledgers) == 1, "the side that showed it stays open"


def test_stale_data_are_named(stripe):
    kind = f"/v1/reporting/report_types/{SUMMARY}"
    # 2026-11-20 00:00 becomes 2026-11-15 00:00.
    stripe.control.fault({"alter": {"from": "1795132800", "to": "1794700800"}}, {"path": kind})
    ended = stripe.sync({"report_type": SUMMARY, "window": "day"}, start_date="2026-11-12")
    assert ended.code == 0, ended.log
    assert [r["ok"] for r in checks(ended)["freshness"]] == [False]


def test_a_window_that_failed_is_a_gap(stripe):
    stripe.control.options["stripe_run_rules"] = [
        {"match": {"parameters": {"interval_start": "1794700800"}}, "do": {"fail": "no"}},
        {"match": {"parameters": {"interval_start": 1794700800}}, "do": {"fail": "no"}},
    ]
    ended = stripe.sync({"report_type": SUMMARY, "window": "day"}, start_date="2026-11-12")
    assert ended.code == 1
    gap = checks(ended)["windows_contiguous"][0]
    assert (gap["ok"], gap["actual"]) == (False, "1")
    assert "2026-11-15T00:00:00Z" in gap["reason"]


def test_a_wrong_key_names_source_account_and_setting(stripe):
    ended = stripe.sync(BOTH[1], stripe_api_key="sk_test_wrong_key_000000")
    assert ended.code == 1
    lines = [line for line in ended.log.splitlines() if "stripe_api_key" in line]
    assert lines
    assert all("acct_sandbox" in line for line in lines)
    assert "sk_test_wrong_key_000000" not in ended.log
    assert "Traceback" not in ended.log


def test_a_missing_right_is_told_in_stripes_own_words(stripe):
    ended = stripe.sync(BOTH[1], stripe_api_key=KEY_WITHOUT_REPORTS)
    assert ended.code == 1
    assert "permission" in ended.log
    assert ended.of("invoices"), "what the key may read has arrived"
