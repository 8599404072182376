"""Orders: what is refused, what is replayed, what becomes of a run."""

from __future__ import annotations

import pytest

from tap_billing_reports.sandbox.stripe import accounts
from tests.sandbox.stripe_calls import RUNS, TYPES, at

SUMMARY = "balance_change_from_activity.summary.1"
ITEMIZED = "balance_change_from_activity.itemized.3"
WEEK = {"interval_start": at(2026, 11, 2), "interval_end": at(2026, 11, 9)}


def error(answer, status=400):
    assert answer.status_code == status, answer.text
    assert answer.headers["Request-Id"].startswith("req_")
    return answer.json()["error"]


def test_availability_moves_twice_a_day(calls, sandbox):
    def end():
        return calls.get(f"{TYPES}/{SUMMARY}").json()["data_available_end"]

    assert end() == at(2026, 11, 20)
    sandbox.control.advance(10 * 3600)
    assert end() == at(2026, 11, 20)
    sandbox.control.advance(3600)
    assert end() == at(2026, 11, 20, 12)
    assert calls.get(f"{TYPES}/{SUMMARY}").json()["data_available_start"] == at(2026, 5, 14)


def test_out_of_range_names_the_bound(calls):
    early = error(calls.order(SUMMARY, interval_start=at(2026, 1, 1, 14, 3, 52), interval_end=at(2026, 11, 1)))
    assert early["message"] == (
        f"Data for the report type {SUMMARY} is only available starting at 2026-05-14 00:00:00 UTC; "
        "you requested `interval_start` = 2026-01-01 14:03:52 UTC."
    )
    assert early["param"] == "parameters.interval_start"
    assert "code" not in early
    late = error(calls.order(SUMMARY, interval_start=at(2026, 11, 1), interval_end=at(2026, 11, 20) + 1))
    assert late["param"] == "parameters.interval_end"
    assert "only available through 2026-11-20 00:00:00 UTC" in late["message"]
    whole = calls.order(SUMMARY, interval_start=at(2026, 5, 14), interval_end=at(2026, 11, 20))
    assert whole.status_code == 200


@pytest.mark.parametrize(
    ("kind", "parameters", "param"),
    [
        (SUMMARY, {"interval_end": at(2026, 11, 9)}, "parameters.interval_start"),
        (SUMMARY, {**WEEK, "interval_end": WEEK["interval_start"]}, "parameters.interval_start"),
        (SUMMARY, {**WEEK, "interval_start": "monday"}, "parameters.interval_start"),
        ("balance.summary.2", {**WEEK, "timezone": "Europe/Oslo"}, "parameters[timezone]"),
        (SUMMARY, {**WEEK, "timezone": "Europe/Atlantis"}, "parameters.timezone"),
        (ITEMIZED, {**WEEK, "timezone": "Europe/Atlantis"}, "parameters.timezone"),
        (ITEMIZED, {**WEEK, "reporting_category": "gifts"}, "parameters.reporting_category"),
        (ITEMIZED, {**WEEK, "report_category": "charge"}, "parameters[report_category]"),
        (ITEMIZED, {**WEEK, "currency": "kroner"}, "parameters.currency"),
        (ITEMIZED, {**WEEK, "columns": ["net", "colour"]}, "parameters.columns"),
        ("ending_balance_reconciliation.summary.1", WEEK, "parameters[interval_start]"),
        ("payout_reconciliation.by_id.summary.1", {"payout": "po_none"}, "parameters.payout"),
        ("payout_reconciliation.by_id.summary.1", {}, "parameters.payout"),
        (
            "connected_account_balance.summary.1",
            {**WEEK, "connected_account": "acct_x"},
            "parameters.connected_account",
        ),
        ("nothing.itemized.1", WEEK, "report_type"),
    ],
)
def test_refused_parameters(calls, sandbox, kind, parameters, param):
    assert error(calls.order(kind, **parameters))["param"] == param
    assert sandbox.control.counters()["orders"] == {}


