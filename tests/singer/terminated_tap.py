"""Run as a program: a tap that writes rows and a STATE after each run, until it is terminated.

With arguments it terminates itself, at one certain point: the first names the place, the others the signals, in turn.

stdout is a pipe that the test reads slowly, so that signals arrive in blocked and in short writes.
"""

from __future__ import annotations

import io
import logging
import os
import signal
import sys
import threading
from typing import Any

import msgspec
from singer_sdk import typing as th
from singer_sdk._logging import _setup_console_logging

from tap_billing_reports.core.columns import Column, json_schema
from tap_billing_reports.reports.files.readers import RowChunk
from tap_billing_reports.singer.fast_rows import FastRows
from tap_billing_reports.singer.termination import DeferredTermination
from tap_billing_reports.singer.writer import BufferedWriter

ROWS_A_RUN = 700
SCHEMA = {
    "type": "object",
    "properties": {"run": json_schema("integer"), "n": json_schema("integer"), "text": json_schema("text")},
}
Row = msgspec.defstruct("Row", ["n", "text"], gc=False)


class Rows(FastRows):
    name = "rows"
    primary_keys = ("run", "n")
    state_partitioning_keys = ()
    schema = SCHEMA

    def send(self, run):
        self.write_rows(self.chunks(), {"run": run}, lambda _count: None)

    def chunks(self):
        columns = (Column("n", "n", "integer"), Column("text", "text"))
        yield RowChunk([Row(n, "é" * 100) for n in range(ROWS_A_RUN)], columns)

    def get_records(self, context):
        yield from ()

    def sync_forever(self):
        self._write_schema_message()
        state = self._tap.state
        strike.armed = True
        if strike.place == "destructor":
            Unlucky()
        for run in range(1_000_000):
            self.send(run)
            state["bookmarks"] = {"rows": {"through": run}}
            self._tap.logger.info("run %s is out", run)
            self._tap.state_writer.write_state(state)


class Strike:
    """Signals that are raised in turn when the place is first come by, all but the first one on the way out."""

    def __init__(self, place="", *names):
        self.place = place
        self.armed = False
        self._left = [getattr(signal, name) for name in names]

    def at(self, place):
        if self.armed and place == self.place and self._left:
            try:
                signal.raise_signal(self._left.pop(0))
            finally:
                while self._left:
                    signal.raise_signal(self._left.pop(0))


strike = Strike(*(sys.argv[1:] if __name__ == "__main__" else ()))


class Unlucky:
    def __del__(self):
        strike.at("destructor")


class Struck(io.RawIOBase):
    """What lies below a buffered writer: here the handler runs while that one is writing."""

    def __init__(self, file, place):
        self._file, self._place = file, place

    def writable(self):
        return True

    def write(self, data):
        strike.at(f"before {self._place}")
        count = os.write(self._file, data)
        strike.at(f"after {self._place}")
        return count


class Locked(logging.Handler):
    """Holds its lock while it is struck."""

    def emit(self, record):
        strike.at("log")


class EndlessTap(DeferredTermination):
    name = "tap-endless"
    config_jsonschema = th.PropertiesList().to_dict()
    message_writer_class = BufferedWriter

    def discover_streams(self):
        return [Rows(self)]


def main():
    if strike.place.endswith("stderr"):
        sys.stderr = io.TextIOWrapper(io.BufferedWriter(Struck(2, "stderr")), line_buffering=True)
    if strike.place.endswith("stdout"):
        sys.stdout = io.TextIOWrapper(io.BufferedWriter(Struck(1, "stdout")))
    if strike.place:
        _setup_console_logging()
    tap = EndlessTap(config={}, setup_mapper=True)
    rows: Any = tap.streams["rows"]
    logging.getLogger().addHandler(Locked())
    try:
        with tap.last_words():
            rows.sync_forever()
    finally:
        # Nobody holds the log's locks any more, or this would never end.
        other = threading.Thread(target=tap.logger.info, args=("another thread may log",))
        other.start()
        other.join()


if __name__ == "__main__":
    main()
