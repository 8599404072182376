"""`billing-reports doctor`: nothing odd after a sync, and each oddity by itself, with its remedy."""

from __future__ import annotations

import json
import os
import re
import tempfile
from datetime import timedelta
from pathlib import Path

import duckdb
import psycopg
import pytest
from click.testing import CliRunner

from tap_billing_reports.cli.doctor import Doctor
from tap_billing_reports.cli.main import main
from tap_billing_reports.storage import lock as lock_module
from tap_billing_reports.storage.files import Storage
from tap_billing_reports.storage.lock import STALE_AFTER, Lock
from tests.sync.moment import NOW
from tests.sync.one_vendor import ROWS

pytestmark = pytest.mark.usefixtures("own_temporary_folder")


@pytest.fixture
def settings(settings, tmp_path):
    """The same, of a warehouse and a storage."""

    def write(place, **changes):
        return settings(**{"warehouse": place.url, "storage_url": str(tmp_path / "kept"), **changes})

    return write


@pytest.fixture
def synced(settings, place):
    """A warehouse and a storage that a sync has filled, and the doctor's command for them."""
    config = settings(place)
    done = CliRunner().invoke(main, ["sync", "--config", config, "--no-views"])
    assert done.exit_code == 0, done.output

    def look(*more):
        return CliRunner().invoke(main, ["doctor", "--config", config, *more])

    return look


def change(place, sql, *values):
    if place.engine == "duckdb":
        with duckdb.connect(place.url.removeprefix("duckdb:")) as connection:
            connection.execute(sql, values)
    else:
        with psycopg.connect(place.url) as connection:
            connection.execute(sql.replace("?", "%s").encode(), values)


def odd(looked):
    """What was found."""
    assert looked.exit_code == 1, looked.output
    found = json.loads(looked.output)["odd"]
    assert all(one["what"] and one["remedy"] for one in found)
    return found


def state_of(place):
    ((text,),) = place.query("select value from billing._state")
    return json.loads(text)


def with_state(place, state):
    change(place, "update billing._state set value = ?", state if isinstance(state, str) else json.dumps(state))


def test_nothing_is_odd_after_a_sync(synced, place):
    looked = synced()
    assert looked.exit_code == 0, looked.output
    first, last = looked.output.splitlines()
    assert re.fullmatch(r"last sync of stripe without a failure: \S+Z, less than an hour ago \(job default\)", first), (
        first
    )
    assert last.startswith("looked at: warehouse ")
    assert looked.output.endswith("storage_url, temporary folder; 0 odd\n")
    assert json.loads(synced("--json").output)["odd"] == []


def test_a_failed_check(synced, place):
    change(place, "update billing.reconciliations set ok = false where \"check\" = 'freshness'")
    (one,) = odd(synced("--json"))
    assert one["where"] == "warehouse"
    assert one["what"] == "stripe account acct_sandbox: check freshness failed: payouts_itemized_3"
    assert "where ok = false" in one["remedy"]
    assert "warehouse: stripe account acct_sandbox: check freshness failed" in synced().output
    assert " -> `billing-reports query" in synced().output


def test_a_run_that_is_pending_for_more_than_a_day_is_told_once(sandbox, settings, place):
    """STATE and journal both know it."""
    sandbox.control.options["stripe_run_seconds"] = 10**9
    config = settings(place, run_deadline_minutes=1)
    assert CliRunner().invoke(main, ["sync", "--config", config, "--no-views"]).exit_code == 1
    (failed,) = odd(CliRunner().invoke(main, ["doctor", "--config", config, "--json"]))
    assert failed["what"].startswith("the last sync of stripe (job default) failed, at "), "its runs may still be made"
    change(place, "delete from billing._syncs")
    sandbox.control.advance(timedelta(hours=25).total_seconds())
    found = odd(CliRunner().invoke(main, ["doctor", "--config", config, "--json"]))
    due = len(state_of(place)["bookmarks"][ROWS]["ledger"][0]["open"])
    assert len(found) == due > 0
    assert {one["where"] for one in found} == {"state"}
    assert "was ordered 25 hours ago and is not read" in found[0]["what"]
    without = odd(CliRunner().invoke(main, ["doctor", "--config", settings(place, warehouse=""), "--json"]))
    assert [one["where"] for one in without] == ["journal"] * due


