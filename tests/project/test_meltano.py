"""meltano.yml says what the tap says about itself, and needs no plugin hub."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from scripts.demo import meltano
from scripts.docs import hub

ROOT = Path(__file__).resolve().parents[2]
PROJECT = yaml.safe_load((ROOT / "meltano.yml").read_text())
(TAP,) = PROJECT["plugins"]["extractors"]
LOADERS = {loader["name"]: loader for loader in PROJECT["plugins"]["loaders"]}

# What the SDK itself adds to every tap's settings.
OF_THE_SDK = {
    "stream_maps", "stream_map_config", "faker_config", "flattening_enabled", "flattening_max_depth",
    "flattening_max_key_length", "flattening_separator",
}  # fmt: skip
DATES = {"start_date", "end_date", "reuse_runs_since"}


@pytest.fixture(scope="module")
def about():
    program = "from tap_billing_reports.singer.tap import TapBillingReports; TapBillingReports.cli()"
    command = [sys.executable, "-c", program, "--about", "--format=json"]
    return json.loads(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout)


def as_meltano(name, schema):
    """How a setting of the tap's JSON Schema is spelt in meltano.yml."""
    kinds = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
    (kind,) = (kind for kind in kinds if kind != "null")
    options = [option for option in schema.get("enum", ()) if option is not None]
    default = schema.get("default")
    return {
        "kind": "date_iso8601" if name in DATES else "options" if options else kind,
        "sensitive": bool(schema.get("secret")),
        "value": None if default in ([], {}) else default,
        "options": options,
    }


def of_the_tap(about):
    """The tap's settings as meltano.yml should have them."""
    return {
        name: as_meltano(name, schema)
        for name, schema in about["settings"]["properties"].items()
        if name not in OF_THE_SDK
    }


def of_a_definition(definition):
    """The settings of meltano.yml or of the hub's definition."""
    return {
        setting["name"]: {
            "kind": setting["kind"],
            "sensitive": setting.get("sensitive", False),
            "value": setting.get("value"),
            "options": [option["value"] for option in setting.get("options", ())],
        }
        for setting in definition["settings"]
    }


def test_settings_are_those_of_the_tap(about):
    assert of_a_definition(TAP) == of_the_tap(about)


def test_capabilities_are_those_of_the_tap(about):
    assert sorted(TAP["capabilities"]) == sorted(about["capabilities"])


def test_the_hubs_definition_is_that_of_the_tap(about):
    written = yaml.safe_load((ROOT / hub.FILE).read_text())
    assert of_a_definition(written) == of_the_tap(about)
    assert written["capabilities"] == sorted(about["capabilities"])
    classifiers = re.findall(r"Programming Language :: Python :: (3\.\d+)", (ROOT / "pyproject.toml").read_text())
    assert written["supported_python_versions"] == classifiers


def test_each_way_to_use_the_tap_names_what_it_needs(about):
    needed = [set(group) for group in yaml.safe_load((ROOT / hub.FILE).read_text())["settings_group_validation"]]
    assert all("start_date" in group for group in needed)
    assert set().union(*needed) <= set(about["settings"]["properties"])
    assert {name.partition("_")[0] for group in needed for name in group} == {
        "start",
        "stripe",
        "bring",
        "brp",
        "vipps",
        "klarna",
    }


def test_every_setting_is_described():
    for plugin in [TAP, *LOADERS.values()]:
        assert all(setting["label"] and setting["description"].endswith(".") for setting in plugin["settings"])


def test_no_plugin_needs_a_hub_and_every_loader_is_pinned():
    for plugin in [TAP, *LOADERS.values()]:
        assert plugin["namespace"] == plugin["name"].replace("-", "_")
        assert plugin["pip_url"]
    foreign = [loader for name, loader in LOADERS.items() if name != "target-billing-reports"]
    assert all("==" in loader["pip_url"] for loader in foreign)


def test_the_embedded_loader_is_set_so_that_it_loses_no_row():
    loader = LOADERS["target-duckdb"]
    values = {setting["name"]: setting.get("value") for setting in loader["settings"]}
    assert loader["pip_url"] == "target-duckdb==0.8.0 duckdb<1.3"
    assert values["add_metadata_columns"] is True


def test_the_demos_names_are_those_of_the_project():
    assert TAP["name"] == meltano.EXTRACTOR
    assert meltano.LOADER in LOADERS
    assert meltano.ENVIRONMENT in {environment["name"] for environment in PROJECT["environments"]}


def test_the_schedule_runs_a_job_of_plugins_that_are_there():
    jobs = {job["name"]: job["tasks"] for job in PROJECT["jobs"]}
    assert all(schedule["job"] in jobs for schedule in PROJECT["schedules"])
    for tasks in jobs.values():
        assert {name for task in tasks for name in task.split()} <= {TAP["name"], *LOADERS}


def test_no_usage_statistics_are_sent():
    assert PROJECT["send_anonymous_usage_stats"] is False


def test_the_example_environment_names_settings_of_the_tap():
    lines = (ROOT / ".env.example").read_text().splitlines()
    values = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    known = {meltano.variable(TAP["name"], setting["name"]) for setting in TAP["settings"]}
    assert set(values) <= known
    secrets = {meltano.variable(TAP["name"], s["name"]) for s in TAP["settings"] if s.get("sensitive")}
    assert not any(values.get(name) for name in secrets)
    assert json.loads(values[meltano.variable(TAP["name"], "stripe_reports")]), "quotes would reach Docker"


EXAMPLE = ROOT / "examples" / "meltano"
COPIED = yaml.safe_load((EXAMPLE / "meltano.yml").read_text())["plugins"]


@pytest.mark.parametrize(
    ("copied", "whole"),
    [(COPIED["extractors"][0], TAP), (COPIED["loaders"][0], LOADERS["target-billing-reports"])],
    ids=lambda plugin: plugin["name"],
)
def test_the_example_to_copy_defines_plugins_as_the_project_does(copied, whole):
    for name in ("name", "namespace", "executable"):
        assert copied[name] == whole[name]
    assert sorted(copied["capabilities"]) == sorted(whole["capabilities"])
    known = {setting["name"]: setting for setting in whole["settings"]}
    for setting in copied["settings"]:
        same = known[setting["name"]]
        assert setting["kind"] == same["kind"]
        assert setting.get("sensitive", False) == same.get("sensitive", False)
        if setting["name"] != "url":  # each has a file of its own
            assert setting.get("value") == same.get("value")
    assert set(copied.get("config", {})) <= set(known)


def test_the_example_to_copy_asks_for_what_its_environment_can_set():
    lines = [line for line in (EXAMPLE / ".env.example").read_text().splitlines() if line and not line.startswith("#")]
    values = dict(line.split("=", 1) for line in lines)
    taps, loaders = (
        {meltano.variable(plugin["name"], setting["name"]): setting for setting in plugin["settings"]}
        for (plugin,) in (COPIED["extractors"], COPIED["loaders"])
    )
    assert set(values) == {"BILLING_REPORTS", "TARGET_BILLING_REPORTS_URL", *taps}
    assert "TARGET_BILLING_REPORTS_URL" in loaders
    assert not any(values[name] for name, setting in taps.items() if setting.get("sensitive"))
    project = (ROOT / ".env.example").read_text()
    assert all(f"{name}=" in project for name in taps), "the project's own has the same names"
