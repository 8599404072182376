"""Report types that live customers are offered are known, named on the page, and ordered like any other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tap_billing_reports.config.settings import with_defaults
from tap_billing_reports.config.validation import unknown_types
from tap_billing_reports.vendors import all_sources
from tap_billing_reports.vendors.bring_types import KNOWN_TYPES, SEEN_LIVE

PARCELS = "20000770011"
PAGE = Path(__file__).parents[3] / "docs" / "sources" / "bring.md"


def test_the_page_names_every_type_that_is_known():
    (table,) = re.findall(r"\| report types \|.*?\n\n", PAGE.read_text(), re.DOTALL)
    named = {name for line in table.splitlines()[2:] for name in re.findall("`([^`]+)`", line.split(" | ")[0])}
    assert named == set(KNOWN_TYPES)
    assert len(KNOWN_TYPES) == len(named)


@pytest.mark.parametrize("report_type", SEEN_LIVE)
def test_a_type_that_was_seen_live_is_ordered(bring, report_type):
    entry = {"report_type": report_type, "window": "week", "name": "seen"}
    config = bring.config("2026-11-02", bring_customers=[PARCELS], bring_invoice_lines=False, bring_reports=[entry])
    result = bring.run(config)
    assert (result.status, result.doubles()) == (0, {})
    assert result.of("bring_seen")
    assert report_type in {one["report_type"] for one in result.of("report_types")}


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("PARCELS_EMISSION_PER_SHIPMENT", "PARCELS_EMISSIONS_PER_SHIPMENT"),
        *((known, None) for known in ("PARCELS_EMISSIONS_PER_MONTH", "CARGO_EMISSIONS_PER_SHIPMENT")),
    ],
)
def test_a_name_that_is_nearly_one_of_them_is_told_of(bring, written, meant):
    values = with_defaults(bring.config(bring_reports=[{"report_type": written}]), all_sources())
    found = list(unknown_types(values, all_sources()))
    assert [line.rpartition("is known: ")[2] for line in found] == ([f"is {meant} meant?"] if meant else [])
