"""Reconciliations and refusals, seen from a sync's end."""

from __future__ import annotations

import pytest

from tap_billing_reports.sandbox.stripe.accounts import KEY_WITHOUT_FILES, KEY_WITHOUT_INVOICES, KEY_WITHOUT_REPORTS
from tests.vendors.stripe.emulated import ITEMIZED, SUMMARY

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


def test_rows_agree_with_each_other(stripe):
    ended = stripe.sync(*BOTH, {"report_type": "balance.summary.1", "window": "month"})
    assert ended.code == 0, ended.log
    found = checks(ended)
    assert [r["ok"] for r in found["row_identity"]] == [True]
    rolled = found["balance_rolls_forward"]
    assert {r["ok"] for r in rolled} == {True}
    assert {r["subject"].rpartition(" ")[2] for r in rolled} == {r["currency"] for r in rolled}
    assert all(r["title"] for kind in found.values() for r in kind)
    assert all(r["reason"] for kind in found.values() for r in kind if r["ok"] is None)


def test_repeated_local_hours_are_counted(stripe):
    zone = "America/Los_Angeles"
    ended = stripe.sync(
        {**BOTH[0], "timezone": zone, "name": "la", "window": "day"},
        start_date="2026-11-01",
        end_date="2026-11-02",
    )
    assert ended.code == 0, ended.log
    (record,) = checks(ended)["ambiguous_local_times"]
    assert record["ok"] is None
    rows = ended.of("stripe_la")
    twice = [row for row in rows if "2026-11-01T08:00:00Z" <= row["created"] < "2026-11-01T09:00:00Z"]
    assert int(record["actual"]) >= len(twice) > 0


def test_a_missing_row_shows_in_the_summary(stripe):
    stripe.control.options["stripe_run_rules"] = [{"match": {"report_type": "itemized"}, "do": {"drop_rows": 1}}]
    ended = stripe.sync(*BOTH)
    assert ended.code == 0, "on_mismatch warns unless told otherwise"
    twin = checks(ended)["itemized_vs_summary"][0]
    assert twin["ok"] is False
    assert twin["difference"] not in {"0", "0.00"}
    assert "itemized_vs_summary" in ended.log


def ledgers(ended) -> list[dict]:
    names = ("balance_change_from_activity_itemized_3", "balance_change_from_activity_summary_1")
    return [ended.state["bookmarks"][f"stripe_{name}"]["ledger"][0] for name in names]


def twin(ended) -> list[tuple[str, bool | None]]:
    return [(record["subject"], record["ok"]) for record in checks(ended)["itemized_vs_summary"]]


def test_on_mismatch_fail_keeps_both_bookmarks_until_the_totals_agree(stripe):
    stripe.control.options["stripe_run_rules"] = [{"match": {"report_type": "itemized"}, "do": {"drop_rows": 1}}]
    subject = "balance_change_from_activity_summary_1 2026-10-01T00:00:00Z"
    state = None
    for _ in range(2):
        ended = stripe.sync(*BOTH, on_mismatch="fail", state=state)
        state = ended.state
        assert ended.code == 1, "a second sync must not pass by what the first one refused"
        assert twin(ended) == [(subject, False)]
        assert not any("through" in entry for entry in ledgers(ended))
    assert stripe.ordered() == 2
    stripe.control.options["stripe_run_rules"] = []
    stripe.control.advance(60)
    now = stripe.control.now().isoformat()
    mended = stripe.sync(*BOTH, on_mismatch="fail", state=state, reuse_runs_since=now)
    assert mended.code == 0, mended.log
    assert twin(mended) == [(subject, True)]
    assert all("through" in entry for entry in ledgers(mended))


@pytest.mark.parametrize(("on_mismatch", "open_ones"), [("warn", 1), ("fail", 2)])
def test_a_side_without_its_other_is_closed_unless_a_mismatch_is_a_failure(stripe, on_mismatch, open_ones):
    stripe.control.options["stripe_run_rules"] = [{"match": {"report_type": "summary"}, "do": {"fail": "no"}}]
    ended = stripe.sync(*BOTH, on_mismatch=on_mismatch)
    assert ended.code == 1
    assert [ok for _subject, ok in twin(ended)] == [None]
    assert sum("through" not in entry for entry in ledgers(ended)) == open_ones
    stripe.control.options["stripe_run_rules"] = []
    again = stripe.sync(*BOTH, on_mismatch=on_mismatch, state=ended.state)
    assert again.code == 0, again.log
    assert [ok for _subject, ok in twin(again)] == [None if on_mismatch == "warn" else True]
    assert all("through" in entry for entry in ledgers(again))


def test_a_side_whose_other_is_deferred_is_closed(stripe):
    both = [{**report, "window": "week"} for report in BOTH]
    first = stripe.sync(*both, max_new_runs=1)
    assert first.code == 0, first.log
    assert [ok for _subject, ok in twin(first)] == [True]
    # Only one side has a run to adopt: the other is over the limit.
    second = stripe.sync(both[0])
    assert second.code == 0, second.log
    ordered = stripe.ordered()
    third = stripe.sync(*both, max_new_runs=1, state=first.state)
    assert third.code == 0, third.log
    assert stripe.ordered() == ordered + 1
    assert [ok for _subject, ok in twin(third)].count(True) == 1
    assert "open" not in ledgers(third)[0]


@pytest.mark.parametrize(("on_mismatch", "code"), [("warn", 0), ("fail", 1)])
def test_stale_data_are_named(stripe, on_mismatch, code):
    kind = f"/v1/reporting/report_types/{SUMMARY}"
    # 2026-11-20 00:00 becomes 2026-11-15 00:00.
    stripe.control.fault({"alter": {"from": "1795132800", "to": "1794700800"}}, {"path": kind})
    report = {"report_type": SUMMARY, "window": "day"}
    ended = stripe.sync(report, start_date="2026-11-12", on_mismatch=on_mismatch)
    assert ended.code == code, ended.log
    assert [r["ok"] for r in checks(ended)["freshness"]] == [False]
    assert "reconciliation freshness does not hold: the vendor's data end at 2026-11-15T00:00:00Z" in ended.log
    assert ended.of("stripe_balance_change_from_activity_summary_1")


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


@pytest.mark.parametrize(
    ("key", "arrives", "stays_away"),
    [
        (KEY_WITHOUT_FILES, "invoices", "report_files"),
        (KEY_WITHOUT_INVOICES, "report_files", "invoices"),
        (KEY_WITHOUT_REPORTS, "invoices", "report_types"),
    ],
)
def test_a_right_that_comes_later_costs_no_second_order(stripe, key, arrives, stays_away):
    poor = stripe.sync(BOTH[1], stripe_api_key=key)
    assert poor.code == 1
    assert poor.of(arrives)
    assert not poor.of(stays_away)
    rich = stripe.sync(BOTH[1], state=poor.state)
    assert rich.code == 0, rich.log
    assert rich.of(stays_away)
    assert stripe.ordered() == 1
    assert "through" in rich.state["bookmarks"]["stripe_balance_change_from_activity_summary_1"]["ledger"][0]
