"""The writer: order, whole lines, short writes, and what happens when nobody reads."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest
from singer_sdk.singerlib import messages as singer

from tap_billing_reports.singer.writer import BufferedWriter
from tests.waiting import HANG_SECONDS


class Stdout:
    """Takes at most some bytes a write, as a raw file may."""

    def __init__(self, at_most=1 << 30):
        self.buffer = self
        self.at_most = at_most
        self.got = b""
        self.writes = 0

    def write(self, data):
        self.writes += 1
        taken = bytes(data[: self.at_most])
        self.got += taken
        return len(taken)

    def flush(self):
        pass


@pytest.fixture
def stdout(monkeypatch):
    """Stands in for stdout. pytest puts its own back before the test, so the module's `sys` is replaced."""
    out = Stdout()
    monkeypatch.setattr("tap_billing_reports.singer.writer.sys", SimpleNamespace(stdout=out, stderr=sys.stderr))
    return out


def record(number):
    return singer.RecordMessage(stream="s", record={"n": number, "text": "x" * 100})


def test_records_wait_for_each_other_and_state_for_none(stdout):
    writer = BufferedWriter()
    for number in range(100):
        writer.write_message(record(number))
    assert stdout.got == b""
    writer.write_message(singer.StateMessage(value={"bookmarks": {}}))
    lines = [json.loads(line) for line in stdout.got.splitlines()]
    assert [line["record"]["n"] for line in lines[:-1]] == list(range(100))
    assert lines[-1] == {"type": "STATE", "value": {"bookmarks": {}}}
    assert stdout.writes == 1


def test_records_go_out_some_64_kib_at_a_time(stdout):
    writer = BufferedWriter()
    for number in range(2000):
        writer.write_message(record(number))
    assert 2 <= stdout.writes <= 6
    writer.flush()
    assert len(stdout.got.splitlines()) == 2000


def test_old_records_do_not_wait(stdout, monkeypatch):
    now = [100.0]
    monkeypatch.setattr("tap_billing_reports.singer.writer.time.monotonic", lambda: now[0])
    writer = BufferedWriter()
    writer.write_message(record(1))
    assert not stdout.got
    now[0] += 1.5
    writer.write_message(record(2))
    assert len(stdout.got.splitlines()) == 2


@pytest.mark.parametrize("at_most", [1, 7, 1000])
def test_short_writes_are_continued(stdout, at_most):
    stdout.at_most = at_most
    writer = BufferedWriter()
    for number in range(5):
        writer.write_message(record(number))
    writer.flush()
    assert [json.loads(line)["record"]["n"] for line in stdout.got.splitlines()] == list(range(5))


def test_what_must_wait_waits_for_the_outermost_write(stdout):
    writer = BufferedWriter()
    done = []
    with writer.atomic():
        writer.when_idle(lambda: done.append("later"))
        with writer.atomic():
            pass
        writer.write_message(record(1))
        assert not done
    assert done == ["later"]
    writer.when_idle(lambda: done.append("now"))
    assert done == ["later", "now"]
    writer.flush()


PROGRAM = """
import sys
from singer_sdk.singerlib.messages import RecordMessage
from tap_billing_reports.singer.writer import BufferedWriter
writer = BufferedWriter()
writer.write_message(RecordMessage(stream="s", record={"n": 1}))
"""


def run_program(stdout):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    return subprocess.run(
        [sys.executable, "-c", PROGRAM],
        stdout=stdout,
        stderr=subprocess.PIPE,
        env=environment,
        timeout=HANG_SECONDS,
        check=False,
    )


def test_what_is_held_at_the_end_goes_out():
    assert json.loads(run_program(subprocess.PIPE).stdout)["record"] == {"n": 1}


def test_records_that_nobody_takes_are_no_success():
    read, write = os.pipe()
    os.close(read)
    try:
        finished = run_program(write)
    finally:
        os.close(write)
    assert finished.returncode == 1
    assert b"could not be delivered" in finished.stderr


def test_decimals_keep_their_digits(stdout):
    from decimal import Decimal

    writer = BufferedWriter()
    writer.write_message(singer.RecordMessage(stream="s", record={"n": Decimal("10.00"), "m": 10**30}))
    writer.flush()
    assert stdout.got == b'{"type":"RECORD","stream":"s","record":{"n":10.00,"m":1' + b"0" * 30 + b"}}\n"
