"""BRP's errors become ours, its key is never seen, and nothing is ever written."""

from __future__ import annotations

import json
import logging

import pytest
from singer_sdk.exceptions import ConfigValidationError

from tap_billing_reports.core.about import About
from tap_billing_reports.http.responses import Answer
from tap_billing_reports.sandbox.brp.api import KEY_LEVEL_3, PASSWORD, USERNAME
from tap_billing_reports.vendors.brp import BRP
from tests.typed import some


def problem(body, status=200):
    return some(BRP.read_problem)(Answer(About("brp", "1"), status, {}, body.encode()))


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        ("<errors><error><code>1001</code><message>No</message></error></errors>", "1001", "No"),
        ("<?xml version='1.0'?><errors><error><code>1</code></error><error/></errors>", "1", ""),
        ('<errors xmlns="urn:x"><error><message>No</message></error></errors>', "", "No"),
        ("<answer><errors><error><message>No</message></error></errors></answer>", "", "No"),
        ("<errors>Not so</errors>", "", "Not so"),
        ('{"errors": [{"code": 1001, "message": "No"}]}', "1001", "No"),
        ('{"errors": {"error": {"code": "7"}}}', "7", ""),
        ('{"errors": {"error": [{"code": "7"}]}}', "7", ""),
        ('{"errors": "Not so"}', "", "Not so"),
        ('{"invoices": [], "padding": "' + "x" * 5000 + '", "errors": [{"code": 8}]}', "8", ""),
    ],
)
def test_error_bodies_of_every_shape(body, code, message):
    found = problem(body)
    assert (found.code, found.message) == (code, message)


@pytest.mark.parametrize(
    "body",
    [
        '{"invoices": []}',
        '{"invoices": [], "errors": []}',
        '{"invoices": [], "errors": null}',
        '{"invoices": [{"orderedby": "<errors>", "errors": [{"code": 1}]}]}',
        "[]",
        "<invoices/>",
        "<invoices><invoice><orderedby>&lt;errors&gt;</orderedby></invoice></invoices>",
        "<invoices><invoice><errors><error/></errors></invoice></invoices>",
    ],
)
def test_what_only_looks_like_an_error_is_none(body):
    assert problem(body) is None


@pytest.mark.parametrize("form", ["xml", "json"])
@pytest.mark.parametrize("status", [200, 400, 401, 403])
def test_a_wrong_key_names_the_settings_whatever_the_status(brp, form, status):
    brp.control.options["brp_error_status"] = status
    result = brp.sync(brp_format=form, brp_api_key="brp9-not-this-one")
    assert (result.status, result.of("invoices")) == (1, [])
    (line,) = {line for line in result.log.splitlines() if "failed: " in line}
    assert "1003: Invalid API key" in line
    assert "brp_api_key" in line
    assert "brp9-not-this-one" not in result.log


@pytest.mark.parametrize("form", ["xml", "json"])
def test_one_companys_error_leaves_the_other_alone(brp, form):
    result = brp.sync(brp_format=form, brp_company_ids=["9", "2"])
    assert result.status == 1
    assert {invoice["account_id"] for invoice in result.of("invoices")} == {"2"}
    assert "1001: Invalid parameter, companyid" in result.log
    bookmarks = result.state["bookmarks"]["invoices"]["partitions"]
    assert {p["context"]["account_id"]: "replication_key_value" in p for p in bookmarks} == {"9": False, "2": True}


def test_a_value_that_cannot_be_trusted_ends_the_account(brp, an_invoice):
    for wrong in ({"totalamount": "12.5"}, {"invoicedate": "11/20/2026"}, {"id": None}, {"rest": "1 000"}):
        brp.answer({"invoices": [an_invoice(1, **wrong)]}, path="invoices")
        result = brp.sync(brp_format="json", brp_company_ids=["1"])
        assert (result.status, result.of("invoices")) == (1, []), wrong


def test_another_format_than_asked_is_read_all_the_same(brp, an_invoice):
    brp.answer({"invoice": an_invoice(5)}, path="invoices")
    result = brp.sync(brp_company_ids=["1"])
    assert (result.status, [i["invoice_id"] for i in result.of("invoices")]) == (0, ["5"])


# -- secrets ---------------------------------------------------------------------------------------------


FAULTS = {
    "none": None,
    "500": {"status": 500},
    "html": {"html": True},
    "echo": {"status": 404, "body": f"no such thing: apikey={KEY_LEVEL_3}"},
    "cut": {"cut": {"after": 40, "framing": "length"}},
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_the_key_is_in_no_log_record_or_state(brp, fault):
    if fault is not None:
        brp.control.fault(fault, {"path": "invoices"})
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.DEBUG)
    try:
        result = brp.sync(brp_username=USERNAME, brp_password=PASSWORD)
    finally:
        root.setLevel(level)
    assert result.status == (0 if fault is None else 1)
    # The connection pool's own log line, which holds the whole query, has been there and is masked.
    assert "apikey=[redacted]" in result.log
    everything = result.log + json.dumps([result.records, result.states, result.schemas])
    for secret in (KEY_LEVEL_3, PASSWORD):
        assert secret not in everything


def test_basic_credentials_go_along_where_they_are_set(brp):
    brp.control.options["brp_require_basic"] = True
    assert brp.sync().status == 1
    assert brp.sync(brp_username=USERNAME, brp_password=PASSWORD).status == 0
    wrong = brp.sync(brp_username=USERNAME, brp_password="Tr0ubadour-9")
    assert wrong.status == 1
    assert "brp_username, brp_password" in wrong.log


def test_the_key_goes_to_the_configured_host_alone(brp):
    brp.control.fault({"redirect": brp.box.urls["foreign"] + "/elsewhere"}, {"path": "invoices"})
    assert brp.sync().status == 1
    assert [r for r in brp.control.requests() if r["host"] == "foreign"] == []


def test_http_is_refused_beyond_loopback(brp):
    with pytest.raises(ConfigValidationError) as refused:
        brp.sync(brp_api_url="http://brp.example/api/ver2")
    assert refused.value.errors == ["setting brp_api_url must be an https URL (http on loopback only)"]


def test_only_get_and_only_listed_paths(brp):
    brp.sync(brp_person_ids=["*"], brp_states=[1, 2])
    requests = brp.control.requests()
    assert {r["method"] for r in requests} == {"GET"}
    assert {r["path"].rpartition("/")[2] for r in requests} == {"businessunits.xml", "persons.xml", "invoices.xml"}
    assert "write" not in brp.control.counters()["events"]
    endpoints = [some(BRP.invoices).endpoint_by({"brp_format": "xml"})]
    assert {endpoint.method for endpoint in endpoints} == {"GET"}
