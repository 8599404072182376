"""A declaration with a part that refuses what it is given: importing it fails."""

from __future__ import annotations

from tap_billing_reports import declare as d

RULE = d.NotYetWhen()
