"""What is generated on the pages is what the code says today, and every column has been looked at for persons."""

from __future__ import annotations

import json
import re
from datetime import datetime, timezone
from typing import Any

import pytest

from scripts import schema_snapshot
from scripts.docs import personal
from scripts.docs.numbers import filled
from scripts.docs.parts import CORE, FILES, PARTS
from scripts.docs.tables import BEGIN, END, between, table
from tap_billing_reports.core.columns import column_name
from tap_billing_reports.declare.catalogue import catalogue
from tap_billing_reports.sandbox.core import Sandbox
from tap_billing_reports.singer.schemas import stream_schema
from tests.docs.pages import PAGES, ROOT, blocks
from tests.fakes import SandboxClock
from tests.running import run_tap

EACH = [(page, name) for page, parts in PARTS.items() for name in parts]


@pytest.mark.parametrize(("page", "name"), EACH)
def test_a_generated_part_is_up_to_date(page, name):
    """Where this fails: `make docs`, or `python -m scripts.docs --parts`."""
    _before, found, _after = between((ROOT / page).read_text(), name, page)
    assert found == f"\n{PARTS[page][name]()}\n"


def test_the_figures_on_the_pages_are_the_last_ones():
    """Where this fails: `python -m scripts.docs --parts`."""
    texts = {page: page.read_text() for page in PAGES}
    assert sum(text.count("<!-- figure: ") for text in texts.values()) > 20
    assert [page.name for page, text in texts.items() if filled(text) != text] == []


def test_a_figure_is_put_in_its_place_as_the_page_wants_it_and_an_unknown_one_is_refused():
    page = "<!-- figure: faults.cells:, -->0<!-- end --> tried, <!-- figure: faults.lost -->7<!-- end --> lost"
    assert re.fullmatch(
        r"<!-- figure: faults.cells:, -->\d+,\d{3}<!-- end --> tried, <!-- figure: faults.lost -->0<!-- end --> lost",
        filled(page),
    )
    with pytest.raises(KeyError, match="found"):
        filled("<!-- figure: faults.found -->0<!-- end -->")


@pytest.mark.parametrize("file", FILES)
def test_a_generated_file_is_up_to_date(file):
    assert (ROOT / file).read_text() == FILES[file]()


def test_no_page_has_markers_that_nothing_fills():
    found = {
        (page.relative_to(ROOT).as_posix(), name)
        for page in PAGES
        for name in re.findall(r"^<!-- generated: ([\w ]+); ", page.read_text(), re.MULTILINE)
    }
    assert found == set(EACH)


def test_a_page_without_its_markers_is_refused():
    page = BEGIN.format(name="x") + "old\n" + END.format(name="x")
    assert between(page, "x", "p.md")[1] == "old\n"
    for broken in (page.replace("<!-- end of x -->", ""), page.replace("generated: x", "generated: y")):
        with pytest.raises(SystemExit, match=r"p\.md has lost"):
            between(broken, "x", "p.md")


def test_a_bar_in_a_cell_does_not_end_it():
    assert table(("a", "b"), [("1|2", "3")]).splitlines()[2] == "| 1\\|2 | 3 |"


# -- streams -------------------------------------------------------------------------------------------


def test_every_stream_and_every_catalogued_column_is_on_a_page():
    streams: dict[str, Any] = schema_snapshot.everything().streams
    page, columns = (ROOT / "docs" / "streams.md").read_text(), (ROOT / "docs" / "report-columns.md").read_text()
    for stream in streams.values():
        if stream.schema_name != "report_rows":
            _, _, section = page.partition(f"\n## `{stream.name}`\n")
            section = section.partition("\n## ")[0]
            assert section, stream.name
            assert all(f"\n| `{name}` |" in section for name in stream.schema["properties"]), stream.name
    common = set(stream_schema("report_rows")["properties"])
    lines = page.partition("\n## `bring_invoice_lines`\n")[2]
    assert all(f"| `{name}` |" in lines for name in set(streams["bring_invoice_lines"].schema["properties"]) - common)
    for name, facts in catalogue("stripe")["report_types"].items():
        section = columns.partition(f"\n### {name}\n")[2].partition("\n### ")[0]
        assert all(f"`{column_name(header)}`" in section for header in facts["columns"]), name


# -- persons -------------------------------------------------------------------------------------------

HINTS = re.compile(
    r"name|mail|phone|address|city|postal|zip|receiver|recipient|sender|reference|customer|person|birth|description"
    r"|descriptor|tax_id|po_number|source_record|account_number|iban"
)


def places():
    """Stream or source -> its columns."""
    found = {name: set(stream_schema(name)["properties"]) for name in (*CORE, "report_rows")}
    for source in ("stripe", "bring"):
        known = catalogue(source)
        types = known["report_types"].values()
        headers = [header for facts in types for header in (facts["columns"] if source == "stripe" else facts)]
        found[source] = {column_name(header) for header in headers}
    return found


def personal_columns(place):
    of_reports = personal.columns(place).values() if place in personal.REPORT_COLUMNS else ()
    return set(personal.CORE.get(place, {})).union(*of_reports)


@pytest.mark.parametrize("place", places())
def test_every_column_whose_name_hints_at_a_person_was_decided_on(place):
    """Where this fails: say in scripts/docs/personal.py what the column holds."""
    columns, harmless = places()[place], set(personal.HARMLESS.get(place, {}))
    decided = personal_columns(place) | harmless
    assert {column for column in columns if HINTS.search(column)} <= decided
    assert decided <= columns
    assert not personal_columns(place) & harmless


def test_the_schemas_that_speak_of_personal_data_are_among_them():
    for name in CORE:
        for column, schema in stream_schema(name)["properties"].items():
            if "personal data" in schema["description"].lower():
                assert column in personal.CORE[name]


@pytest.fixture(scope="module")
def synced():
    """A sync with the stream map of docs/privacy.md."""
    (example,) = blocks((ROOT / "docs" / "privacy.md").read_text(), "json")
    with Sandbox(datetime(2026, 11, 20, 9, 30, tzinfo=timezone.utc)) as sandbox:
        config = sandbox.settings(start_date="2026-11-01") | {"bring_invoice_lines": False} | json.loads(example)
        result = run_tap(config, clock=SandboxClock(sandbox.control))
    assert result.status == 0, result.log
    return result


def test_what_a_vendors_own_object_holds_is_said(synced):
    kept = [json.loads(record["source_record"]) for record in synced.of("invoices") if record["source"] == "stripe"]
    named = {"customer_email", "customer_address", "customer_shipping", "customer_phone", "customer_tax_ids"}
    assert named <= set(kept[0])


def test_the_stream_map_of_the_page_replaces_names_and_nothing_else(synced):
    recipients = [record["recipient"] for record in synced.of("invoices") if record["recipient"] is not None]
    assert recipients
    assert all(re.fullmatch(r"[0-9a-f]{32}", recipient) for recipient in recipients)
    assert all(record["total_amount"] for record in synced.of("invoices"))
