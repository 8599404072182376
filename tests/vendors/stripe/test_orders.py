"""Each window is ordered once, whatever the vendor, the network or an earlier sync did."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.fakes import SandboxClock
from tests.running import run_tap
from tests.vendors.stripe.emulated import SUMMARY

ROWS = "stripe_balance_change_from_activity_summary_1"
MONTH = {"report_type": SUMMARY, "window": "month"}
RUNS = "/v1/reporting/report_runs"
CREATED = 1793000000  # October 2026


def test_a_finished_run_of_the_same_parameters_is_adopted(stripe):
    first = stripe.sync(MONTH)
    second = stripe.sync(MONTH)
    assert (first.code, second.code) == (0, 0)
    assert stripe.ordered() == 1
    assert [r["origin"] for r in second.of("report_runs")] == ["adopted"]
    assert second.records[ROWS] == first.records[ROWS]


def test_a_run_of_other_parameters_is_not_adopted(stripe):
    stripe.sync({**MONTH, "currency": "usd"})
    ended = stripe.sync(MONTH)
    assert ended.code == 0
    assert stripe.ordered() == 2


def test_a_listed_run_is_found_beyond_the_first_page(stripe):
    first = stripe.sync(MONTH)
    run = first.of("report_runs")[0]["run_id"]
    others = {"report_type": "payouts.summary.1", "name": "others", "window": "day"}
    # A page holds a hundred.
    crowd = stripe.sync(others, start_date="2026-07-25", max_new_runs=200)
    assert crowd.code == 0, crowd.log
    assert stripe.ordered() > 110
    ended = stripe.sync(MONTH)
    adopted = [r for r in ended.of("report_runs") if r["origin"] == "adopted"]
    assert [r["run_id"] for r in adopted] == [run]


def test_a_failed_run_is_ordered_again_under_another_key(stripe):
    stripe.control.options["stripe_run_rules"] = [{"match": {"nth": 1}, "do": {"fail": "no luck"}}]
    ended = stripe.sync(MONTH)
    assert ended.code == 0, ended.log
    assert stripe.ordered() == 2
    runs = sorted(ended.of("report_runs"), key=lambda run: run["attempt"])
    assert [(run["status"], run["error"], run["attempt"]) for run in runs] == [
        ("failed", "no luck", 1),
        ("succeeded", None, 2),
    ]
    assert ended.of(ROWS)


def test_three_failed_runs_are_a_failure_and_others_go_on(stripe):
    stripe.control.options["stripe_run_rules"] = [
        {"match": {"report_type": "^payouts.summary"}, "do": {"fail": "never"}}
    ]
    ended = stripe.sync(MONTH, {"report_type": "payouts.summary.1", "window": "month"})
    assert ended.code == 1
    assert ended.of(ROWS), "the other report has arrived"
    assert "stripe_payouts_summary_1" in ended.log
    assert "never" in ended.log
    assert stripe.ordered() == 1 + 3
    stripe.control.options["stripe_run_rules"] = []
    again = stripe.sync(MONTH, {"report_type": "payouts.summary.1", "window": "month"}, state=ended.state)
    assert again.code == 0, again.log
    assert stripe.ordered() == 1 + 4, "a new attempt, and nothing else anew"


def test_a_rate_limit_with_status_400_is_waited_for_and_no_refusal(stripe):
    """An optional report would be left out without a failure."""
    limited = {"error": {"type": "invalid_request_error", "code": "rate_limit", "message": "Too many requests"}}
    stripe.control.fault({"status": 400, "body": limited}, {"method": "POST", "path": RUNS}, times=2)
    ended = stripe.sync({**MONTH, "optional": True})
    assert ended.code == 0, ended.log
    assert stripe.ordered() == 1
    assert ended.of(ROWS)


@pytest.mark.parametrize(
    "odd", [{"parameters": ["a"]}, {"id": ["frr_1"]}, {"created": "yesterday"}, {"result": {"id": None, "size": 3}}]
)
@pytest.mark.parametrize("where", ["list", "order"])
def test_a_run_in_another_shape_stops_no_other_report(stripe, odd, where):
    run = {"id": "frr_1", "report_type": "x", "status": "succeeded", "created": CREATED, "parameters": {}, **odd}
    listed = {"object": "list", "data": [run], "has_more": False}
    method = "GET" if where == "list" else "POST"
    body = listed if where == "list" else run
    stripe.control.fault({"status": 200, "body": body}, {"method": method, "path": f"{RUNS}$"})
    ended = stripe.sync(MONTH)
    assert ended.code == 1
    assert "has an unknown shape or status" in ended.log
    assert ended.of("invoices")


def test_what_a_foreign_run_says_is_text_for_the_target(stripe):
    """One field that is an object, and the target would refuse the whole sync."""
    run: dict[str, Any] = {"id": 7, "report_type": None, "status": "failed", "created": 1792000000, "parameters": {}}
    listed = {"object": "list", "data": [{**run, "error": {"code": "x"}}], "has_more": False}
    stripe.control.fault({"status": 200, "body": listed}, {"method": "GET", "path": f"{RUNS}$"})
    ended = stripe.sync()
    (found,) = ended.of("report_runs")
    assert (found["run_id"], found["error"], found["report_type"]) == ("7", '{"code":"x"}', "")


def test_a_replayed_failure_adopts_the_run_that_it_hides(stripe):
    stripe.control.options["stripe_run_rules"] = [
        {"match": {"nth": 1}, "do": {"answer": 500, "create": True}, "times": 1}
    ]
    ended = stripe.sync(MONTH)
    assert ended.code == 0, ended.log
    assert stripe.ordered() == 1
    assert [r["origin"] for r in ended.of("report_runs")] == ["adopted"]


def test_a_replayed_failure_without_a_run_takes_the_next_attempt(stripe):
    stripe.control.options["stripe_run_rules"] = [{"match": {"nth": 1}, "do": {"answer": 500}, "times": 1}]
    ended = stripe.sync(MONTH)
    assert ended.code == 0, ended.log
    assert ended.of(ROWS)
    assert [r["attempt"] for r in ended.of("report_runs")] == [2]


@pytest.mark.parametrize("fault", [{"lose": True}, {"status": 409}, {"status": 503}, {"reset": 0}])
def test_a_lost_answer_to_an_order_orders_nothing_twice(stripe, fault):
    stripe.control.fault(fault, {"method": "POST"}, times=1)
    ended = stripe.sync(MONTH)
    assert ended.code == 0, ended.log
    assert stripe.ordered() == 1


def test_a_run_that_vanished_is_ordered_again(stripe):
    stripe.control.options["stripe_run_rules"] = [{"match": {"nth": 1}, "do": {"vanish": 0}}]
    ended = stripe.sync(MONTH)
    assert ended.code == 0, ended.log
    assert stripe.ordered() == 2
    assert ended.of(ROWS)


def test_an_expired_file_is_ordered_again(stripe):
    stripe.control.options["stripe_run_rules"] = [{"match": {"nth": 1}, "do": {"expire": 0}}]
    ended = stripe.sync(MONTH)
    assert ended.code == 0, ended.log
    assert stripe.ordered() == 2
    assert ended.of(ROWS)


def test_a_pending_run_is_gone_on_with_after_the_deadline(stripe):
    stripe.control.options["stripe_run_rules"] = [{"match": {"nth": 1}, "do": {"seconds": 7200}}]
    ended = stripe.sync(MONTH, run_deadline_minutes=30)
    assert ended.code == 1
    assert "the next sync goes on with it" in ended.log
    ledger = ended.state["bookmarks"][ROWS]["ledger"][0]
    run = ledger["open"][0]["run"]
    assert [(r["run_id"], r["status"]) for r in ended.of("report_runs")] == [(run, "pending")]
    stripe.control.advance(7200)
    again = stripe.sync(MONTH, state=ended.state)
    assert again.code == 0, again.log
    assert [(r["run_id"], r["status"], r["origin"]) for r in again.of("report_runs")] == [(run, "succeeded", "ordered")]
    assert stripe.ordered() == 1


def test_an_unknown_status_is_an_error_and_keeps_the_run(stripe):
    stripe.control.options["stripe_run_rules"] = [{"match": {"nth": 1}, "do": {"status": "paused"}}]
    ended = stripe.sync(MONTH)
    assert ended.code == 1
    assert "unknown shape or status" in ended.log
    assert ended.state["bookmarks"][ROWS]["ledger"][0]["open"]


def test_a_throttled_order_waits_for_a_run_of_its_own(stripe):
    stripe.control.options["stripe_concurrent_runs"] = 2
    # By the vendor's clock, which only the tap's own waiting moves.
    stripe.control.options["stripe_run_seconds"] = 30
    config = stripe.settings({**MONTH, "window": "day"}, start_date="2026-11-10", stripe_max_concurrent_runs=8)
    ended = run_tap(config, clock=SandboxClock(stripe.control))
    assert ended.status == 0, ended.log
    assert set(stripe.orders().values()) == {1}
    assert stripe.ordered() == 10
    statuses = [r["status"] for r in stripe.asked(RUNS, "POST")]
    assert 429 in statuses, "the limit was met"


def test_no_more_runs_wait_at_once_than_allowed(stripe):
    stripe.control.options["stripe_run_seconds"] = 30
    config = stripe.settings({**MONTH, "window": "day"}, start_date="2026-11-10", stripe_max_concurrent_runs=3)
    assert run_tap(config, clock=SandboxClock(stripe.control)).status == 0
    assert stripe.ordered() == 10
    assert stripe.control.counters()["pending"]["stripe"] == 3


def test_a_refused_report_is_a_failure_unless_it_is_optional(stripe):
    stripe.control.options["stripe_live_only"] = ["payouts.summary.1"]
    refused = {"report_type": "payouts.summary.1", "window": "month"}
    ended = stripe.sync(MONTH, refused)
    assert ended.code == 1
    assert ended.of(ROWS)
    optional = stripe.sync(MONTH, {**refused, "optional": True})
    assert optional.code == 0, optional.log
    assert "optional" in optional.log


def test_nothing_is_ordered_for_runs_types_invoices_or_accounts_alone(stripe):
    whole = stripe.sync(MONTH)
    stripe.control.reset()
    streams = [
        {
            "tap_stream_id": name,
            "stream": name,
            "schema": schemas[0],
            "key_properties": [],
            "metadata": [
                {
                    "breadcrumb": [],
                    "metadata": {
                        "selected": name in {"report_runs", "report_types", "invoices", "accounts"},
                        "inclusion": "available",
                    },
                }
            ],
        }
        for name, schemas in whole.schemas.items()
    ]
    for stream in streams:
        keys = {
            "report_runs": ["source", "account_id", "run_id"],
            "invoices": ["source", "account_id", "invoice_id"],
        }
        stream["key_properties"] = keys.get(stream["stream"], [])
    ended = stripe.sync(MONTH, catalog={"streams": streams})
    assert ended.code == 0, ended.log
    assert stripe.ordered() == 0
    assert ended.of("accounts")


def test_foreign_runs_are_listed_once_and_ours_stay_ours(stripe):
    first = stripe.sync(MONTH)
    second = stripe.sync(MONTH, {"report_type": "payouts.summary.1", "window": "month"}, state=first.state)
    third = stripe.sync(MONTH, state=second.state)
    assert [r["origin"] for r in first.of("report_runs")] == ["ordered"]
    assert [r["report_type"] for r in second.of("report_runs")] == ["payouts.summary.1"]
    assert third.of("report_runs") == []
    fresh = stripe.sync(state=None)
    assert {r["origin"] for r in fresh.of("report_runs")} == {"foreign"}
    assert len(fresh.of("report_runs")) == 2


def test_the_order_is_form_encoded_with_a_key(stripe):
    stripe.sync({**MONTH, "currency": "usd", "columns": ["net", "currency"]})
    form = stripe.asked(RUNS, "POST")[0]["form"]
    text = form if isinstance(form, str) else json.dumps(form)
    assert "parameters[columns][]" in text
    assert "parameters[currency]" in text


def test_every_run_parameter_goes_out_and_narrows_the_rows(stripe):
    report = {
        "report_type": "connected_account_balance_change_from_activity.itemized.3",
        "name": "charges",
        "window": "month",
        "timezone": "Europe/Oslo",
        "columns": ["reporting_category", "currency", "net", "created"],
        "reporting_category": "charge",
        "extra_parameters": {"currency": "eur", "connected_account": "acct_sandbox_north"},
    }
    ended = stripe.sync(report)
    assert ended.code == 0, ended.log
    ((kind, parameters),) = [json.loads(key)[1:] for key in stripe.orders()]
    assert kind == report["report_type"]
    assert {name: str(value) if name.startswith("interval") else value for name, value in parameters.items()} == {
        "interval_start": "1790805600",  # midnight in Oslo: 22:00 UTC in summer, 23:00 in winter
        "interval_end": "1793487600",
        "timezone": "Europe/Oslo",
        "columns": ["reporting_category", "currency", "net", "created"],
        "reporting_category": "charge",
        "currency": "eur",
        "connected_account": "acct_sandbox_north",
    }
    rows = ended.of("stripe_charges")
    assert rows
    assert {(row["reporting_category"], row["currency"]) for row in rows} == {("charge", "EUR")}
    own = {"source", "account_id", "report_name", "period", "row_number", "window_end", "run_id", "file_id"}
    october = {(row["period_start"], row["period_end"], row["period_zone"]) for row in rows}
    assert october == {("2026-10-01", "2026-10-31", "Europe/Oslo")}, "though its key is of September, in UTC"
    own |= {"period_start", "period_end", "period_zone"}
    assert {name for row in rows for name in row} == {*report["columns"], *own, "_sdc_deleted_at"}
