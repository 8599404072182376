"""The values of Stripe's own published examples of report types, runs and files, field by field."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any

import pytest

from tap_billing_reports.core.about import About
from tap_billing_reports.declare import Account, Period, RunStatus
from tap_billing_reports.declare.client import map_fields
from tap_billing_reports.http.responses import Answer
from tap_billing_reports.vendors.stripe import ORDERED, STRIPE
from tests.fakes import scripted
from tests.typed import some

ACCOUNT = Account("stripe", "acct_1", "stripe_account")
TYPE = {
    "id": "balance.summary.1",
    "name": "Balance summary",
    "version": "1",
    "object": "reporting.report_type",
    "data_available_start": 1519862400,
    "data_available_end": 1517356800,
    "updated": 1517382720,
}
PARAMETERS = {
    "columns": ["created", "reporting_category", "net"],
    "interval_start": 1577865600,
    "interval_end": 1580544000,
    "timezone": "America/Los_Angeles",
}
PENDING = {
    "id": "frr_123",
    "object": "reporting.report_run",
    "livemode": True,
    "report_type": "balance_change_from_activity.itemized.3",
    "parameters": PARAMETERS,
    "created": 1580832900,
    "status": "pending",
    "result": None,
}
SUCCEEDED: dict[str, Any] = PENDING | {
    "status": "succeeded",
    "succeeded_at": 1580832960,
    "result": {
        "id": "file_xs8vrJzC",
        "object": "file",
        "url": "https://files.stripe.com/v1/files/file_xs8vrJzC/contents",
        "created": 1580832960,
        "purpose": "report_run",
        "size": 53075,
        "type": "csv",
    },
}


def at(seconds):
    return datetime.fromtimestamp(seconds, tz=timezone.utc)


def answer(body):
    return Answer(About("stripe", "acct_1", "GET x"), 200, {}, json.dumps(body).encode())


def test_a_report_type():
    path = "/v1/reporting/report_types"
    client = scripted(STRIPE, {path: json.dumps({"object": "list", "data": [TYPE], "has_more": False})})
    (found,) = client.records(some(STRIPE.report_types).endpoint, account=ACCOUNT)
    columns = map_fields(some(STRIPE.report_types).fields, found)
    assert columns["report_type"] == "balance.summary.1"
    assert columns["name"] == "Balance summary"
    assert columns["data_available_start"] == "2018-03-01T00:00:00Z"
    assert columns["data_available_end"] == "2018-01-31T00:00:00Z"
    assert columns["updated_at"] == "2018-01-31T07:12:00Z"


@pytest.mark.parametrize("read", [ORDERED.read_order, lambda a: ORDERED.read_status(a, "frr_123")])
def test_a_run_as_it_is_created(read):
    run = read(answer(PENDING))
    assert (run.run_id, run.status, run.source_status) == ("frr_123", RunStatus.PENDING, "pending")
    assert run.report_type == "balance_change_from_activity.itemized.3"
    assert run.created_at == at(1580832900)
    assert (run.finished_at, run.error, run.file) == (None, None, None)


def test_its_parameters_are_those_of_the_order():
    """2020-01-01 00:00 to 2020-02-01 00:00 in Los Angeles."""
    run = ORDERED.read_status(answer(PENDING), "frr_123")
    entry = {
        "report_type": "balance_change_from_activity.itemized.3",
        "window": "month",
        "timezone": "America/Los_Angeles",
        "columns": PARAMETERS["columns"],
    }
    client = scripted(STRIPE, {}, stripe_reports=[entry])
    (report,) = some(STRIPE.reports).configured(client.values)
    period = Period("2020-01-01T08:00:00Z", at(1577865600), at(1580544000))
    assert some(STRIPE.reports).parameters(report, period) == run.parameters


def test_a_run_that_has_succeeded_and_its_file():
    run = ORDERED.read_status(answer(SUCCEEDED), "frr_123")
    assert (run.status, run.finished_at) == (RunStatus.READY, at(1580832960))
    file = some(run.file)
    assert (file.file_id, file.format, file.size, file.created_at) == (
        "file_xs8vrJzC",
        "csv",
        53075,
        at(1580832960),
    )
    # The example's address, built here below the configured host.
    values = scripted(STRIPE, {}).values
    hosts = {host.name: values.get(host.setting) or host.url for host in STRIPE.hosts}
    assert hosts[file.host] + file.path == SUCCEEDED["result"]["url"]
