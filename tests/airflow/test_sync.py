"""The DAG's sync without Airflow: each vendor's settings, the command that gets them, what is said of a failure."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import tempfile
import threading

import billing_sync
import pytest
from billing_sync import SOURCES, Sync, SyncError, configured, of_source

from tap_billing_reports.vendors import all_sources
from tests.waiting import until

SETTINGS = {
    "start_date": "2026-01-01",
    "warehouse": "duckdb:warehouse.duckdb",
    "storage_url": "s3://kept/",
    "stripe_api_key": "rk_1",
    "bring_api_key": "k",
    "bring_max_concurrent_runs": 12,
    "brp_currency": "SEK",
}

# Says what it was given, writes the summary that the settings ask for, and ends as they say.
COMMAND = """
import json, os, signal, sys, time
from pathlib import Path
given = dict(zip(sys.argv[2::2], sys.argv[3::2]))
here = Path(sys.argv[0]).parent
config = json.loads(Path(given["--config"]).read_text())
mode = oct(os.stat(given["--config"]).st_mode & 0o777)
temporary = here / "temporary"
kept = [path.name for path in temporary.rglob("*") if path.is_file()]
seen = {"command": sys.argv[1], "config": config, "mode": mode, "options": given, "kept": kept}
(here / "seen.json").write_text(json.dumps(seen))
def last(*_):
    sys.exit(143)
signal.signal(signal.SIGTERM, last)
(here / "begun").touch()
if config.get("hang"):
    time.sleep(600)
if "summary" in config:
    Path(given["--summary"]).write_text(json.dumps(config["summary"]))
sys.exit(config.get("status", 0))
"""


@pytest.fixture
def command(tmp_path, monkeypatch):
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "command.py").write_text(COMMAND)
    return f"{shlex.quote(sys.executable)} {tmp_path}/command.py sync"


def seen(folder):
    return json.loads((folder / "seen.json").read_text())


def test_every_source_of_the_tap_is_known():
    assert set(SOURCES) == {source.name for source in all_sources()}


def test_a_vendor_gets_its_own_settings_and_those_of_all():
    assert configured(SETTINGS) == ["bring", "brp", "stripe"]
    common = {name: SETTINGS[name] for name in ("start_date", "warehouse", "storage_url")}
    assert of_source(SETTINGS, "stripe") == {**common, "stripe_api_key": "rk_1"}
    assert of_source(SETTINGS, "bring") == {**common, "bring_api_key": "k", "bring_max_concurrent_runs": 12}
    assert of_source(SETTINGS, "vipps") == {}
    assert configured({"start_date": "2026-01-01"}) == []


def test_the_settings_are_this_users_alone_and_stand_in_no_folder(command, tmp_path):
    loaded = Sync(command, "dag.bring").run({"bring_api_key": "k", "summary": {"loaded": {"invoices": 3}}})
    assert loaded == {"invoices": 3}
    found = seen(tmp_path)
    assert found["command"] == "sync"
    assert found["options"]["--job"] == "dag.bring"
    assert found["options"]["--config"].startswith("/dev/fd/")
    assert found["config"]["bring_api_key"] == "k"
    assert found["mode"] == "0o600"
    assert found["kept"] == []


def test_a_failure_names_each_account(command):
    failures = [
        {"source": "bring", "account": "20000770022", "said": "refused (403)"},
        {"source": None, "account": None, "said": "storage_url cannot be written"},
    ]
    with pytest.raises(SyncError) as failed:
        Sync(command, "dag.bring").run({"status": 1, "summary": {"failures": failures}})
    assert str(failed.value).splitlines() == [
        "dag.bring: the sync ended with exit status 1",
        "bring account 20000770022: refused (403)",
        "the sync: storage_url cannot be written",
    ]


def test_one_that_wrote_no_summary_fails_too(command):
    with pytest.raises(SyncError, match="exit status 2"):
        Sync(command, "dag.bring").run({"status": 2})


def test_stop_lets_it_end_in_good_order(command, tmp_path):
    sync = Sync(command, "dag.bring")

    def stop():
        until((tmp_path / "begun").exists)
        sync.stop()

    stopper = threading.Thread(target=stop)
    stopper.start()
    with pytest.raises(SyncError, match="exit status 143"):
        sync.run({"hang": True})
    stopper.join()


def test_one_that_does_not_end_is_killed(tmp_path, monkeypatch):
    (tmp_path / "deaf.py").write_text(
        "import signal, sys, time; from pathlib import Path\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN); Path(sys.argv[0]).with_name('begun').touch(); time.sleep(600)\n"
    )
    monkeypatch.setattr(billing_sync, "GRACE_SECONDS", 0.0)
    sync = Sync(f"{shlex.quote(sys.executable)} {tmp_path}/deaf.py", "dag.bring")

    class Lost(BaseException):
        pass

    def break_off(process):
        until((tmp_path / "begun").exists)
        raise Lost

    waited = subprocess.Popen.wait
    calls = []

    def wait(process, timeout=None):
        calls.append(timeout)
        return break_off(process) if len(calls) == 1 else waited(process, timeout)

    monkeypatch.setattr(subprocess.Popen, "wait", wait)
    with pytest.raises(Lost):
        sync.run({})
    assert calls == [None, 0.0, None], "killed, and waited for"