def test_an_order_whose_answer_nobody_knows(synced, tmp_path, sandbox):
    (note, *_others) = sorted((tmp_path / "kept" / "journal").rglob("*.json"))
    noted = json.loads(note.read_text())
    sandbox.control.advance(timedelta(hours=25).total_seconds())
    assert synced().exit_code == 0, "what is read is done, however old"
    note.write_text(json.dumps({**noted, "run": None, "files": []}))
    found = odd(synced("--json"))
    assert [one["where"] for one in found] == ["journal"]
    assert "no answer to it is noted" in found[0]["what"]
    note.write_text("{")
    (one,) = odd(synced("--json"))
    assert one["what"].endswith("cannot be read")


def test_tables_without_state_and_state_without_tables(synced, place):
    state = state_of(place)
    del state["bookmarks"][ROWS]
    whole = state_of(place)
    with_state(place, state)
    (one,) = odd(synced("--json"))
    assert one["what"] == f"no STATE knows of {ROWS}, which has rows"
    with_state(place, whole)
    change(place, f"drop table billing.{ROWS}")
    (one,) = odd(synced("--json"))
    assert (one["where"], one["what"]) == (
        "state",
        f"the job default has read the stream {ROWS}, and there is no such table",
    )
    assert one["remedy"] == f"`billing-reports sync --job default --full-refresh {ROWS}`"


@pytest.mark.parametrize("text", ["[", "[]", '{"bookmarks": 1}'])
def test_a_state_that_is_none(synced, place, text):
    with_state(place, text)
    found = odd(synced("--json"))
    assert found[0]["what"] == "that of the job default is none"
    assert "state reset" in found[0]["remedy"]


def test_a_damaged_ledger(synced, place):
    state = state_of(place)
    state["bookmarks"][ROWS]["ledger"][0]["version"] = 99
    with_state(place, state)
    assert [one["where"] for one in odd(synced("--json"))] == ["state"]
    with_state(place, {"bookmarks": {ROWS: 7}})
    assert "is no object" in odd(synced("--json"))[0]["what"]


def test_kept_files_that_no_run_names(synced, tmp_path):
    (kept, *_others) = sorted((tmp_path / "kept" / "files").rglob("*.csv"))
    kept.with_name("frr_of_nobody.csv").write_text("x")
    (one,) = odd(synced("--json"))
    assert one["what"].startswith("no run is known of files/stripe/acct_sandbox/payouts_itemized_3/")
    assert one["what"].endswith("/frr_of_nobody.csv")
    kept.with_name("frr_of_nobody.csv").rename(kept.with_name(".half.csv.0123"))
    (one,) = odd(synced("--json"))
    assert one["what"].startswith("1 half-written files")


@pytest.mark.parametrize("in_objects", [False, True])
def test_locks(tmp_path, sandbox, in_objects, clock_of):
    storage = Storage(f"memory://{tmp_path.name}" if in_objects else str(tmp_path / "kept"))
    lock = Lock(storage, clock_of, ["stripe acct_1"])
    doctor = Doctor(NOW)
    doctor.look_at_storage(storage)
    assert doctor.odd == []
    lock.acquire()
    try:
        doctor.look_at_storage(storage)
        (one,) = doctor.odd
        assert one.what.startswith("the lock stripe-")
        assert ("which is alive" if in_objects else f"process {os.getpid()}") in one.what
        if in_objects:
            later = Doctor(clock_of.now() + STALE_AFTER)
            later.look_at_storage(storage)
            assert "which was killed" in later.odd[0].what
    finally:
        lock.release()
    after = Doctor(NOW)
    after.look_at_storage(storage)
    assert after.odd == []


