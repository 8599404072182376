"""Run as a program: a small tap is struck by a signal at the lines of code that it, its writer and the log come by.

At each third of them, with `EVERY_CASE` at each; a fork for each line, so that each is struck where it is first come
by. Prints what went wrong, one line each, then how many lines there are and how many were struck.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import tempfile
import threading
import traceback
from pathlib import Path
from typing import Any

import singer_sdk.metrics
from singer_sdk._logging import _setup_console_logging

from tap_billing_reports.core import redaction
from tap_billing_reports.singer import fast_rows, state_writer, termination, writer
from tests.sampling import each
from tests.singer import terminated_tap
from tests.singer.terminated_tap import EndlessTap, Rows
from tests.typed import writer_of

RUNS, ROWS = 3, 60
# Where output, locks and the handler's own mark are at stake.
WATCHED = {
    module.__file__
    for module in (fast_rows, writer, termination, state_writer, logging, threading, singer_sdk.metrics, redaction)
}
WATCHED.add(terminated_tap.__file__)
STATUSES = {"SIGTERM": 143, "SIGINT": 130}


class FewRows(Rows):
    def sync_some(self):
        self._write_schema_message()
        for run in range(RUNS):
            self.send(run)
            self._tap.state["bookmarks"] = {"rows": {"through": run}}
            self._tap.logger.info("run %s is out", run)
            self._tap.state_writer.write_state(self._tap.state)


class SmallTap(EndlessTap):
    def discover_streams(self):
        return [FewRows(self)]


class Watch:
    """Traces the watched modules' lines: notes them all, or strikes at one of them."""

    def __init__(self, target=None, signals=()):
        self.seen = {}
        self._target, self._signals = target, list(signals)

    def __call__(self, frame, event, _argument):
        if frame.f_code.co_filename not in WATCHED:
            return None
        place = (frame.f_code.co_filename, frame.f_lineno)
        if event == "line":
            self.seen.setdefault(place)
            if place == self._target and self._signals:
                # The trace ends where it raises; the second signal comes at once after the first.
                try:
                    signal.raise_signal(self._signals.pop(0))
                finally:
                    while self._signals:
                        signal.raise_signal(self._signals.pop(0))
        return self


def synced(watch, folder):
    """In a fork: the sync, its output in files; ends the process."""
    for number, name in ((1, "out"), (2, "err")):
        file = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(file, number)
    status = 70
    try:
        _setup_console_logging(log_level="DEBUG")
        redaction.install()
        tap = SmallTap(config={}, setup_mapper=True)
        stream: Any = tap.streams["rows"]
        try:
            with tap.last_words():
                sys.settrace(watch)
                try:
                    stream.sync_some()
                finally:
                    sys.settrace(None)
            status = 0
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else 1
        other = threading.Thread(target=tap.logger.info, args=("another thread may log",))
        other.start()
        other.join(600)
        if other.is_alive():
            status = 71
        writer_of(tap)._flush_at_exit()
        (folder / "seen").write_text(json.dumps(list(watch.seen)))
    except BaseException:  # noqa: BLE001 - a fork must not go on as its parent
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


def forked(watch, folder):
    child = os.fork()
    if not child:
        synced(watch, folder)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def wrong(status, wanted, folder):
    """What is wrong with a sync that was struck; None if nothing is."""
    said, out = (folder / "err").read_text(), (folder / "out").read_bytes()
    if status != wanted:
        return f"exit status {status}: {said[-2000:]}"
    if any(word in said for word in ("Traceback", "Logging error", "RuntimeError", "Exception ignored")):
        return said[-2000:]
    if said.count("this sync ends here") != 1 or not said.endswith("another thread may log\n"):
        return f"the last words are missing: {said[-500:]}"
    messages = [json.loads(line) for line in out.splitlines()]
    if not out.endswith(b"\n") or messages[-1]["type"] not in {"STATE", "SCHEMA"}:
        return f"the last message is no STATE: {out[-200:]!r}"
    through = -1
    rows: dict[int, int] = {}
    for message in messages:
        if message["type"] == "RECORD":
            rows[message["record"]["run"]] = rows.get(message["record"]["run"], 0) + 1
        elif message["type"] == "STATE":
            through = message["value"].get("bookmarks", {}).get("rows", {}).get("through", -1)
            if any(rows.get(run) != ROWS for run in range(through + 1)):
                return f"a STATE that is not true: {through}, {rows}"
    return None


def main():
    terminated_tap.ROWS_A_RUN = ROWS
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        assert forked(Watch(), folder) == 0, (folder / "err").read_text()
        known = [tuple(place) for place in json.loads((folder / "seen").read_text())]
        places = each(known, 3)
        for number, place in enumerate(places):
            # In turn: each way to strike meets many kinds of places.
            signals = ["SIGINT", "SIGTERM"] if number % 2 else ["SIGTERM"]
            watch = Watch(place, [getattr(signal, name) for name in signals])
            fault = wrong(forked(watch, folder), STATUSES[signals[0]], folder)
            if fault:
                sys.stdout.write(f"{place} {signals}: {fault}\n")
        sys.stdout.write(f"{len(known)} lines, {len(places)} of them struck\n")


if __name__ == "__main__":
    main()
