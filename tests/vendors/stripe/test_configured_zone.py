"""A zone that a user gives as a run parameter is sent, whatever the catalogue says of the type."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from tap_billing_reports.declare import Period
from tap_billing_reports.vendors.stripe import STRIPE

TAKES_NONE = "payouts.itemized.1"
OSLO = "Europe/Oslo"


def report(**entry):
    assert STRIPE.reports is not None
    (found,) = STRIPE.reports.configured({"stripe_reports": [{"report_type": TAKES_NONE, **entry}]})
    return found


def asked(found):
    assert STRIPE.reports is not None
    start, end = (datetime(2026, month, 1, tzinfo=timezone.utc) for month in (9, 10))
    return STRIPE.reports.parameters(found, Period("2026-09-01T00:00:00Z", start, end))


@pytest.mark.parametrize(
    ("entry", "sent", "kind"),
    [
        ({}, None, "timestamp_utc"),
        ({"timezone": OSLO}, None, "timestamp_utc"),
        ({"extra_parameters": {"timezone": OSLO}}, OSLO, "timestamp"),
        ({"timezone": OSLO, "extra_parameters": {"timezone": OSLO}}, OSLO, "timestamp"),
    ],
)
def test_it_is_sent_and_times_are_read_in_it(entry, sent, kind):
    assert STRIPE.reports is not None
    found = report(**entry)
    assert asked(found).get("timezone") == sent
    assert STRIPE.reports.column_type(found, "created") == kind
    assert found.zone == (OSLO if entry else "UTC")


def test_two_zones_are_refused():
    entry = {"report_type": TAKES_NONE, "timezone": "UTC", "extra_parameters": {"timezone": OSLO}}
    values = {setting.name: setting.default for setting in STRIPE.settings} | {"stripe_reports": [entry]}
    (said,) = STRIPE.check(values)
    assert "gives two time zones" in said
