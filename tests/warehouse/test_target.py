"""`target-billing-reports` as a program of its own: stdin, stdout, exit status, and what it says."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from functools import partial

import pytest

from tap_billing_reports.core.errors import ConfigError
from tap_billing_reports.warehouse.address import address_of
from tap_billing_reports.warehouse.target import settings_of
from tests.faults import loads
from tests.typed import some
from tests.waiting import HANG_SECONDS
from tests.warehouse.lines import AMOUNT, INTEGER, TEXT, record, schema, state
from tests.warehouse.places import load

COMMAND = [sys.executable, "-m", "tap_billing_reports.warehouse.target"]


def run(lines, *options, **environment):
    """A program of its own: an interpreter is started."""
    return subprocess.run(
        [*COMMAND, *options],
        input=b"".join(lines),
        capture_output=True,
        env={**os.environ, **environment},
        check=False,
        timeout=HANG_SECONDS,
    )


def _set(environment):
    """In the fork."""
    os.environ.update(environment)


@pytest.fixture
def fork(tmp_path):
    """Runs the same command in a process that is forked from a warm one, where the start itself proves nothing."""

    def run(lines, *options, **environment):
        prepare = partial(_set, environment)
        return loads.load(loads.Way.TARGET, list(options), b"".join(lines), tmp_path, loads.Blow(), prepare)

    return run


@pytest.fixture
def settings(place, tmp_path):
    path = tmp_path / "target.json"
    path.write_text(json.dumps({"url": place.url, "schema": "money"}))
    return str(path)


def test_a_load(place, settings):
    done = run([schema(id=TEXT, a=AMOUNT), record(id="x", a="1.50"), state({"n": 1})], "--config", settings)
    assert (done.returncode, done.stdout) == (0, b'{"n":1}\n'), done.stderr
    assert b"loaded rows: orders 1; commits: 1" in done.stderr
    assert [row[0] for row in place.rows("orders", "money")] == ["x"]
    database = place.open("money")
    assert database.states() == [], "whoever runs the tap keeps its STATE"
    database.close()


def test_settings_of_the_environment(place, fork):
    done = fork(
        [schema(id=TEXT), record(id="x"), state(1)],
        TARGET_BILLING_REPORTS_URL=place.url,
        TARGET_BILLING_REPORTS_SCHEMA="other",
        TARGET_BILLING_REPORTS_HARD_DELETE="True",
    )
    assert done.code == 0, done.log
    assert place.rows("orders", "other") == [("x",)]


def test_what_is_refused_ends_with_one_line(place, settings, fork):
    done = fork([schema(id=TEXT), record(id="x"), state(1), b"oops\n"], "--config", settings)
    assert done.code == 1
    (line,) = done.log.splitlines()
    assert "ERROR a line of 5 bytes of the input is no JSON" in line
    assert "orders" not in place.tables("money")


def test_a_tap_that_is_cut_off(place, settings, fork):
    whole = [schema(id=TEXT), record(id="x"), state(1), record(id="y")]
    done = fork([*whole[:-1], whole[-1][:20]], "--config", settings)
    assert done.code == 1, "half a message is no success"
    assert place.tables("money") == ["_state"]
    done = fork([*whole[:-1], whole[-1].rstrip(b"\n")], "--config", settings)
    assert done.code == 0, "a whole one needs no line end"
    assert place.rows("orders", "money") == [("x",), ("y",)]


def test_a_line_that_is_too_long(settings, fork):
    done = fork([schema(id=TEXT), record(id="x" * (17 << 20))], "--config", settings)
    assert done.code == 1
    assert "a line of the input has more than 16 MiB" in done.log


def test_a_state_is_committed_when_the_tap_pauses(place, settings):
    """A tap that waits for a vendor relies on its last STATE, however little has come since the last commit."""
    with subprocess.Popen([*COMMAND, "--config", settings], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as target:
        some(target.stdin).write(b"".join([schema(id=TEXT), record(id="x"), state({"ordered": "run_1"})]))
        some(target.stdin).flush()
        assert some(target.stdout).readline() == b'{"ordered":"run_1"}\n'
        target.kill()
    assert place.rows("orders", "money") == [("x",)]


def test_an_interrupt_waits_for_the_last_state_of_the_tap(place, settings):
    with subprocess.Popen([*COMMAND, "--config", settings], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as target:
        some(target.stdin).write(b"".join([schema(id=TEXT), record(id="x"), state(1)]))
        some(target.stdin).flush()
        assert some(target.stdout).readline() == b"1\n"
        target.send_signal(signal.SIGINT)
        some(target.stdin).write(record(id="y") + state(2))
        some(target.stdin).close()
        assert some(target.stdout).read() == b"2\n"
    assert target.returncode == 0
    assert place.rows("orders", "money") == [("x",), ("y",)]


def test_another_loader_is_at_work(place, settings, fork):
    with subprocess.Popen([*COMMAND, "--config", settings], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as first:
        some(first.stdin).write(state(1))
        some(first.stdin).flush()
        assert some(first.stdout).readline() == b"1\n"
        second = fork([state(2)], "--config", settings)
        assert second.code == 1
        assert (str(first.pid) if place.engine == "duckdb" else "server process") in second.log
        some(first.stdin).close()
    assert fork([state(2)], "--config", settings).code == 0


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({}, "setting url"),
        ({"url": 5}, "setting url"),
        ({"url": "mysql://me:hunter22@host/db"}, "another form than duckdb:PATH or postgresql://"),
        ({"url": "duckdb:"}, "names no file"),
        ({"url": "duckdb::memory:"}, "names no file"),
        ({"url": "duckdb:x", "commit_bytes": "many"}, "setting commit_bytes"),
        ({"url": "duckdb:x", "schema": ""}, "setting schema"),
        ([], "--config: the file {path} holds a list, and must hold one JSON object"),
    ],
)
def test_settings_that_are_wrong(tmp_path, given, named):
    path = tmp_path / "target.json"
    path.write_text(json.dumps(given))
    with pytest.raises(ConfigError, match=re.escape(named.replace("{path}", str(path)))) as seen:
        address_of(settings_of((str(path),), {})["url"])
    assert "hunter22" not in str(seen.value)


def test_a_settings_file_that_is_no_json_is_named_with_the_place(tmp_path):
    path = tmp_path / "target.json"
    path.write_text('{"url": "postgresql://me:hunter22@host/db",\n "schema" 1}')
    with pytest.raises(ConfigError, match=r"target\.json is no JSON at line 2, column 11: look there") as seen:
        settings_of((str(path),), {})
    assert "hunter22" not in str(seen.value)


def test_a_settings_file_may_begin_with_a_mark(tmp_path):
    path = tmp_path / "target.json"
    path.write_bytes(b'\xef\xbb\xbf{"url": "duckdb:x", "commit_bytes": 5}')
    assert settings_of((str(path),), {})["commit_bytes"] == 5


def test_wrong_settings_end_with_one_line(tmp_path):
    path = tmp_path / "target.json"
    path.write_text('{"url": "mysql://me:hunter22@host/db"}')
    done = run([], "--config", str(path))
    assert done.returncode == 1
    (line,) = done.stderr.decode().splitlines()
    assert "another form than duckdb:PATH" in line
    assert "hunter22" not in line


def test_a_password_is_nowhere(server, fork):
    url = f"postgresql://nobody:correct-horse@127.0.0.1:{server.port}/nothing?password=battery-staple"
    done = fork([], TARGET_BILLING_REPORTS_URL=url)
    assert done.code == 1
    assert "warehouse postgresql://nobody@127.0.0.1" in done.log
    assert "correct-horse" not in done.log
    assert "battery-staple" not in done.log


def test_about(fork):
    facts = json.loads(fork([], "--about", "--format=json").out)
    assert facts["name"] == "target-billing-reports"
    assert facts["settings"]["required"] == ["url"]
    text = fork([], "--about").out
    assert all(f"  {name} " in text for name in facts["settings"]["properties"])
    assert fork([], "--version").out.startswith("target-billing-reports, version ")


def test_a_second_load_goes_on(place):
    load(place, schema(id=TEXT), record(id="a"), state(1))
    load(place, schema(id=TEXT), record(id="b"), state(2))
    assert place.rows("orders") == [("a",), ("b",)]


def test_nobody_takes_the_state(place, settings, fork):
    """Its rows are there, and come again."""
    lines = b"".join([schema(id=TEXT), record(id="x"), state(1)])
    with subprocess.Popen(
        [*COMMAND, "--config", settings], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as target:
        some(target.stdout).close()
        some(target.stdin).write(lines)
        some(target.stdin).close()
        (said,) = some(target.stderr).read().decode().splitlines()
    assert target.returncode == 1
    assert "a STATE could not be written to stdout (Broken pipe)" in said
    assert place.rows("orders", "money") == [("x",)]
    assert fork([lines], "--config", settings).code == 0
    assert place.rows("orders", "money") == [("x",)]


def test_rows_without_a_key_wait_for_their_state_however_long_the_tap_pauses(place, settings):
    with subprocess.Popen([*COMMAND, "--config", settings], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as target:
        some(target.stdin).write(schema(keys=(), n=INTEGER) + record(n=1) + state(1))
        some(target.stdin).flush()
        assert some(target.stdout).readline() == b"1\n"
        some(target.stdin).write(record(n=2))
        some(target.stdin).flush()
        target.kill()
    assert place.rows("orders", "money") == [(1,)]


@pytest.mark.parametrize("sign", "@/?#")
def test_a_password_with_a_sign_that_means_something_else(tmp_path, sign, fork):
    path = tmp_path / "target.json"
    path.write_text(json.dumps({"url": f"postgresql://me:correct{sign}horse@127.0.0.1/nothing"}))
    done = fork([], "--config", str(path))
    assert done.code == 1
    assert "write those of a user or password as %40 %2F %3F %23" in done.log
    assert "correct" not in done.log
    assert "horse" not in done.log
