"""Whoever watches a sync sees how far it is, line by line or live, and cannot disturb it."""

from __future__ import annotations

import fcntl
import itertools
import json
import logging
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import threading
from collections import Counter
from typing import TextIO, cast

import pytest

from tap_billing_reports.singer.console.live_view import LiveView, duration
from tap_billing_reports.singer.console.progress import HEARTBEAT_SECONDS, pairs
from tests.cli.desk import DAILY, NOW
from tests.docs.pages import ROOT
from tests.waiting import HANG_SECONDS, until


def events(log):
    """The structured lines, as dicts."""
    found = []
    for line in log.splitlines():
        if " event=" in line:
            text = line.partition(" event=")[2]
            values = re.findall(r'(\w+)=("(?:[^"\\]|\\.)*"|\S+)', "event=" + text)
            found.append({key: json.loads(value) if value[0] == '"' else value for key, value in values})
    return found


# -- lines ---------------------------------------------------------------------------------------------


def test_one_line_a_transition_in_order(desk):
    done = desk.sync(desk.only("stripe", DAILY, start_date="2026-11-19"))
    lines = events(done.log)
    assert [line["event"] for line in lines] == ["ordered", "ready", "collected", "emitted", "done"]
    (run,) = done.of("report_runs")
    (file,) = done.of("report_files")
    same = {
        "source": "stripe", "account": "acct_sandbox", "report": "daily", "period": "2026-11-19T00:00:00Z",
        "run_id": run["run_id"], "attempt": "1",
    }  # fmt: skip
    assert all(line.items() >= same.items() for line in lines)
    assert (lines[2]["bytes"], lines[2]["files"]) == (str(file["size"]), "1")
    assert lines[4]["rows"] == str(len(done.of("stripe_daily")))


def test_a_period_has_one_line_at_info_and_its_steps_are_for_those_who_look_for_a_fault(desk):
    done = desk.sync(desk.only("stripe", DAILY, max_new_runs=3, start_date="2026-11-14"))
    steps = Counter((line.split()[0], line.split()[1]) for line in done.log.splitlines() if " event=" in line)
    detailed = ("ordered", "ready", "collected", "emitted")
    assert steps == {
        ("INFO", "event=done"): 3, ("DEBUG", "event=deferred"): 3, **{("DEBUG", f"event={one}"): 3 for one in detailed},
    }  # fmt: skip
    assert " left: stripe_daily account acct_sandbox: 3 periods, " in done.log


def test_what_goes_wrong_has_its_line_too(desk):
    desk.control.options["stripe_run_rules"] = [{"match": {"nth": 1}, "do": {"fail": "no luck today"}}]
    failed = events(desk.sync(desk.only("stripe", DAILY, start_date="2026-11-19")).log)
    assert [line["event"] for line in failed] == [
        "ordered", "again", "ordered", "ready", "collected", "emitted", "done",
    ]  # fmt: skip
    assert "no luck today" in failed[1]["reason"]
    desk.control.options["stripe_run_rules"] = []
    deferred = events(desk.sync(desk.only("stripe", DAILY, max_new_runs=3, start_date="2026-11-14")).log)
    assert Counter(line["event"] for line in deferred)["deferred"] == 2


def test_signs_of_life_while_runs_are_waited_for(desk):
    desk.control.options["stripe_run_seconds"] = 600
    began = desk.control.now()
    done = desk.sync(desk.only("stripe", DAILY, start_date="2026-11-19"))
    assert done.status == 0
    beats = [line for line in events(done.log) if line["event"] == "waiting"]
    assert 600 / 130 < len(beats) <= 600 / HEARTBEAT_SECONDS
    assert (beats[0]["running"], beats[0]["pending"]) == ("1", "0")
    assert "period 2026-11-19" in beats[0]["slowest"]
    waits = [int(line["seconds"]) for line in beats]
    assert waits == sorted(waits)
    assert min(b - a for a, b in itertools.pairwise(waits)) >= HEARTBEAT_SECONDS - 1
    assert (desk.control.now() - began).total_seconds() < 700


