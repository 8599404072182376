"""`--summary` and `on_finish`: what a sync tells where people look, whatever ends it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tap_billing_reports.cli.main import main
from tap_billing_reports.core import hook
from tap_billing_reports.core.json_files import write_whole
from tap_billing_reports.singer.console import summary_file
from tap_billing_reports.singer.finished_run import ReadRun
from tap_billing_reports.singer.lifecycle import Lifecycle
from tests.faults.loads import Blow, Harm, Way, load
from tests.faults.warehouse_syncs import Steadily
from tests.sync.one_vendor import ROWS

# Writes what it is told, its arguments and its environment to the file that its first argument names.
LISTENER = """
import json, os, sys
with open(sys.argv[1], "w") as file:
    json.dump({"told": json.load(sys.stdin), "arguments": sys.argv[2:], "environment": dict(os.environ)}, file)
"""


@pytest.fixture
def listener(tmp_path):
    """The words of a command that notes what it is told, and a function that reads its note."""
    program, heard = tmp_path / "listener.py", tmp_path / "heard.json"
    program.write_text(LISTENER)
    return [sys.executable, str(program), str(heard), "one word"], lambda: json.loads(heard.read_text())


def sync(config, place, *more):
    return CliRunner().invoke(main, ["sync", "--config", config, "--into", place.url, *map(str, more)])


def of(found, stream):
    (one,) = [entry for entry in found["streams"] if entry["stream"] == stream]
    return one


def test_a_sync_tells_what_it_read(file_place, settings, tmp_path, listener):
    words, heard = listener
    path = tmp_path / "summary.json"
    done = sync(settings(on_finish=words), file_place, "--summary", path)
    assert done.exit_code == 0, done.output
    found = json.loads(path.read_text())
    assert (found["version"], found["command"], found["job"], found["schema"]) == (1, "sync", "default", "billing")
    assert (found["exit_status"], found["failures"], found["deferred"]) == (0, [], [])
    rows = of(found, ROWS)
    stored = file_place.query(f"select count(*) from billing.{ROWS}")
    assert [(rows["rows"],)] == stored
    assert found["loaded"][ROWS] == found["records"][ROWS] == rows["rows"] > 0
    assert (rows["source"], rows["account"]) == ("stripe", "acct_sandbox")
    ((periods,),) = file_place.query("select count(*) from billing.report_runs")
    assert rows["periods"] == {
        **dict.fromkeys(("deferred", "failed", "left", "unfinished"), 0),
        "due": periods,
        "done": periods,
    }
    assert set(rows["freshness"]) == {"hours", "most_hours", "ok", "reason"}
    assert isinstance(rows["freshness"]["hours"], str), "amounts are text"
    verdicts = dict.fromkeys(("passed", "failed", "not_made"), 0)
    for entry in found["streams"]:
        for verdict, count in entry["checks"].items():
            verdicts[verdict] += count
    stored = dict(file_place.query("select ok, count(*) from billing.reconciliations group by ok"))
    assert verdicts == {"passed": stored[True], "failed": stored.get(False, 0), "not_made": stored.get(None, 0)}
    assert heard()["told"] == found
    assert heard()["arguments"] == ["one word"]


def test_the_rows_of_each_account_and_stream_are_those_of_the_tables(file_place, settings, tmp_path):
    path = tmp_path / "summary.json"
    assert sync(settings(), file_place, "--summary", path).exit_code == 0
    found = json.loads(path.read_text())
    for entry in found["streams"]:
        if entry["stream"] not in found["records"]:
            continue
        counted = file_place.query(
            f"select count(*) from billing.{entry['stream']} where source = '{entry['source']}' "
            f"and account_id = '{entry['account']}'"
        )
        assert [(entry["rows"],)] == counted, entry["stream"]


def test_a_failed_account_is_told_with_its_facts(sandbox, file_place, settings, tmp_path, listener):
    words, heard = listener
    path = tmp_path / "summary.json"
    config = settings(stripe_connected_accounts=["acct_of_nobody"], on_finish=words, max_new_runs=1)
    done = sync(config, file_place, "--summary", path)
    assert done.exit_code == 1
    found = json.loads(path.read_text())
    assert found["exit_status"] == 1
    failures = [failure for failure in found["failures"] if failure["account"] == "acct_of_nobody"]
    assert failures
    assert {"streams", "source", "account", "period", "run", "call", "said", "remedy"} == failures[0].keys()
    assert all(failure["remedy"] for failure in failures)
    (deferred,) = [entry for entry in found["deferred"] if entry["account"] == "acct_sandbox"]
    assert deferred["kind"] == "deferred"
    assert deferred["stream"] == ROWS
    (rows,) = [entry for entry in found["streams"] if (entry["stream"], entry["account"]) == (ROWS, "acct_sandbox")]
    assert deferred["periods"] == rows["periods"]["deferred"] == rows["periods"]["due"] - 1
    assert heard()["told"] == found
    secret = sandbox.settings()["stripe_api_key"]
    assert secret not in path.read_text()
    assert secret not in json.dumps(heard())


def test_failed_checks_come_with_both_amounts(file_place, settings, tmp_path, monkeypatch):
    monkeypatch.setattr(summary_file, "VERSION", 9)
    real = ReadRun.check_file

    def one_short(self, invoice):
        real(self, invoice)
        self.check("lines_total", Decimal("12.50"), Decimal("12.49"))

    monkeypatch.setattr(ReadRun, "check_file", one_short)
    path = tmp_path / "summary.json"
    assert sync(settings(), file_place, "--summary", path).exit_code == 0
    found = json.loads(path.read_text())
    assert found["version"] == 9
    failed = [check for check in found["failed_checks"] if check["check"] == "lines_total"]
    assert len(failed) == of(found, ROWS)["checks"]["failed"] > 0
    assert {check["difference"] for check in failed} == {"-0.01"}
    assert all(check["stream"] == ROWS and isinstance(check["expected"], str) for check in failed)


@pytest.mark.parametrize("changes", [{"start_date": "never"}, {"warehouse": "nothing:here"}])
def test_a_sync_that_does_not_begin_is_told(settings, tmp_path, listener, changes):
    words, heard = listener
    path = tmp_path / "summary.json"
    config = settings(on_finish=words, **changes)
    done = CliRunner().invoke(main, ["sync", "--config", config, "--summary", str(path)])
    assert done.exit_code == 1
    found = json.loads(path.read_text())
    assert found["exit_status"] == 1
    assert found["streams"] == []
    (failure,) = found["failures"]
    assert failure["said"] in done.output
    assert heard()["told"] == found


def test_an_error_of_ours_is_told_and_shown(file_place, settings, tmp_path, monkeypatch):
    def broken(self, finished, runner):
        raise ZeroDivisionError

    monkeypatch.setattr(Lifecycle, "_take", broken)
    path = tmp_path / "summary.json"
    done = sync(settings(), file_place, "--summary", path)
    assert isinstance(done.exception, ZeroDivisionError)
    found = json.loads(path.read_text())
    assert [failure["said"] for failure in found["failures"]] == ["ended early by ZeroDivisionError"]
    assert found["exit_status"] == 1
    assert of(found, ROWS)["periods"]["unfinished"] > 0


def test_the_folder_of_the_summary_must_be_there(file_place, settings, tmp_path):
    done = sync(settings(), file_place, "--summary", tmp_path / "nowhere" / "summary.json")
    assert done.exit_code == 1
    assert "--summary: the folder of" in done.output
    assert not Path(file_place.url.removeprefix("duckdb:")).exists(), "nothing was begun"


def test_a_hook_that_fails_changes_nothing_but_is_told(file_place, settings, tmp_path):
    for words, said in (
        ([sys.executable, "-c", "print('no such channel'); raise SystemExit(3)"], "exit status 3: no such channel"),
        ([str(tmp_path / "nothing")], "could not be started: No such file or directory"),
    ):
        done = sync(settings(on_finish=words), file_place)
        assert done.exit_code == 0, done.output
        assert f"setting on_finish: the command {words[0]}" in done.stderr
        assert said in done.stderr


def test_a_hook_that_does_not_end_is_ended_with_all_that_it_started(tmp_path):
    """The child holds the write end of a pipe: that it is read to its end shows that the child is gone, too."""
    read, write = os.pipe()
    os.set_inheritable(write, True)
    child = "import sys; sys.stdin.read(); import time; time.sleep(10**6)"
    parent = (
        f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', {child!r}], close_fds=False); "
        "time.sleep(10**6)"
    )
    keep = {"close_fds": False}
    real: Any = subprocess.Popen
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(subprocess, "Popen", lambda *words, **more: real(*words, **more, **keep))
        said = hook.tell([sys.executable, "-c", parent, "a secret argument"], "{}", dict(os.environ), seconds=0.0)
    os.close(write)
    assert said is not None
    assert said.endswith("was ended after 0 seconds")
    assert "a secret argument" not in said
    with os.fdopen(read, "rb") as pipe:
        assert pipe.read() == b""


def test_what_dotenv_brings_does_not_reach_the_hook(sandbox, file_place, settings, tmp_path, listener, monkeypatch):
    words, heard = listener
    text_of_file = "rk_test_of_the_file_alone"
    names = ("SOME_SERVICE_TOKEN", "TAP_BILLING_REPORTS_BRP_API_KEY")
    (tmp_path / ".env").write_text("".join(f"{name}={text_of_file}\n" for name in names))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OF_THE_CALLER", "yes")
    for name in names:
        monkeypatch.setenv(name, "")  # so that the test's end takes them away again
        monkeypatch.delenv(name)
    settings(on_finish=words, warehouse=file_place.url)
    CliRunner().invoke(main, ["sync"])
    assert os.environ["SOME_SERVICE_TOKEN"] == text_of_file, "the file was read"
    assert heard()["environment"]["OF_THE_CALLER"] == "yes"
    assert text_of_file not in json.dumps(heard())


def test_the_tap_tells_too(sandbox, settings, tmp_path, listener):
    """As a process of its own: the command line's way to errors of --config is part of it."""
    words, heard = listener
    sandbox.control.options["stripe_run_seconds"] = 0
    path = tmp_path / "summary.json"
    command = [sys.executable, "-m", "tap_billing_reports", "--config", settings(on_finish=words)]
    done = subprocess.run([*command, "--summary", str(path)], capture_output=True, check=False, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(path.read_text())
    assert (found["command"], found["exit_status"]) == ("tap", 0)
    assert found["records"]["accounts"] == of(found, "accounts")["rows"] == 1
    assert "loaded" not in found
    assert heard()["told"] == found
    assert all(json.loads(line)["type"] for line in done.stdout.splitlines()), "nothing but messages"

    for config in (settings(on_finish=words, start_date="never"), str(tmp_path / "none.json")):
        command = [sys.executable, "-m", "tap_billing_reports", "--config", config, "--summary", str(path)]
        refused = subprocess.run(command, capture_output=True, check=False, text=True)
        assert refused.returncode == 1
        found = json.loads(path.read_text())
        (failure,) = found["failures"]
        assert failure["said"] in refused.stderr
        assert found["exit_status"] == 1


def test_a_summary_that_cannot_be_written_leaves_the_old_one(tmp_path, monkeypatch):
    path = tmp_path / "summary.json"
    write_whole(path, "before")

    def full(_descriptor):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            write_whole(path, "after")
    assert path.read_text() == "before"
    assert [*tmp_path.iterdir()] == [path], "nothing is left beside it"


def test_a_sync_that_sigterm_ends_is_told(sandbox, file_place, settings, tmp_path, listener):
    words, heard = listener
    sandbox.control.options["stripe_run_seconds"] = 0
    path = tmp_path / "summary.json"
    arguments = ["--config", settings(on_finish=words), "--into", file_place.url, "--summary", str(path)]
    done = load(Way.SYNC, arguments, b"", tmp_path, Blow(Harm.TERM, 40), Steadily(sandbox.control.now()))
    assert done.code == 143, done.log
    found = json.loads(path.read_text())
    assert found["exit_status"] == 143
    assert [failure["said"] for failure in found["failures"]] == ["ended early by SIGTERM"]
    assert heard()["told"] == found
