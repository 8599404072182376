"""SIGTERM and SIGINT at any moment: whole lines, a STATE that is true, exit status 143 or 130."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.sampling import each, tries_all
from tests.singer.terminated_tap import ROWS_A_RUN
from tests.typed import some
from tests.waiting import HANG_SECONDS

PROGRAM = Path(__file__).with_name("terminated_tap.py")


def run_until(signum, seed, unbuffered):
    """Start the tap, read some of its output at random speed, send the signal, read the rest."""
    chance = random.Random(seed)
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "SINGER_SDK_LOG_CONFIG": "",
    }
    if unbuffered:
        environment["PYTHONUNBUFFERED"] = "1"
    with subprocess.Popen(
        [sys.executable, str(PROGRAM)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
    ) as tap:
        got = b""
        wanted = chance.randrange(1, 3_000_000)
        while len(got) < wanted:
            got += os.read(some(tap.stdout).fileno(), chance.choice((1, 1000, 65536)))
        time.sleep(chance.random() * 0.02)
        tap.send_signal(signum)
        time.sleep(chance.random() * 0.02)
        rest, errors = tap.communicate(timeout=HANG_SECONDS)
    return tap.returncode, got + rest, errors.decode()


@pytest.mark.parametrize("seed", each(range(8), 3))
@pytest.mark.parametrize(("signum", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_ends_between_two_messages(signum, status, seed):
    returned, output, errors = run_until(signum, seed, unbuffered=seed % 2)
    assert returned == status, errors
    assert "Traceback" not in errors
    assert output.endswith(b"\n")
    messages = [json.loads(line) for line in output.splitlines()]
    assert messages[0]["type"] == "SCHEMA"
    assert any(message["type"] == "STATE" for message in messages)  # the SDK repeats none that is unchanged
    rows: dict[int, int] = {}
    through = -1
    for message in messages:
        if message["type"] == "RECORD":
            record = message["record"]
            assert record["n"] == rows.get(record["run"], 0)
            rows[record["run"]] = record["n"] + 1
        elif message["type"] == "STATE":
            through = message["value"].get("bookmarks", {}).get("rows", {}).get("through", -1)
            assert all(rows[run] == ROWS_A_RUN for run in range(through + 1))
    assert set(rows) <= set(range(through + 2))


PLACES = ["destructor", "before stderr", "after stderr", "before stdout", "after stdout", "log"]
SIGNALS = [["SIGTERM"], ["SIGINT"], ["SIGTERM"] * 2, ["SIGTERM", "SIGINT"]]


# Every third still has each place and each sequence of signals.
@pytest.mark.parametrize(("place", "signals"), each([(place, signals) for place in PLACES for signals in SIGNALS], 3))
def test_a_signal_at_a_certain_point(place, signals):
    """The handler runs while stderr, stdout or the log is at work, and where Python throws its exception away."""
    environment = {name: value for name, value in os.environ.items() if name != "SINGER_SDK_LOG_CONFIG"}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
    tap = subprocess.run(
        [sys.executable, str(PROGRAM), place, *signals],
        capture_output=True,
        env=environment,
        timeout=HANG_SECONDS,
        check=False,
    )
    said = tap.stderr.decode()
    assert tap.returncode == 128 + getattr(signal, signals[0]), said
    for word in ("Traceback", "Logging error", "RuntimeError", "Exception ignored"):
        assert word not in said
    # It is said once, and by the log as ever: nothing of a line is lost or torn.
    assert said.count(f"{signals[0]}: this sync ends here; its last STATE has gone out") == 1
    assert said.endswith("another thread may log\n")
    assert all("| INFO " in line for line in said.splitlines()), said
    assert tap.stdout.endswith(b"\n")
    assert json.loads(tap.stdout.splitlines()[-1])["type"] in {"SCHEMA", "STATE"}


def test_a_signal_at_lines_of_what_writes_and_logs():
    """No line of a log is lost or torn, no lock is kept, and the STATE is true, wherever the handler runs."""
    environment = {name: value for name, value in os.environ.items() if name != "SINGER_SDK_LOG_CONFIG"}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
    struck = subprocess.run(
        [sys.executable, str(PROGRAM.with_name("struck_everywhere.py"))],
        capture_output=True, env=environment, timeout=HANG_SECONDS, check=False,
    )  # fmt: skip
    assert struck.returncode == 0, struck.stderr.decode()
    *faults, lines = struck.stdout.decode().splitlines()
    assert faults == []
    known, tried = map(int, re.findall(r"\d+", lines))
    assert known > 200
    assert tried == (known if tries_all() else -(-known // 3))
