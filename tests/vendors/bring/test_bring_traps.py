"""Bring's traps: login pages with status 200, 406, links and hosts (issue 4, point 7)."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.waiting import HANG_SECONDS

PARCELS = "20000770011"
NAMED = "check the settings bring_api_uid, bring_api_key, bring_client_url"


@pytest.fixture
def one(bring):
    return bring.config("2026-10-20", bring_customers=[PARCELS])


def failures(result):
    return [line for line in result.log.splitlines() if "failed: " in line]


def test_a_login_page_in_place_of_data_ends_with_one_line_that_names_the_settings(bring):
    result = bring.run(bring.config(bring_api_key="wrong-key-000"))
    assert result.status == 1
    (line,) = failures(result)
    assert "a web page instead of data: most likely a login page" in line
    assert NAMED in line
    assert "wrong-key-000" not in result.log
    assert result.records == {}


def test_the_command_prints_it_without_a_traceback(bring, tmp_path):
    config = tmp_path / "config.json"
    config.write_text(json.dumps(bring.config(bring_api_key="wrong-key-000")))
    done = subprocess.run(
        [sys.executable, "-m", "tap_billing_reports", "--config", str(config)],
        capture_output=True,
        text=True,
        timeout=HANG_SECONDS,
        check=False,
    )
    assert done.returncode == 1
    assert NAMED in done.stderr
    assert "Traceback" not in done.stderr
    assert "wrong-key-000" not in done.stdout + done.stderr


@pytest.mark.parametrize("status", [401, 403])
def test_a_plain_refusal_is_named_alike(bring, status):
    bring.control.options["bring_wrong_key_status"] = status
    (line,) = failures(bring.run(bring.config(bring_api_key="wrong-key-000")))
    assert f"HTTP {status}" in line
    assert NAMED in line


def test_the_language_is_explicit_on_every_call(bring, one, tmp_path):
    """Without a concrete language the translated endpoints would have answered 406."""
    result = bring.run({**one, "bring_invoice_documents": True, "storage_url": str(tmp_path)})
    assert result.status == 0
    routes = {entry["route"] for entry in bring.control.requests()}
    assert {
        "/reports/api/generate/{customer}",
        "/reports/api/report/{file}",
        "/invoicearchive/pdf/{customer}/{file}",
    } <= routes
    assert {entry["status"] for entry in bring.control.requests()} == {200, 202}


def test_406_is_named_for_what_it_is(bring, one):
    body = "<?xml version='1.0' encoding='UTF-8'?><String>Not Acceptable</String>"
    bring.control.fault({"status": 406, "body": body}, {"path": r"/generate/[^/]*\.json"})
    result = bring.run(one)
    assert result.status == 1
    (line,) = failures(result)
    assert "HTTP 406 (the vendor does not accept the language or format asked for" in line
    assert result.of("bring_invoice_lines"), "the other calls go on"
    assert len([entry for entry in bring.control.requests() if entry["status"] == 406]) == 1, "not tried again"


@pytest.mark.parametrize("setting", ["bring_api_uid", "bring_api_key", "bring_client_url"])
def test_all_three_credentials_are_required(bring, setting):
    from singer_sdk.exceptions import ConfigValidationError

    config = bring.config()
    del config[setting]
    with pytest.raises(ConfigValidationError) as caught:
        bring.run(config)
    assert caught.value.errors == [
        f"setting {setting} is missing: Bring needs bring_api_uid, bring_api_key, bring_client_url"
    ]


def test_the_client_url_goes_with_every_call(bring, one):
    """The sandbox answers 400 without it, so a whole sync proves it."""
    assert bring.run(one).status == 0
    bring.control.fault({"status": 400, "body": "X-Bring-Client-URL is required"}, {"path": "/invoices/"})
    assert "X-Bring-Client-URL is required" in failures(bring.run(one))[0]


class TestCredentials:
    def test_never_go_to_another_host(self, bring, one):
        foreign = bring.sandbox.urls["foreign"]
        bring.control.fault({"redirect": f"{foreign}/x"}, {"path": "/invoices/"})
        result = bring.run(one)
        assert result.status == 1
        assert "nothing was sent there" in failures(result)[0]
        assert {entry["host"] for entry in bring.control.requests()} == {"bring"}

    def test_never_go_over_plain_http(self, bring, one):
        from singer_sdk.exceptions import ConfigValidationError

        one["bring_base_url"] = "http://bring.example"
        with pytest.raises(ConfigValidationError) as caught:
            bring.run(one)
        (line,) = caught.value.errors
        assert "bring_base_url" in line
        assert "https" in line
        assert not bring.control.requests()

    def test_are_in_headers_and_nowhere_else(self, bring, one):
        result = bring.run(one)
        places = {found["where"] for entry in bring.control.requests() for found in entry["secrets"]}
        assert places == {"header"}
        assert one["bring_api_key"] not in result.log
        written = json.dumps([result.records, result.states, result.schemas])
        assert one["bring_api_key"] not in written

    def test_every_call_is_a_get(self, bring, one):
        bring.run(one)
        assert {entry["method"] for entry in bring.control.requests()} == {"GET"}


@pytest.mark.parametrize("body", ["", "Service page", "{", '{"invoices": [', "<InvoiceResponse><InvoiceList>"])
def test_an_incomplete_answer_is_never_an_empty_list(bring, one, body):
    """Whether it is tried again or not: no bookmark may pass what was not read."""
    bring.control.fault({"status": 200, "body": body}, {"path": "/invoices/"})
    result = bring.run(one)
    assert result.status == 1
    assert not result.of("invoices")
    parts = result.state["bookmarks"]["invoices"]["partitions"]
    assert {part.get("replication_key_value") for part in parts} == {None}


def test_a_stumbling_vendor_is_tried_again(bring, one):
    bring.control.fault({"status": 503, "headers": {"Retry-After": "7"}}, {"path": "/invoices/"}, times=2)
    bring.control.fault({"status": 429}, {"path": r"/generate/[^/]*\.json"}, times=2)
    result = bring.run(one)
    assert result.status == 0
    assert sum(bring.clock.slept) >= 14
    expected = bring.control.totals(one)["invoices"]["bring"]["rows"]
    assert len(result.of("invoices")) == expected
