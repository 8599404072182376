"""`billing-reports plan` starts from the STATE that the warehouse keeps, as `sync` does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from tap_billing_reports.cli.main import main


@pytest.fixture
def config(settings, place):
    return settings(warehouse=place.url)


def planned(config, *more):
    done = CliRunner().invoke(main, ["plan", "--config", config, *more])
    assert done.exit_code == 0, done.output
    return done.output


def totals(printed):
    """The line of totals, which names the STATE."""
    (line,) = [line for line in printed.splitlines() if line.endswith("nothing was ordered")]
    return line


def synced(config, *more):
    done = CliRunner().invoke(main, ["sync", "--config", config, "--no-views", *more])
    assert done.exit_code == 0, done.output


def test_what_a_sync_has_loaded_is_not_planned_again(config, place):
    first = totals(planned(config))
    assert "order 0" not in first
    assert "as a first sync" in first
    synced(config)
    again = totals(planned(config))
    assert "from the STATE of the job 'default' in" in again
    assert "order 0" in again


def test_another_job_starts_afresh(config):
    synced(config)
    assert "has no STATE of the job 'monthly'" in totals(planned(config, "--job", "monthly"))


def test_a_state_file_goes_before(config, tmp_path):
    synced(config)
    (tmp_path / "state.json").write_text(json.dumps({"bookmarks": {}}))
    again = totals(planned(config, "--state", str(tmp_path / "state.json")))
    assert "from the STATE of --state" in again
    assert "adopt 2" in again


def test_a_warehouse_that_is_not_there_is_not_made(settings, tmp_path):
    path = tmp_path / "absent.duckdb"
    assert f"there is no duckdb:{path} yet" in totals(planned(settings(warehouse=f"duckdb:{path}")))
    assert not path.exists()


def test_without_a_warehouse_it_is_a_first_sync(settings):
    assert "no warehouse is named" in totals(planned(settings()))


def test_check_tries_the_warehouse(config, place):
    done = CliRunner().invoke(main, ["check", "--config", config])
    assert done.exit_code == 0, done.output
    assert "\nwarehouse: ok\n" in done.output
    assert place.engine != "duckdb" or not Path(place.url.removeprefix("duckdb:")).exists()


def test_check_tells_of_a_warehouse_that_does_not_let_it_in(settings, server_place, tmp_path):
    done = CliRunner().invoke(main, ["check", "--config", settings(warehouse=f"{server_place.url}_absent")])
    assert done.exit_code == 1
    assert "\nwarehouse: refused (" in done.output
    assert "does not exist" in done.output
    done = CliRunner().invoke(main, ["check", "--config", settings(warehouse=f"duckdb:{tmp_path}/absent/w.duckdb")])
    assert done.exit_code == 1
    assert "in which this user may make files" in done.output
