"""meltano.yml in Meltano's own hands: what a user of it types, against the emulated vendors."""

from __future__ import annotations

import json

import jsonschema
import pytest
import yaml

from scripts import venvs
from scripts.demo.meltano import EXTRACTOR
from tests.meltano.project import LOADER

STATE_ID = f"dev:{EXTRACTOR}-to-{LOADER}"
ROWS = "stripe_balance_change_from_activity_summary_1"


def orders(sandbox):
    return sum(count["total"] for count in sandbox.control.counters()["orders"].values())


@pytest.fixture(scope="module")
def synced(project, sandbox):
    """The project after its first sync: (what it said, orders)."""
    _, said = project.run(MELTANO_CLI_LOG_FORMAT="json")
    return said, orders(sandbox)


def test_the_file_is_valid_by_meltanos_own_schema(project):
    (path,) = venvs.ENVIRONMENTS["meltano"].path.glob("lib/python*/site-packages/meltano/schemas/meltano.schema.json")
    schema = json.loads(path.read_text())
    validator = jsonschema.validators.validator_for(schema)(schema)
    given = yaml.safe_load((project.root / "meltano.yml").read_text())
    assert [error.message for error in validator.iter_errors(given)] == []
    given["plugins"]["extractors"][0]["settings"][0]["kind"] = "day"
    assert list(validator.iter_errors(given)), "the schema would refuse a wrong file"


def test_about_and_discovery_come_through_and_a_trial_orders_nothing(project, sandbox):
    said, _ = project.call("invoke", EXTRACTOR, "--about", "--format=json")
    assert {"start_date", "stripe_api_key"} <= set(json.loads(said)["settings"]["properties"])
    said, _ = project.call("invoke", EXTRACTOR, "--discover")
    assert {"invoices", "report_runs", ROWS} <= {stream["tap_stream_id"] for stream in json.loads(said)["streams"]}
    before = orders(sandbox)
    project.call("invoke", EXTRACTOR, "--test")
    assert orders(sandbox) == before


def test_settings_are_told_and_secrets_masked(project):
    said, _ = project.call("config", "print", EXTRACTOR, "--format=json")
    shown = json.loads(said)
    assert shown["stripe_reports"] == project.settings["stripe_reports"]
    assert shown["on_mismatch"] == "warn"
    assert project.settings["stripe_api_key"] not in said
    said, _ = project.call("config", "print", EXTRACTOR, "--format=json", environment="prod")
    assert json.loads(said)["on_mismatch"] == "fail"
    # What is set for one environment stays out of the others.
    project.call("config", "set", EXTRACTOR, "max_new_runs", "7", environment="prod")
    kept = {}
    for environment in ("dev", "prod"):
        said, _ = project.call("config", "print", EXTRACTOR, "--format=json", environment=environment)
        kept[environment] = json.loads(said)["max_new_runs"]
    assert kept == {"dev": 60, "prod": 7}


def test_a_sync_loads_and_its_state_is_kept(project, synced):
    _, ordered = synced
    assert ordered > 0
    assert {record["source"] for record in project.loaded("invoices")} == {"stripe", "brp"}
    assert project.loaded(ROWS)
    state = project.state(STATE_ID)["singer_state"]["bookmarks"]
    assert state["invoices"]
    assert state[ROWS]


def test_the_log_is_structured(synced):
    said, _ = synced
    # The first line comes before Meltano has read how to log.
    events = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    of_the_tap = [event for event in events if event.get("name") == EXTRACTOR]
    # Meltano takes the tap's lines apart: a metric keeps its fields, a line its level and its logger.
    counted = {
        event["metric_info"]["tags"]["stream"]
        for event in of_the_tap
        if event.get("metric_info", {}).get("metric") == "record_count"
    }
    assert {"accounts", "invoices", ROWS} <= counted
    assert {event["level"] for event in of_the_tap} <= {"info", "warning"}
    assert any(event.get("plugin_logger") == f"{EXTRACTOR}.invoices" for event in of_the_tap)


def test_a_schedule_runs_its_job_and_a_second_sync_orders_nothing(project, sandbox, synced):
    _, ordered = synced
    rows, accounts = len(project.loaded(ROWS)), len(project.loaded("accounts"))
    project.call("job", "add", "billing-to-files", "--tasks", f"{EXTRACTOR} {LOADER}")
    project.call("schedule", "add", "hourly", "--job", "billing-to-files", "--interval", "@hourly")
    listed, _ = project.call("schedule", "list", "--format=json")
    assert "billing-daily" in listed
    project.call("schedule", "run", "hourly")
    assert len(project.loaded("accounts")) > accounts
    assert orders(sandbox) == ordered
    assert len(project.loaded(ROWS)) == rows


def test_a_state_is_taken_to_another_environment_where_only_what_is_selected_is_read(project, sandbox, synced):
    _, ordered = synced
    loaded = {stream: len(project.loaded(stream)) for stream in ("accounts", "invoices", "report_files", ROWS)}
    kept, other = project.state(STATE_ID), f"prod:{EXTRACTOR}-to-{LOADER}"
    listed, _ = project.call("state", "list", environment=None)
    assert STATE_ID in listed.split()
    assert other not in listed.split(), "each environment has its own"
    project.call("state", "set", "--force", other, json.dumps(kept), environment=None)
    assert project.state(other) == kept
    # The accounts, and rows that would be ordered without that STATE.
    project.call("select", EXTRACTOR, "[as]*", "*", environment="prod")
    listed, _ = project.call("select", "--list", EXTRACTOR, environment="prod")
    assert "accounts" in listed
    project.run(environment="prod")
    assert orders(sandbox) == ordered
    now = {stream: len(project.loaded(stream)) for stream in loaded}
    assert now == {**loaded, "accounts": now["accounts"]}
    assert now["accounts"] > loaded["accounts"]
    assert project.state(STATE_ID) == kept


def test_a_full_refresh_reads_everything_again(project, synced):
    rows, invoices = len(project.loaded(ROWS)), len(project.loaded("invoices"))
    project.run("--full-refresh")
    assert len(project.loaded(ROWS)) == 2 * rows
    assert len(project.loaded("invoices")) > invoices


def test_a_failed_sync_fails_the_run(project):
    _, said = project.run(expect=1, TAP_BILLING_REPORTS_STRIPE_API_KEY="rk_test_wrong")
    assert "rk_test_wrong" not in said
