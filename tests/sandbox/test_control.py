"""The log, the counters and the control host."""

from __future__ import annotations

import base64
import json
from datetime import datetime

import pytest
import requests

from tap_billing_reports.sandbox.requestlog import Secrets
from tap_billing_reports.sandbox.stripe.accounts import FULL_KEY
from tests.sandbox.stripe_calls import NOW, RUNS
from tests.waiting import HANG_SECONDS

WEEK = {"interval_start": 1793577600, "interval_end": 1794182400}


@pytest.fixture
def control(sandbox):
    with requests.Session() as session:
        session.trust_env = False

        def call(method, path, body=None):
            return session.request(method, sandbox.urls["control"] + path, json=body, timeout=HANG_SECONDS)

        yield call


def test_without_a_carrier_there_are_no_orders_of_a_shop(control):
    assert control("GET", "/orders").json() == []


def test_every_host_has_a_port_of_its_own(sandbox):
    assert list(sandbox.urls) == ["control", "foreign", "stripe_api", "stripe_files"]
    assert len(set(sandbox.urls.values())) == 4
    assert all(url.startswith("http://127.0.0.1:") for url in sandbox.urls.values())


def test_the_log_names_a_credential_and_never_holds_it(sandbox, calls):
    calls.get("/v1/invoices", params={"limit": 1, "stray": FULL_KEY})
    calls.order("balance.summary.1", **WEEK)
    listed, ordered = sandbox.control.requests()
    assert listed["secrets"] == [
        {"name": "stripe:0", "where": "header"},
        {"name": "stripe:0", "where": "query"},
    ]
    assert listed["query"] == "limit=1&stray=<stripe:0>"
    assert (ordered["method"], ordered["path"], ordered["status"]) == ("POST", RUNS, 200)
    assert ordered["form"].startswith("report_type=balance.summary.1&parameters[interval_start]=1793577600")
    assert ordered["bytes"] > 100
    assert FULL_KEY not in json.dumps(sandbox.control.requests())


def test_credentials_are_found_wherever_they_are():
    secrets = Secrets({"v": ["key", "key-longer"], "w": ["p w"]})
    basic = base64.b64encode(b"key-longer:").decode()
    headers = [(b"Authorization", f"Basic {basic}".encode()), (b"X-Key", b"p%20w")]
    assert secrets.seen(headers, "a=key", "/", "") == [
        {"name": "v:0", "where": "query"},
        {"name": "v:1", "where": "basic"},
        {"name": "w:0", "where": "header"},
    ]
    assert secrets.seen([(b"Authorization", b"Basic ***")], "", "/key", "b=key-longer") == [
        {"name": "v:0", "where": "path"},
        {"name": "v:1", "where": "body"},
    ]


def test_counters(sandbox, calls):
    for currency in ("nok", "nok", "usd"):
        calls.order("balance.summary.1", **WEEK, currency=currency)
    calls.get(f"{RUNS}/frr_1")
    calls.get(f"{RUNS}/frr_2")
    requests.get(sandbox.urls["foreign"] + "/some/path", timeout=HANG_SECONDS)
    found = sandbox.control.counters()
    assert found["requests"]["stripe_api"] == {f"POST {RUNS}": 3, f"GET {RUNS}/{{id}}": 2}
    assert found["statuses"]["stripe_api"] == {"200": 3, "404": 2}
    assert found["credentials"] == {"stripe_api": ["stripe:0"], "foreign": []}
    assert found["orders"]["stripe"]["total"] == 3
    assert sorted(found["orders"]["stripe"]["by_key"].values()) == [1, 2]
    assert found["pending"] == {"stripe": 3}
    sandbox.control.forget()
    assert sandbox.control.counters()["requests"] == {}


def test_the_foreign_host_betrays_who_sends_it_a_credential(sandbox):
    requests.get(sandbox.urls["foreign"], headers={"X-Key": FULL_KEY}, timeout=HANG_SECONDS)
    assert sandbox.control.counters()["credentials"] == {"foreign": ["stripe:0"]}


def test_the_clock_over_http(sandbox, control):
    assert control("GET", "/clock").json() == {"now": NOW.isoformat(), "frozen": True}
    assert control("POST", "/clock", {"advance": 60}).json()["now"] == "2026-11-20T09:31:00+00:00"
    assert control("POST", "/clock", {"set": "2027-01-01T00:00:00Z"}).json()["now"] == "2027-01-01T00:00:00+00:00"
    assert control("POST", "/clock", {"freeze": False}).json()["frozen"] is False
    before = datetime.fromisoformat(control("POST", "/clock", {"freeze": True}).json()["now"])
    after = datetime.fromisoformat(control("POST", "/next-day").json()["now"])
    assert (after - before).total_seconds() == 86_400


def test_faults_over_http(sandbox, control):
    rules = [
        {"do": {"status": 500}, "times": 1},
        {"do": {"status": 502}, "match": {"host": "foreign"}, "skip": 1},
    ]
    assert len(control("POST", "/faults", rules).json()["added"]) == 2
    codes = [requests.get(sandbox.urls["foreign"], timeout=HANG_SECONDS).status_code for _ in range(3)]
    assert codes == [500, 200, 502]
    assert [rule["used"] for rule in control("GET", "/faults").json()] == [1, 1]
    control("DELETE", "/faults")
    assert control("GET", "/faults").json() == []


def test_the_rest_over_http(sandbox, control, calls):
    settings = control("GET", "/settings?start_date=2026-10-01").json()
    assert settings == sandbox.settings("2026-10-01")
    assert control("POST", "/totals", settings).json() == sandbox.control.totals(settings)
    assert control("POST", "/options", {"stripe_run_seconds": 5, "x": 1}).json()["stripe_run_seconds"] == 5
    assert control("POST", "/options", {"x": None}).json() == {"stripe_run_seconds": 5}
    assert control("GET", "/options").json() == sandbox.control.options
    control("POST", "/latency", {"seconds": 0.05})
    assert sandbox._emulation.latency == 0.05
    assert calls.get("/v1/invoices").status_code == 200
    assert control("GET", "/counters").json() == sandbox.control.counters()
    assert [entry["path"] for entry in control("GET", "/requests").json()] == ["/v1/invoices"]
    control("DELETE", "/requests")
    assert control("GET", "/requests").json() == []
    assert control("GET", "/").json()["urls"] == sandbox.urls


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/clock", {"set": "noon"}),
        ("/faults", {"do": {"explode": 1}}),
        ("/latency", {}),
        ("/totals", {"stripe_api_key": "x"}),
    ],
)
def test_wrong_requests_are_told_why(control, path, body):
    answer = control("POST", path, body)
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_a_reset_makes_everything_new(sandbox, control, calls):
    run = calls.order("balance.summary.1", **WEEK).json()["id"]
    invoices = calls.get("/v1/invoices").json()
    sandbox.control.next_day()
    sandbox.control.options["x"] = 1
    assert calls.get("/v1/invoices").json() != invoices
    assert control("POST", "/reset").status_code == 200
    assert calls.get(f"{RUNS}/{run}").status_code == 404
    assert calls.get("/v1/invoices").json() == invoices
    assert sandbox.control.options == {}
    assert len(sandbox.control.requests()) == 2


def test_settings_leave_out_nothing_that_the_vendor_needs(sandbox):
    settings = sandbox.settings()
    assert settings["start_date"] == "2026-08-22"
    assert settings["stripe_api_url"] == sandbox.urls["stripe_api"]
    assert sandbox.control.totals({"start_date": "2026-10-01"}) == {}