def test_bodies_are_forms(calls):
    assert "form" in error(calls.call("POST", RUNS, json={"report_type": SUMMARY}))["message"]
    assert error(calls.call("POST", RUNS, params={"report_type": SUMMARY}))["param"] == "report_type"
    assert error(calls.call("POST", RUNS, data={}))["param"] == "report_type"


def test_columns_by_index_keep_their_order(calls):
    form = {
        "report_type": ITEMIZED,
        "parameters[interval_start]": WEEK["interval_start"],
        "parameters[interval_end]": WEEK["interval_end"],
        "parameters[columns][1]": "created",
        "parameters[columns][0]": "net",
    }
    run = calls.call("POST", RUNS, data=form).json()
    assert run["parameters"]["columns"] == ["net", "created"]


def test_a_refusal_is_not_stored_under_the_key(calls, sandbox):
    key = {"Idempotency-Key": "k"}
    error(calls.order(SUMMARY, key, interval_start=0, interval_end=1))
    sandbox.control.options["stripe_concurrent_runs"] = 0
    assert error(calls.order(SUMMARY, key, **WEEK), 429)["code"] == "rate_limit"
    sandbox.control.options["stripe_concurrent_runs"] = 1
    assert calls.order(SUMMARY, key, **WEEK).status_code == 200


def test_a_key_is_kept_for_a_day_and_per_account(calls, sandbox):
    key = {"Idempotency-Key": "k"}
    first = calls.order(SUMMARY, key, **WEEK).json()["id"]
    other = calls.order(SUMMARY, {**key, "Stripe-Account": accounts.CONNECTED[0].id}, **WEEK).json()["id"]
    sandbox.control.advance(23 * 3600)
    replayed = calls.order(SUMMARY, key, **WEEK)
    sandbox.control.advance(2 * 3600)
    later = calls.order(SUMMARY, key, **WEEK)
    assert replayed.json()["id"] == first
    assert replayed.headers["Idempotency-Key"] == "k"
    assert len({first, other, later.json()["id"]}) == 3
    assert "Idempotent-Replayed" not in later.headers


@pytest.mark.parametrize("created", [False, True])
def test_a_server_error_is_replayed(calls, sandbox, created):
    sandbox.control.options["stripe_run_rules"] = [{"times": 1, "do": {"answer": 500, "create": created}}]
    for replayed in (None, "true"):
        answer = calls.order(SUMMARY, {"Idempotency-Key": "k"}, **WEEK)
        assert error(answer, 500)["type"] == "api_error"
        assert answer.headers.get("Idempotent-Replayed") == replayed
    assert len(calls.get(RUNS).json()["data"]) == int(created)
    assert calls.order(SUMMARY, {"Idempotency-Key": "k2"}, **WEEK).status_code == 200


def test_runs_that_fail_lag_or_vanish(calls, sandbox):
    sandbox.control.options["stripe_run_rules"] = [
        {"match": {"nth": 1}, "do": {"fail": "The report could not be made."}},
        {"match": {"report_type": "^payouts"}, "do": {"seconds": 7200}},
        {"match": {"parameters": {"currency": "nok"}}, "do": {"vanish": 30}},
        {"match": {"parameters": {"currency": "usd"}}, "do": {"status": "on_hold"}},
    ]
    ids = {
        "failed": calls.order(SUMMARY, **WEEK).json()["id"],
        "slow": calls.order("payouts.summary.1", **WEEK).json()["id"],
        "gone": calls.order(SUMMARY, **WEEK, currency="nok").json()["id"],
        "odd": calls.order(SUMMARY, **WEEK, currency="usd").json()["id"],
    }
    sandbox.control.advance(3600)
    found = {name: calls.get(f"{RUNS}/{identifier}") for name, identifier in ids.items()}
    assert found["failed"].json()["status"] == "failed"
    assert found["failed"].json()["error"] == "The report could not be made."
    assert found["failed"].json()["result"] is None
    assert found["slow"].json()["status"] == "pending"
    assert error(found["gone"], 404)["code"] == "resource_missing"
    assert found["odd"].json()["status"] == "on_hold"
    assert ids["gone"] not in {run["id"] for run in calls.get(RUNS).json()["data"]}
    sandbox.control.advance(3600)
    assert calls.get(f"{RUNS}/{ids['slow']}").json()["status"] == "succeeded"


