"""The official package against the sandbox, unchanged: where it complains, the sandbox is wrong."""

from __future__ import annotations

from typing import Any

import pytest
import requests
import stripe

from tap_billing_reports.sandbox.stripe import accounts
from tap_billing_reports.sandbox.stripe.catalogue import report_types
from tests.sandbox.stripe_calls import at
from tests.waiting import HANG_SECONDS

TYPE = "balance_change_from_activity.itemized.3"
NOVEMBER = {"interval_start": at(2026, 11, 1), "interval_end": at(2026, 11, 8)}


@pytest.fixture
def client_for(sandbox):
    def made(key=accounts.FULL_KEY, account=None):
        return stripe.StripeClient(
            key,
            stripe_account=account,
            max_network_retries=0,
            base_addresses={"api": sandbox.urls["stripe_api"], "files": sandbox.urls["stripe_files"]},
        )

    return made


@pytest.fixture
def client(client_for):
    return client_for()


@pytest.fixture
def reporting(client):
    return client.v1.reporting


def order(reporting, key=None, **parameters):
    options = {"idempotency_key": key} if key else {}
    return reporting.report_runs.create({"report_type": TYPE, "parameters": {**NOVEMBER, **parameters}}, options)


def test_lists_types_with_an_integer_version(reporting):
    found = reporting.report_types.list()
    assert {kind.id for kind in found.data} == set(report_types())
    assert all(type(kind.version) is int for kind in found.data)
    assert found.has_more is False
    assert reporting.report_types.retrieve(TYPE).version == 3


def test_refuses_a_limit_on_types(reporting):
    with pytest.raises(stripe.InvalidRequestError, match="unknown parameter: limit") as refused:
        reporting.report_types.list({"limit": 3})
    assert refused.value.http_status == 400
    assert refused.value.param == "limit"


def test_creates_a_pending_run(reporting):
    run = order(reporting, timezone="Europe/Oslo", columns=["created", "net", "payment_metadata[order_id]"])
    assert (run.status, run.result, run.livemode) == ("pending", None, False)
    assert run.parameters.columns == ["created", "net", "payment_metadata[order_id]"]
    assert run.parameters.interval_start == NOVEMBER["interval_start"]


def test_replays_the_same_key(reporting, sandbox):
    first = order(reporting, key="once")
    sandbox.control.advance(60)
    again = order(reporting, key="once")
    assert again.id == first.id
    assert again.status == "pending"  # the stored answer, whatever has become of the run
    assert again.last_response.headers["Idempotent-Replayed"] == "true"
    assert sandbox.control.counters()["orders"]["stripe"]["total"] == 1


def test_refuses_other_parameters_for_the_same_key(reporting):
    order(reporting, key="once")
    with pytest.raises(stripe.IdempotencyError):
        order(reporting, key="once", timezone="Europe/Oslo")


def test_retrieves_until_succeeded_with_the_size_of_the_bytes(reporting, sandbox):
    run = order(reporting)
    assert reporting.report_runs.retrieve(run.id).status == "pending"
    sandbox.control.advance(1)
    run = reporting.report_runs.retrieve(run.id)
    assert run.status == "succeeded"
    assert run.result.purpose == "finance_report_run"
    assert run.result.expires_at - run.result.created == 31_536_000
    assert run.result.url.startswith(sandbox.urls["stripe_files"])
    answer = requests.get(run.result.url, auth=(accounts.FULL_KEY, ""), timeout=HANG_SECONDS)
    assert len(answer.content) == run.result.size


def test_lists_runs_by_pages_of_two(reporting, sandbox):
    sandbox.control.options["stripe_concurrent_runs"] = 10
    ordered = []
    for day in range(1, 6):
        ordered.append(order(reporting, interval_start=at(2026, 10, day)).id)
        sandbox.control.advance(1)
    first = reporting.report_runs.list({"limit": 2})
    assert len(first.data) == 2
    assert first.has_more is True
    assert [run.id for run in first.auto_paging_iter()] == ordered[::-1]
    before = reporting.report_runs.list({"limit": 2, "ending_before": ordered[0]})
    assert [run.id for run in before.data] == [ordered[2], ordered[1]]


def test_refuses_an_unknown_parameter(reporting, client):
    with pytest.raises(stripe.InvalidRequestError, match="unknown parameter"):
        order(reporting, colour="blue")
    with pytest.raises(stripe.InvalidRequestError, match="unknown parameter"):
        client.v1.invoices.list({"colour": "blue"})


def test_a_restricted_key_without_the_right(client_for):
    with pytest.raises(stripe.PermissionError, match="report_runs_and_report_types_read"):
        client_for(accounts.KEY_WITHOUT_REPORTS).v1.reporting.report_types.list()
    with pytest.raises(stripe.PermissionError, match="invoice_read"):
        client_for(accounts.KEY_WITHOUT_INVOICES).v1.invoices.list()
    with pytest.raises(stripe.PermissionError, match="file_read"):
        client_for(accounts.KEY_WITHOUT_FILES).v1.files.list()
    assert client_for(accounts.KEY_WITHOUT_REPORTS).v1.invoices.list().data


def test_a_bad_key(client_for):
    with pytest.raises(stripe.AuthenticationError, match="Invalid API Key") as refused:
        client_for("sk_test_nobody_knows_this").v1.invoices.list()
    assert "nobody_knows" not in str(refused.value)


def test_over_the_limit(reporting, sandbox):
    sandbox.control.options["stripe_concurrent_runs"] = 2
    order(reporting)
    order(reporting)
    with pytest.raises(stripe.RateLimitError) as refused:
        order(reporting)
    body: Any = refused.value.json_body
    assert body["error"]["code"] == "rate_limit"
    sandbox.control.advance(1)
    assert order(reporting).status == "pending"
    assert sandbox.control.counters()["pending"] == {"stripe": 2}


def test_lists_invoices(client):
    found = list(client.v1.invoices.list({"limit": 7}).auto_paging_iter())
    assert len(found) == len({invoice.id for invoice in found}) == 40
    assert {invoice.status for invoice in found} == {"draft", "open", "paid", "void", "uncollectible"}
    assert client.v1.invoices.retrieve(found[0].id).total == found[0].total


def test_lists_and_retrieves_files(client, reporting, sandbox):
    run = order(reporting)
    sandbox.control.advance(1)
    file = reporting.report_runs.retrieve(run.id).result
    assert [found.id for found in client.v1.files.list({"purpose": "finance_report_run"}).data] == [file.id]
    assert client.v1.files.retrieve(file.id).size == file.size


def test_a_connected_account_is_a_world_of_its_own(client_for, reporting):
    run = order(reporting)
    connected = client_for(account=accounts.CONNECTED[0].id)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        connected.v1.reporting.report_runs.retrieve(run.id)
    assert refused.value.http_status == 404
    types = {kind.id for kind in connected.v1.reporting.report_types.list().data}
    assert TYPE in types
    assert not any(kind.startswith("connected_account_") for kind in types)
    with pytest.raises(stripe.PermissionError):
        client_for(account="acct_of_somebody_else").v1.invoices.list()