def test_a_lock_where_the_kernel_lists_none(tmp_path, sandbox, clock_of, monkeypatch):
    monkeypatch.setattr(lock_module, "_KERNELS", tmp_path / "nothing")
    storage = Storage(str(tmp_path / "kept"))
    lock = Lock(storage, clock_of, ["stripe acct_1"])
    lock.acquire()
    assert [one.holder for one in lock_module.held(storage, NOW)] == [f"process {os.getpid()}"]
    lock.release()
    assert [*lock_module.held(storage, NOW)] == []


@pytest.fixture
def clock_of(sandbox):
    from tap_billing_reports.singer.tap import TapBillingReports

    return TapBillingReports.clock


def test_orphaned_spools(synced):
    folder = Path(tempfile.mkdtemp(prefix="tap-billing-reports-"))
    (one,) = odd(synced("--json"))
    assert one["what"] == f"{folder} was left by a sync that was killed"
    assert folder.is_dir(), "nothing is changed"


def test_what_refuses_is_odd_and_the_rest_is_looked_at(settings, file_place, tmp_path):
    config = settings(file_place, storage_url=str(tmp_path / "config.json"))
    found = odd(CliRunner().invoke(main, ["doctor", "--config", config, "--json"]))
    assert "there is no such file" in found[0]["what"]
    assert not Path(file_place.url.removeprefix("duckdb:")).exists()


def test_a_storage_that_refuses(monkeypatch):
    doctor = Doctor(NOW)
    storage = Storage("memory://refusing")

    def refuse(*_names, **_more):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(storage._fs, "find", refuse)
    doctor.look_at_storage(storage)
    (one,) = doctor.odd
    assert "Permission denied" in one.what
    assert one.remedy


def test_the_user_of_a_database_is_no_secret(server_place, settings):
    """`billing` is one in the tests, too: it was masked in every message."""
    config = settings(server_place)
    done = CliRunner().invoke(main, ["sync", "--config", config, "--no-views"])
    assert done.exit_code == 0
    looked = CliRunner().invoke(main, ["doctor", "--config", config])
    assert f"looked at: warehouse {server_place.url}, " in looked.output


def test_nothing_to_look_at(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    # What a test of `.env` files has brought into this process is nobody's setting here.
    for name in [name for name in os.environ if "BILLING_REPORTS_" in name]:
        monkeypatch.delenv(name)
    looked = CliRunner().invoke(main, ["doctor"])
    assert looked.output == "looked at: temporary folder; 0 odd\n"
    assert looked.exit_code == 0


def test_a_password_is_nowhere():
    looked = CliRunner().invoke(main, ["doctor", "--in", "postgresql://me:correct-horse@127.0.0.1:1/nothing"])
    assert looked.exit_code == 1
    assert "warehouse postgresql://me@127.0.0.1:1/nothing" in looked.output
    assert "correct-horse" not in looked.output


def test_when_each_vendor_was_last_read_and_that_a_sync_has_failed_since(synced, settings, place, sandbox):
    change(place, "update billing._syncs set whole_at = whole_at - interval '3 days'")
    (before,) = json.loads(synced("--json").output)["syncs"]
    assert (before["source"], before["job"], before["failed_since"]) == ("stripe", "default", None)
    assert f"without a failure: {before['whole_at']}, 3 days ago (job default)" in synced().output
    config = settings(place, stripe_connected_accounts=["acct_of_nobody"])
    assert CliRunner().invoke(main, ["sync", "--config", config, "--no-views"]).exit_code == 1
    (failed,) = [one for one in odd(synced("--json")) if "the last sync" in one["what"]]
    (after,) = json.loads(synced("--json").output)["syncs"]
    assert failed["what"] == f"the last sync of stripe (job default) failed, at {after['failed_since']}"
    assert after["whole_at"] == before["whole_at"]
    settings(place)
    assert CliRunner().invoke(main, ["sync", "--config", config, "--no-views"]).exit_code == 0
    assert "the last sync of" not in synced().output
    (mended,) = json.loads(synced("--json").output)["syncs"]
    assert (mended["failed_since"], mended["whole_at"] > before["whole_at"]) == (None, True)
