"""Every check that the code makes has words for a person, and a check that cannot be made says why."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

import tap_billing_reports.singer
from tap_billing_reports.declare import ComparedTotal
from tap_billing_reports.singer.check import TITLES, Check

FOLDER = Path(str(tap_billing_reports.singer.__file__)).parent
VENDORS = FOLDER.parent / "vendors"
NAMED = re.compile(r'(?:check=|\.check\(|_undeclared\(|"check": )"(\w+)"')
SUMS = {"lines_net", "lines_tax", "lines_total"}


def test_every_check_has_a_title_and_no_title_is_of_no_check():
    paths = [*FOLDER.rglob("*.py"), *VENDORS.rglob("*.py")]
    made = {name for path in paths for name in NAMED.findall(path.read_text())}
    by_default = ComparedTotal("family", "summary", "column").check
    assert made | SUMS | {by_default} == set(TITLES)
    assert all(title.endswith(".") for title in TITLES.values())


def test_a_check_that_cannot_be_made_says_why_and_what_it_is():
    facts = {"source": "bring", "account_id": "1", "subject": "lines 4711", "check": "lines_net"}
    found = Check.compare(None, Decimal(3), unstated="the invoice does not state this amount", **facts)
    record = found.record("2026-11-28T00:00:00Z")
    assert (record["ok"], record["reason"]) == (None, "the invoice does not state this amount")
    assert record["title"] == "The lines add up to the invoice's net amount."
