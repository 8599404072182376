"""README and the pages that take up from it say what the code does: settings, streams, keys, examples, commands."""

from __future__ import annotations

import json
import re
import shlex
from datetime import datetime, timezone

import pytest
import yaml

from scripts import schema_snapshot
from scripts.demo.__main__ import QUESTION, where_to_ask
from scripts.docs import settings_table
from scripts.docs.examples import INVOICE
from tap_billing_reports.config.settings import TOP, all_settings, config_jsonschema, with_defaults
from tap_billing_reports.config.validation import problems
from tap_billing_reports.vendors import all_sources
from tests.docs.pages import PAGES, ROOT, blocks, rows

README = (ROOT / "README.md").read_text()
SETTINGS = (ROOT / "docs" / "settings.md").read_text()
STREAMS = (ROOT / "docs" / "streams.md").read_text()
NOW = datetime(2026, 12, 1, tzinfo=timezone.utc)
META = yaml.safe_load((ROOT / "meltano.yml").read_text())


MOST_LINES = 150  # what a reader takes in before trying it


def test_the_readme_is_short():
    assert len(README.splitlines()) <= MOST_LINES


def test_the_settings_are_those_that_the_tap_tells_and_stand_on_one_page():
    """Where this fails: `python -m scripts.docs --parts`."""
    told = settings_table.about()
    table = settings_table.table(told)
    assert SETTINGS.count(table) == 1
    named = re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)
    assert named == list(told["settings"]["properties"])
    needed = re.findall(r"^\| `(\w+)` \| (?:yes|for [\w ]+) \|", table, re.MULTILINE)
    assert needed == [setting.name for setting in all_settings(all_sources()) if setting.required]
    for page in PAGES:
        if page.name != "settings.md":
            assert "| setting | required | default |" not in page.read_text(), page.name


def test_the_record_of_the_readme_is_one_of_the_stream(streams):
    (message,) = [found for found in map(json.loads, blocks(README, "json")) if "type" in found]
    stream = streams[message["stream"]]
    assert set(stream.primary_keys) <= set(message["record"]) <= set(stream.schema["properties"])
    assert list(message["record"]) == list(INVOICE)


def test_the_readmes_query_is_the_one_that_the_demo_ends_with():
    (query,) = blocks(README, "sql")
    assert " ".join(query.split()) == QUESTION
    assert any(QUESTION in line for line in where_to_ask(ROOT / "output" / "demo.duckdb"))


def test_there_are_settings_to_copy_for_stripe_for_bring_and_for_both():
    found = [json.loads(block) for block in blocks(SETTINGS, "json")]
    assert [{name.partition("_")[0] for name in settings} - {"start"} for settings in found] == [
        {"stripe"}, {"bring"}, {"stripe", "bring"},
    ]  # fmt: skip


@pytest.fixture(scope="module")
def streams():
    return schema_snapshot.everything().streams


def test_the_streams_have_the_keys_of_the_table(streams):
    listed = {name.strip("`"): (keys, replication) for name, keys, replication, _holds in rows(STREAMS, "stream")}
    shapes: dict[str, set[tuple[str, str]]] = {}
    for stream in streams.values():
        name = "<source>_<name>" if stream.schema_name == "report_rows" else stream.name
        shapes.setdefault(name, set()).add((", ".join(stream.primary_keys), stream.replication_key or ""))
    assert {name: {shape} for name, shape in listed.items()} == shapes


@pytest.mark.parametrize(("setting", "schema"), [("stripe_reports", "stripe"), ("bring_reports", "bring")])
def test_the_keys_of_report_entries_are_those_of_the_schema(setting, schema):
    _, _, after = SETTINGS.partition(f"## Entries of `{setting}`")
    listed = [re.findall(r"`(\w+)`", row[0]) for row in rows(after, "key")]
    (source,) = (source for source in all_sources() if source.name == schema)
    (found,) = (found for found in source.settings if found.name == setting)
    assert sorted(name for names in listed for name in names) == sorted(found.schema["items"]["properties"])


def test_defaults_named_in_prose_are_the_defaults():
    defaults = {setting.name: setting.default for setting in all_settings(all_sources())}
    text = README + "".join(page.read_text() for page in PAGES)
    named = re.findall(r"`(\w+)` \((\d+)\)", text)
    assert {name for name, _ in named} >= {"stripe_lookback_days", "bring_lookback_days", "bring_max_concurrent_runs"}
    assert all(str(defaults[name]) == number for name, number in named)


@pytest.mark.parametrize("block", [text for text in blocks(README + SETTINGS, "json") if '"type"' not in text])
def test_example_settings_are_valid(block):
    settings = json.loads(block)
    sources = all_sources()
    assert set(settings) <= {setting.name for setting in all_settings(sources)}
    assert problems(with_defaults(settings, sources), sources, config_jsonschema(sources), NOW) == []


def test_the_test_command_is_the_one_that_continuous_integration_runs():
    _, _, development = README.partition("## Development")
    (command,) = blocks(development, "sh")
    assert (ROOT / ".ci" / "run").read_text().rstrip().endswith(f"exec {command.strip()}")


def test_every_verb_named_on_a_page_is_in_the_makefile():
    makefile = (ROOT / "Makefile").read_text()
    named = {verb for page in PAGES for verb in re.findall(r"\bmake ([a-z]+)(?:`| BREAK)", page.read_text())}
    assert {"demo", "test", "lint", "bench", "faults", "clean"} <= named
    assert all(re.search(rf"^{verb}:", makefile, re.MULTILINE) for verb in named)


def test_every_command_of_the_package_on_a_page_takes_its_options():
    """Options in `sh` blocks are those of the commands' own help."""
    from click.testing import CliRunner

    from tap_billing_reports.cli.main import main
    from tap_billing_reports.singer.tap import TapBillingReports

    helps = {
        "tap-billing-reports": CliRunner().invoke(TapBillingReports.cli, ["--help"]).output,
        "billing-reports": "".join(CliRunner().invoke(main, [word, "--help"]).output for word in main.commands),
    }
    seen = set()
    for page in PAGES:
        for block in blocks(page.read_text(), "sh"):
            for line in block.replace("\\\n", " ").splitlines():
                if line.partition(" ")[0] in helps:
                    words = shlex.split(line.partition("|")[0])
                    seen.add(words[0])
                    options = [word.partition("=")[0] for word in words if word.startswith("--")]
                    assert all(option in helps[words[0]] for option in options), line
    assert seen == set(helps)


def test_settings_named_on_any_page_exist():
    names = {setting.name for setting in all_settings(all_sources())}
    prefixes = tuple(f"{source.name}_" for source in all_sources())
    streams_ = {"bring_invoice_lines", "bring_customer", "brp_company", "stripe_activity_to_date"}
    streams_ |= {"vipps_funds", "vipps_fees", "klarna_payouts", "klarna_transactions", "klarna_comment"}
    rows = ("stripe_balance_change", "stripe_payouts")
    for page in PAGES:
        for word in re.findall(r"`([a-z][a-z0-9_]+)(?:`|: )", page.read_text()):
            if word.startswith(prefixes):
                assert word in names | streams_ or word.startswith(rows), (page.name, word)
    assert {setting.name for setting in TOP} <= names
