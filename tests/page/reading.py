"""What the page says of a warehouse, and what the rows that it is filled with have in common."""

from __future__ import annotations

from datetime import timedelta

from tap_billing_reports.page.facts import facts
from tap_billing_reports.page.read import opened
from tap_billing_reports.warehouse.address import address_of

ME = {"source": "stripe", "account_id": "acct_1"}


def read(place):
    """What the page says."""
    with opened(address_of(place.url), "billing") as reading:
        return facts(reading)


def period(first, following):
    return {"period_start": first, "period_end": following - timedelta(days=1), "period_zone": "UTC"}