def test_files_expire(calls, sandbox):
    sandbox.control.options["stripe_run_rules"] = [{"match": {"nth": 1}, "do": {"expire": 60}}]
    runs = [calls.order(SUMMARY, **WEEK).json()["id"] for _ in range(2)]
    sandbox.control.advance(50)
    files = [calls.get(f"{RUNS}/{run}").json()["result"]["id"] for run in runs]
    paths = [f"/v1/files/{file}/contents" for file in files]
    assert [calls.get(path, host="stripe_files").status_code for path in paths] == [200, 200]
    sandbox.control.advance(60)
    assert [calls.get(path, host="stripe_files").status_code for path in paths] == [404, 200]
    sandbox.control.advance(365 * 86400)
    assert [calls.get(path, host="stripe_files").status_code for path in paths] == [404, 404]


def test_contents_need_the_key_the_right_and_the_files_host(calls, sandbox):
    run = calls.order(SUMMARY, **WEEK).json()["id"]
    sandbox.control.advance(1)
    path = f"/v1/files/{calls.get(f'{RUNS}/{run}').json()['result']['id']}/contents"
    assert calls.get(path, host="stripe_files", key="sk_test_no").status_code == 401
    assert calls.get(path, host="stripe_files", key=accounts.KEY_WITHOUT_FILES).status_code == 403
    assert calls.get(path, host="stripe_files", headers={"Authorization": ""}).status_code == 401
    assert calls.get(path, host="stripe_files", headers={"Stripe-Account": accounts.CONNECTED[0].id}).status_code == 404
    assert calls.get(path).status_code == 404


def test_the_list_of_runs(calls, sandbox):
    made = []
    for _ in range(3):
        made.append(calls.order(SUMMARY, **WEEK).json())
        sandbox.control.advance(100)
    since = {"created[gte]": made[1]["created"]}
    assert [run["id"] for run in calls.get(RUNS, params=since).json()["data"]] == [
        made[2]["id"],
        made[1]["id"],
    ]
    both = {"starting_after": made[0]["id"], "ending_before": made[1]["id"]}
    assert "both" in error(calls.get(RUNS, params=both))["message"]
    assert error(calls.get(RUNS, params={"limit": 101}))["param"] == "limit"
    assert error(calls.get(RUNS, params={"limit": 0}))["param"] == "limit"
    assert error(calls.get(RUNS, params={"starting_after": "frr_none"}))["code"] == "resource_missing"
    assert error(calls.get(RUNS, params={"status": "pending"}))["code"] == "parameter_unknown"
    assert error(calls.get(RUNS, params={"created[after]": 1}))["code"] == "parameter_unknown"


def test_live_mode_and_live_only_types(calls, sandbox):
    assert calls.order(SUMMARY, key=accounts.LIVE_KEY, **WEEK).json()["livemode"] is True
    sandbox.control.options["stripe_live_only"] = [SUMMARY]
    assert "live-mode" in error(calls.order(SUMMARY, **WEEK))["message"]
    assert calls.order(SUMMARY, key=accounts.LIVE_KEY, **WEEK).status_code == 200


def test_the_version_is_echoed_and_checked(calls):
    answer = calls.get(TYPES, headers={"Stripe-Version": "2025-03-31.basil"})
    assert answer.headers["Stripe-Version"] == "2025-03-31.basil"
    assert "version" in error(calls.get(TYPES, headers={"Stripe-Version": "newest"}))["message"]
    assert "Unrecognized" in error(calls.get("/v1/charges"), 404)["message"]
