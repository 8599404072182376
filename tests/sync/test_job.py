"""`billing-reports sync` and `state` as commands: what they take and refuse, leave behind and say."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from tap_billing_reports.cli.main import main
from tap_billing_reports.sync.writer import WarehouseWriter
from tap_billing_reports.views.models import models
from tap_billing_reports.warehouse.duck import DuckDatabase
from tap_billing_reports.warehouse.errors import LoadError
from tap_billing_reports.warehouse.loader import Loader, Options
from tests.faults.loads import Blow, Harm, Way, load
from tests.faults.warehouse_syncs import Steadily
from tests.sync.moment import NOW
from tests.sync.one_vendor import ROWS
from tests.sync.syncing import contents
from tests.typed import some
from tests.warehouse.lines import INTEGER, TEXT, schema

PASSWORD = "correct-horse"


def run(*arguments):
    """The command in this process."""
    return CliRunner().invoke(main, [str(one) for one in arguments])


def states_of(place):
    return {job: json.loads(value) for job, value in place.query("select job, value from billing._state")}


def test_two_jobs_keep_their_states_apart(file_place, settings):
    done = run("sync", "--config", settings(), "--into", file_place.url)
    assert done.exit_code == 0, done.output
    assert "loaded rows: accounts 1, " in done.stderr
    assert "METRIC" not in done.stderr, "they are for programs"
    first = contents(file_place)
    assert first[ROWS][1]
    assert run("sync", "--config", settings(), "--into", file_place.url, "--job", "other").exit_code == 0
    states = states_of(file_place)
    assert list(states) == ["default", "other"]
    assert states["default"]["bookmarks"].keys() == states["other"]["bookmarks"].keys()
    assert len(contents(file_place)[ROWS][1]) == len(first[ROWS][1]), "rows are replaced by their keys"


def test_the_state_of_a_pipe_is_taken_over_once(file_place, settings, tmp_path):
    run("sync", "--config", settings(), "--into", file_place.url)
    exported = run("state", "export", "--into", file_place.url)
    given = tmp_path / "state.json"
    given.write_text(exported.output)
    assert json.loads(exported.output) == states_of(file_place)["default"]

    refused = run("sync", "--config", settings(), "--into", file_place.url, "--import-state", given)
    assert refused.exit_code == 1
    assert "--import-state: the warehouse has a STATE for the job 'default' already" in refused.output

    elsewhere = f"{file_place.url}.other"
    done = run("sync", "--config", settings(), "--into", elsewhere, "--import-state", given)
    assert done.exit_code == 0, done.output
    assert f"{ROWS} " not in done.stderr.partition("loaded rows: ")[2], "the weeks are done"
    again = json.loads(run("state", "export", "--into", elsewhere).output)
    assert again["bookmarks"][ROWS] == states_of(file_place)["default"]["bookmarks"][ROWS]


@pytest.mark.parametrize(
    ("text", "said"),
    [("oops", "--import-state"), ("[]", "--import-state"), ('{"value": {}}', "whole STATE message")],
)
def test_a_state_that_is_none_is_refused(file_place, settings, tmp_path, text, said):
    given = tmp_path / "state.json"
    given.write_text(text)
    refused = run("sync", "--config", settings(), "--into", file_place.url, "--import-state", given)
    assert refused.exit_code == 1
    assert said in refused.output
    shown = run("state", "show", "--into", file_place.url).output
    assert "there is no such file" in shown or "no job has a STATE here" in shown


def test_a_full_refresh_of_one_stream(file_place, settings):
    config = settings()
    run("sync", "--config", config, "--into", file_place.url)
    before = contents(file_place)
    second = run("sync", "--config", config, "--into", file_place.url)
    assert f"{ROWS} " not in second.stderr.partition("loaded rows: ")[2]
    refreshed = run("sync", "--config", config, "--into", file_place.url, "--full-refresh", ROWS)
    assert refreshed.exit_code == 0, refreshed.output
    assert f"{ROWS} {len(before[ROWS][1])}" in refreshed.stderr
    assert len(contents(file_place)[ROWS][1]) == len(before[ROWS][1]), "rows are replaced by their keys"
    refused = run("sync", "--config", config, "--into", file_place.url, "--full-refresh", "nothing")
    assert refused.exit_code == 1
    assert "--full-refresh nothing: there is no such stream; one of accounts" in refused.output


def test_a_catalogue_selects(file_place, settings, tmp_path):
    config = settings()
    command = [sys.executable, "-m", "tap_billing_reports", "--config", config, "--discover"]
    catalog = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    for stream in catalog["streams"]:
        for entry in stream["metadata"]:
            if not entry["breadcrumb"]:
                entry["metadata"]["selected"] = stream["tap_stream_id"] == "accounts"
    path = tmp_path / "catalog.json"
    path.write_text(json.dumps(catalog))
    done = run("sync", "--config", config, "--into", file_place.url, "--catalog", path)
    assert done.exit_code == 0, done.output
    assert "accounts" in contents(file_place)
    assert ROWS not in contents(file_place)


def test_no_warehouse_is_named(settings):
    for arguments in (("sync", "--config", settings()), ("state", "show")):
        refused = run(*arguments)
        assert refused.exit_code == 1
        assert "no warehouse is named: give --into duckdb:PATH" in refused.output


def test_the_warehouse_of_the_settings_and_of_the_environment(file_place, settings, monkeypatch):
    assert run("sync", "--config", settings(warehouse=file_place.url)).exit_code == 0
    monkeypatch.setenv("BILLING_REPORTS_WAREHOUSE", file_place.url)
    assert run("state", "show").output.startswith("default  20")


def test_each_command_takes_the_warehouse_of_the_settings_in_its_folder(file_place, settings, monkeypatch, tmp_path):
    settings(warehouse=file_place.url)
    monkeypatch.chdir(tmp_path)
    assert run("sync").exit_code == 0
    assert run("state", "show").output.startswith("default  20")
    assert "billing.open_items" in run("views").output.split()
    assert run("page").output == "written: billing.html\n"
    settings()
    monkeypatch.setenv("TAP_BILLING_REPORTS_WAREHOUSE", file_place.url)
    assert run("state", "show").output.startswith("default  20")


def test_a_look_at_a_state_makes_no_file(file_place):
    for name in ("show", "export", "reset"):
        refused = run("state", name, "--into", file_place.url, *(["--yes"] if name == "reset" else []))
        assert refused.exit_code == 1
        assert "there is no such file" in refused.output
    assert not Path(file_place.url.removeprefix("duckdb:")).exists()


def test_a_state_is_forgotten(file_place, settings):
    run("sync", "--config", settings(), "--into", file_place.url)
    before = contents(file_place)
    asked = CliRunner().invoke(main, ["state", "reset", "--into", file_place.url], input="n\n")
    assert asked.exit_code == 1
    assert "default" in states_of(file_place)
    done = run("state", "reset", "--into", file_place.url, "--yes")
    assert (done.exit_code, states_of(file_place)) == (0, {})
    assert contents(file_place) == before, "rows stay"
    for name in ("export", "reset"):
        refused = run("state", name, "--into", file_place.url, *(["--yes"] if name == "reset" else []))
        assert refused.exit_code == 1
        assert "the job 'default' has no STATE here" in refused.output


def test_the_others_are_loaded_when_an_account_fails(file_place, settings):
    config = settings(stripe_connected_accounts=["acct_of_nobody"])
    done = run("sync", "--config", config, "--into", file_place.url)
    assert done.exit_code == 1
    assert "acct_of_nobody" in done.stderr
    assert contents(file_place)[ROWS][1]
    assert states_of(file_place)["default"]["bookmarks"][ROWS]["ledger"]


def test_a_run_that_does_not_end_in_time_says_why_in_its_record(sandbox, file_place, settings):
    sandbox.control.options["stripe_run_seconds"] = 7200
    done = run("sync", "--config", settings(run_deadline_minutes=1), "--into", file_place.url)
    assert done.exit_code == 1
    assert "is not what its SCHEMA says" not in done.stderr
    errors = file_place.query("select error from billing.report_runs where error is not null")
    assert errors
    assert all("is still pending after 1 minutes; the next sync goes on with it" in error for (error,) in errors)


@pytest.mark.parametrize(
    ("method", "number", "error"),
    [
        ("commit", 3, LoadError("stream x: the warehouse refused: no room")),
        ("holds", 1, LoadError("stream x: the warehouse refused: no room")),
        ("append_arrow", 1, MemoryError("no room")),
    ],
)
def test_the_warehouse_refuses_in_the_middle(file_place, settings, monkeypatch, method, number, error):
    """The last words of the tap are a STATE, which must not be stored: it would call lost rows loaded."""
    config = settings()
    real, commit = getattr(DuckDatabase, method), DuckDatabase.commit
    calls: list[Any] = []
    kept: list[Any] = []

    def committing(self, job, state):
        assert len(calls) < number, "nothing is committed behind the error"
        commit(self, job, state)
        kept.append(state)

    def refusing(self, *args):
        calls.append(args)
        if len(calls) == number:
            raise error
        return (committing if method == "commit" else real)(self, *args)

    with monkeypatch.context() as patch:
        patch.setattr(DuckDatabase, "commit", committing)
        patch.setattr(DuckDatabase, method, refusing)
        done = run("sync", "--config", config, "--into", file_place.url)
    assert done.exit_code == 1
    assert len(calls) == number
    if isinstance(error, LoadError):
        assert "Traceback" not in done.output
        (line,) = [line for line in done.stderr.splitlines() if "| ERROR" in line and "no room" in line]
        assert "failed: stream x: the warehouse refused: no room" in line
    assert [*states_of(file_place).values()] == [json.loads(one) for one in kept[-1:]]
    assert run("sync", "--config", config, "--into", file_place.url).exit_code == 0
    assert contents(file_place)[ROWS][1]


def test_rows_that_are_held_at_the_end_are_loaded(place):
    database = place.open()
    loader = Loader(database, Options())
    writer = WarehouseWriter()
    writer.load_into(loader, database)
    writer.write_lines(schema("rows", ("period", "row_number"), period=TEXT, row_number=INTEGER))
    row: Any = msgspec.defstruct("Row", [("row_number", int)])
    some(writer.row_sink).rows("rows", [row(1), row(2)], {"period", "row_number"}, {"period": "2026-11"})
    writer.finish()
    database.close()
    assert place.rows("rows") == [("2026-11", 1), ("2026-11", 2)]
    assert loader.totals.rows == {"rows": 2}


def test_sigterm_ends_with_the_state_committed(sandbox, file_place, settings, tmp_path):
    def sync(url, blow):
        # The clock of a process of its own is not the vendors': runs are ready at once.
        sandbox.control.options["stripe_run_seconds"] = 0
        now = sandbox.control.now()
        return load(Way.SYNC, ["--config", settings(), "--into", url], b"", tmp_path, blow, Steadily(now))

    whole = sync(file_place.url, Blow())
    assert whole.code == 0, whole.log
    wanted = contents(file_place)
    sandbox.control.reset(at=NOW)
    other = type(file_place)("duckdb", f"{file_place.url}.other")
    done = sync(other.url, Blow(Harm.TERM, len(whole.statements) // 2))
    assert done.code == 143, done.log
    assert "SIGTERM: this sync ends here; its last STATE has gone out" in done.log
    assert "default" in states_of(other)
    again = sync(other.url, Blow())
    assert again.code == 0, again.log
    assert len(contents(other)[ROWS][1]) == len(wanted[ROWS][1])


def test_another_process_has_the_file_open(file_place, settings):
    hold = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    path = file_place.url.removeprefix("duckdb:")
    with subprocess.Popen([sys.executable, "-c", hold, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert some(holder.stdout).readline() == b"open\n"
        for arguments in (("sync", "--config", settings()), ("state", "show")):
            refused = run(*arguments, "--into", file_place.url)
            assert refused.exit_code == 1
            (line,) = [line for line in refused.output.splitlines() if "rror" in line]
            assert "another process has the file open" in line
            assert str(holder.pid) in line
        some(holder.stdin).close()


def test_a_password_is_nowhere(settings):
    url = f"postgresql://me:{PASSWORD}@127.0.0.1:1/nothing"
    for arguments in (("sync", "--config", settings()), ("state", "show"), ("state", "export")):
        refused = run(*arguments, "--into", url)
        assert refused.exit_code == 1
        assert "warehouse postgresql://me@127.0.0.1:1/nothing" in refused.output
        assert PASSWORD not in refused.output


def test_a_sync_ends_with_the_views_unless_it_is_told_not_to(settings, place, tmp_path):
    into = ("sync", "--config", settings(), "--into", place.url)
    assert run(*into, "--no-views").exit_code == 0
    assert place.views() == []
    assert run(*into).exit_code == 0
    assert set(place.views()) == set(models().marts)
    ((paid,),) = place.query("select count(*) from billing.payout_reconciliation")
    assert paid > 0
    out = tmp_path / "page.html"
    written = run("page", "--from", place.url, "--out", out, "--note", "Invented")
    assert written.exit_code == 0, written.output
    assert "Invented" in out.read_text()
    listed = run("views", "--in", place.url)
    assert "billing.open_items" in listed.output.split()


@pytest.mark.usefixtures("own_temporary_folder")
def test_a_file_with_the_schemas_name_is_refused_before_anything_is_loaded(settings, tmp_path):
    file, config = tmp_path / "billing.duckdb", settings()
    url = f"duckdb:{file}"
    refused = run("sync", "--config", config, "--into", url)
    assert refused.exit_code == 1
    (line,) = [line for line in refused.output.splitlines() if "rror" in line]
    assert f"warehouse {url}: DuckDB makes no views in a schema with the name of its file" in line
    assert not file.exists()
    loaded = run("sync", "--config", config, "--into", url, "--no-views")
    assert loaded.exit_code == 0, loaded.output
    views = run("views", "--in", url)
    assert views.exit_code == 1
    assert "give the file another name" in views.output
    looked = run("doctor", "--config", config, "--in", url)
    assert looked.exit_code == 0, looked.output
    file.rename(tmp_path / "warehouse.duckdb")
    assert run("views", "--in", f"duckdb:{tmp_path / 'warehouse.duckdb'}").exit_code == 0


def test_a_sync_whose_views_cannot_be_made_has_loaded_and_fails(settings, place):
    one = settings(orders_relation="shop.nowhere")
    ended = run("sync", "--config", one, "--into", place.url)
    assert ended.exit_code == 1
    assert place.views() == []
    ((rows,),) = place.query(f"select count(*) from billing.{ROWS}")
    assert rows > 0
    assert place.query("select count(*) from billing._state") == [(1,)]
