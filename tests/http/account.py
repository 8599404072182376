"""The account whose calls the tests make: its key, what mends it, and its limits."""

from __future__ import annotations

from typing import Any

from tap_billing_reports.http.client import Limits

KEY = "sk_live_canary/0123+456="
# For servers that say nothing at all, which is only noticed by waiting. Others answer, however late: no limits of
# seconds for those but the tap's own.
IMPATIENT = Limits(read_seconds=0.2)
REMEDY = "the settings stripe_api_key"

Steps = Any