def test_metrics_stay(desk):
    done = desk.sync(desk.only("stripe", {**DAILY, "window": "month"}, start_date="2026-10-01"))
    counted = {
        point["tags"]["stream"]: point["value"]
        for line in done.log.splitlines()
        if "METRIC: " in line and (point := json.loads(line.partition("METRIC: ")[2]))["metric"] == "record_count"
    }
    assert counted["stripe_daily"] == len(done.of("stripe_daily")) > 0
    assert counted["report_files"] == 1


@pytest.mark.parametrize(
    ("value", "written"),
    [("plain", "a=plain"), ("two words", 'a="two words"'), ('"', 'a="\\""'), ("x=1", 'a="x=1"'), ("", 'a=""')],
)
def test_values_with_blanks_are_quoted(value, written):
    assert pairs({"a": value, "none": None}) == written


# -- the live view -------------------------------------------------------------------------------------


class Terminal:
    """A pseudo-terminal of 100 columns that is read until it is hung up."""

    def __init__(self):
        self.master, self.slave = pty.openpty()
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
        self.seen = b""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        while True:
            try:
                chunk = os.read(self.master, 1 << 16)
            except OSError:
                return
            if not chunk:
                return
            self.seen += chunk

    def wait_for(self, pattern):
        """Until something like that has been seen."""
        until(
            lambda: re.search(pattern, self.seen.decode(errors="replace")), lambda: self.seen.decode(errors="replace")
        )

    def screen(self):
        """What stands there after all moves of the cursor: the lines without their ends."""
        lines, row, at_start = [""], 0, False
        for part in re.split(r"(\x1b\[\d*[A-Z]|\r|\n)", self.seen.decode().replace("\r\n", "\n\r")):
            if part == "\n":
                row += 1
                lines.extend([""] * (row + 1 - len(lines)))
            elif re.fullmatch(r"\x1b\[\d+A", part):
                row -= int(part[2:-1])
            elif part == "\x1b[J":
                lines[row:] = [lines[row][:0] if not lines[row] or at_start else lines[row]]
            elif part not in {"\r", "\x1b[K", ""}:
                lines[row] = part
            at_start = part == "\r"
        return lines


# The tap's own command on the vendors' day: on a later one what they have would be too old.
PROGRAM = f"""
from datetime import datetime
from tap_billing_reports.singer.tap import TapBillingReports
from tests.fakes import BriskClock

TapBillingReports.clock = BriskClock(datetime.fromisoformat({NOW.isoformat()!r}))
TapBillingReports.cli()
"""


def started(config, folder, **more):
    """The tap as a process of its own; its stdout is a file."""
    path = folder / "watched.json"
    path.write_text(json.dumps(config))
    out = (folder / "out.jsonl").open("wb")
    env = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm"}
    with out:
        return subprocess.Popen([sys.executable, "-c", PROGRAM, "--config", str(path)], stdout=out, env=env, **more)


def messages(folder):
    """What went to stdout: every line must be a Singer message."""
    return [json.loads(line) for line in (folder / "out.jsonl").read_text().splitlines()]


@pytest.fixture
def slow(desk):
    """Four days of runs that take a second each, two at a time. The vendors' clock stands until a test moves it."""
    desk.control.options["stripe_run_seconds"] = 1.0
    return desk.only("stripe", DAILY, start_date="2026-11-16", end_date="2026-11-20")


