"""The README says what the code does: settings, streams, keys, examples, the test command."""

from __future__ import annotations

import json
import re
import shlex
from datetime import datetime, timezone

import pytest
import yaml

from scripts import readme_settings, schema_snapshot
from tap_billing_reports.config.settings import TOP, all_settings, config_jsonschema, with_defaults
from tap_billing_reports.config.validation import problems
from tap_billing_reports.vendors import all_sources
from tests.docs.pages import PAGES, ROOT, blocks, rows

README = (ROOT / "README.md").read_text()
NOW = datetime(2026, 12, 1, tzinfo=timezone.utc)
META = yaml.safe_load((ROOT / "meltano.yml").read_text())


def test_the_settings_are_those_that_the_tap_tells():
    """Where this fails: `python scripts/readme_settings.py`."""
    told = readme_settings.about()
    _before, table, _after = readme_settings.between(README)
    assert table == readme_settings.table(told)
    named = re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)
    assert named == list(told["settings"]["properties"])
    needed = re.findall(r"^\| `(\w+)` \| (?:yes|for [\w ]+) \|", table, re.MULTILINE)
    assert needed == [setting.name for setting in all_settings(all_sources()) if setting.required]


@pytest.fixture(scope="module")
def streams():
    return schema_snapshot.everything().streams


def test_the_streams_have_the_keys_of_the_table(streams):
    listed = {name.strip("`"): (keys, replication) for name, keys, replication, _holds in rows(README, "stream")}
    shapes: dict[str, set[tuple[str, str]]] = {}
    for stream in streams.values():
        name = "<source>_<name>" if stream.schema_name == "report_rows" else stream.name
        shapes.setdefault(name, set()).add((", ".join(stream.primary_keys), stream.replication_key or ""))
    assert {name: {shape} for name, shape in listed.items()} == shapes


@pytest.mark.parametrize(("setting", "schema"), [("stripe_reports", "stripe"), ("bring_reports", "bring")])
def test_the_keys_of_report_entries_are_those_of_the_schema(setting, schema):
    _, _, after = README.partition(f"### Entries of `{setting}`")
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


@pytest.mark.parametrize("block", blocks(README, "json"))
def test_example_settings_are_valid(block):
    settings = json.loads(block)
    sources = all_sources()
    assert set(settings) <= {setting.name for setting in all_settings(sources)}
    assert problems(with_defaults(settings, sources), sources, config_jsonschema(sources), NOW) == []


def test_example_settings_for_meltano_are_those_of_the_project():
    (block,) = blocks(README, "yaml")
    (tap,) = yaml.safe_load(block)["plugins"]["extractors"]
    (whole,) = META["plugins"]["extractors"]
    for name in ("name", "namespace", "pip_url", "executable"):
        assert tap[name] == whole[name]
    assert sorted(tap["capabilities"]) == sorted(whole["capabilities"])
    known = {setting["name"]: setting for setting in whole["settings"]}
    for setting in tap["settings"]:
        assert known[setting["name"]]["kind"] == setting["kind"]
        assert known[setting["name"]].get("sensitive", False) == setting.get("sensitive", False)
    assert set(tap["config"]) <= set(known)


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
    rows = ("stripe_balance_change", "stripe_payouts")
    for page in PAGES:
        for word in re.findall(r"`([a-z][a-z0-9_]+)(?:`|: )", page.read_text()):
            if word.startswith(prefixes):
                assert word in names | streams_ or word.startswith(rows), (page.name, word)
    assert {setting.name for setting in TOP} <= names
