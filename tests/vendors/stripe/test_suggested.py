"""What `init` proposes for Stripe is enough for the models, and nothing that Stripe would refuse."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tap_billing_reports.sandbox.stripe.catalogue import report_types
from tap_billing_reports.singer.schemas import stream_schema
from tap_billing_reports.vendors.stripe_suggested import REPORTS
from tap_billing_reports.views.models import Staged, models

ROOT = Path(__file__).parents[3]
# Columns of the same instant in UTC, which the models read where the zone's are not there; and what newer types have.
ELSEWHERE = {"created_utc", "effective_at_utc", "withheld_tax", "fee_net_of_withheld_tax"}
STAGED = {
    name: source
    for name, source in models().sources.items()
    if isinstance(source, Staged) and source.report is not None
}


@pytest.mark.parametrize("name", STAGED)
def test_a_model_finds_all_the_columns_that_it_reads(name):
    source = STAGED[name]
    found = [entry for entry in REPORTS if entry["report_type"].rpartition(".")[0] == source.report]
    assert len(found) == 1
    columns = found[0].get("columns", report_types()[found[0]["report_type"]].columns)
    assert set(source.columns) - ELSEWHERE <= {*columns, *stream_schema("report_rows")["properties"]}


@pytest.mark.parametrize("entry", REPORTS, ids=lambda entry: entry["report_type"])
def test_every_column_is_one_of_its_type(entry):
    assert all(report_types()[entry["report_type"]].has(column) for column in entry.get("columns", ()))


def test_all_are_of_the_same_windows():
    assert {entry["window"] for entry in REPORTS} == {"month"}


def test_the_pages_name_the_same_reports():
    names = [entry["report_type"] for entry in REPORTS]
    models_page = (ROOT / "docs" / "models.md").read_text()
    copied = json.loads(re.findall(r"```json\n(.*?)```", models_page, re.DOTALL)[0])
    assert sorted(entry["report_type"] for entry in copied["stripe_reports"]) == sorted(names)
    table = re.findall(r'\| `(\{"report_type".*?\})` \|', (ROOT / "docs" / "sources" / "stripe.md").read_text())
    assert [json.loads(entry)["report_type"] for entry in table[:5]] == names