def test_a_person_sees_it_live_and_the_target_sees_messages_alone(desk, slow, tmp_path):
    terminal = Terminal()
    process = started(slow, tmp_path, stderr=terminal.slave)
    os.close(terminal.slave)
    terminal.wait_for(r"runs: 2 pending, 2 running, 0 done")
    terminal.wait_for(r"slowest: stripe_daily account acct_sandbox period 2026-11-1[67]T00:00:00Z, \d+:\d\d")
    desk.control.advance(1)
    terminal.wait_for(r"runs: 0 pending, 2 running, 2 done")
    desk.control.advance(1)
    assert process.wait(HANG_SECONDS) == 0, terminal.seen.decode()
    terminal.wait_for("0 failed, 0 left")
    text = terminal.seen.decode()
    assert "\x1b[2A" in text, "it is redrawn in place"
    assert "event=" not in text
    assert "METRIC" in text
    screen = terminal.screen()
    assert not [line for line in screen if "slowest" in line or "pending" in line], "nothing of it is left behind"
    assert {message["type"] for message in messages(tmp_path)} == {"SCHEMA", "RECORD", "STATE"}


def test_a_terminal_that_hangs_up_ends_no_sync(desk, slow, tmp_path):
    terminal = Terminal()

    def own_the_terminal():
        os.setsid()
        fcntl.ioctl(2, termios.TIOCSCTTY, 0)

    process = started(slow, tmp_path, stderr=terminal.slave, preexec_fn=own_the_terminal)
    os.close(terminal.slave)
    terminal.wait_for("slowest")
    os.close(terminal.master)
    desk.control.unfreeze()
    assert process.wait(HANG_SECONDS) == 0
    assert messages(tmp_path)[-1]["type"] == "STATE"
    assert sum(message.get("stream") == "report_files" for message in messages(tmp_path)) == 4 + 1


def test_a_stderr_that_nobody_reads_ends_no_sync(desk, slow, tmp_path):
    reader, writer = os.pipe()
    process = started(slow, tmp_path, stderr=writer)
    os.close(writer)
    assert os.read(reader, 100)
    os.close(reader)
    desk.control.unfreeze()
    assert process.wait(HANG_SECONDS) == 0
    assert sum(message.get("stream") == "report_files" for message in messages(tmp_path)) == 4 + 1


def test_without_a_stderr_a_sync_goes_on(desk, slow, tmp_path):
    desk.control.unfreeze()
    process = started(slow, tmp_path, preexec_fn=lambda: os.close(2))
    assert process.wait(HANG_SECONDS) == 0
    assert messages(tmp_path)[-1]["type"] == "STATE"


class Broken:
    """A terminal that takes so many writes and no more."""

    def __init__(self, writes):
        self.left = writes
        self.text = ""

    def write(self, text):
        if not self.left:
            raise OSError("gone")
        self.left -= 1
        self.text += text

    def flush(self):
        pass

    def isatty(self):
        return True

    def fileno(self):
        raise ValueError("none")


def test_the_log_goes_above_the_view_and_comes_back_from_it():
    terminal, root = Broken(1000), logging.getLogger()
    handler = logging.StreamHandler(terminal)
    handler.setFormatter(logging.Formatter("%(message)s"))
    root.addHandler(handler)
    view = LiveView(lambda _elapsed, _rate: ["first " + "x" * 200, "second"], lambda: 0, cast("TextIO", terminal))
    try:
        view.start()
        until(lambda: "second" in terminal.text)
        root.warning("a line of the log")
        view.close()
        root.warning("another")
    finally:
        root.removeHandler(handler)
    assert "\r\x1b[Ja line of the log\n" in terminal.text
    assert terminal.text.endswith("another\n")
    assert handler.stream is terminal
    assert max(map(len, re.split(r"[\r\n]|\x1b\[\w+", terminal.text))) == 79, "no line wraps"


def test_a_terminal_that_fails_is_left_alone():
    terminal = Broken(1)
    view = LiveView(lambda elapsed, _rate: [str(elapsed)], lambda: 0, cast("TextIO", terminal))
    view.start()
    until(lambda: not terminal.left)
    view.write("lost")
    view.write("lost")
    view.close()
    assert "lost" not in terminal.text


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00"), (42.9, "0:42"), (727, "12:07"), (11100, "3:05:00")])
def test_durations(seconds, text):
    assert duration(seconds) == text
