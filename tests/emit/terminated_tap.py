"""Run as a program: a tap that writes rows and a STATE after each run, until it is terminated.

With the argument `destructor` it terminates itself where Python throws the handler's exception away.

stdout is a pipe that the test reads slowly, so that signals arrive in blocked and in short writes.
"""

from __future__ import annotations

import signal
import sys

import msgspec
from singer_sdk import typing as th

from tap_billing_reports.columns import Column, json_schema
from tap_billing_reports.emit import BufferedWriter, DeferredTermination, FastRows
from tap_billing_reports.reports.readers import RowChunk

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

    def constants(self, context):
        return {"run": context["run"]}

    def row_chunks(self, context, selected):
        columns = (Column("n", "n", "integer"), Column("text", "text"))
        yield RowChunk([Row(n, "é" * 100) for n in range(ROWS_A_RUN)], columns)

    def get_records(self, context):
        if context:
            yield from super().get_records(context)

    def sync_forever(self):
        self._write_schema_message()
        state = self._tap.state
        if "destructor" in sys.argv:
            Unlucky()
        for run in range(1_000_000):
            for _ in self._sync_records(context={"run": run}):
                pass
            state["bookmarks"] = {"rows": {"through": run}}
            self._tap.state_writer.write_state(state)


class Unlucky:
    def __del__(self):
        signal.raise_signal(signal.SIGTERM)


class EndlessTap(DeferredTermination):
    name = "tap-endless"
    config_jsonschema = th.PropertiesList().to_dict()
    message_writer_class = BufferedWriter

    def discover_streams(self):
        return [Rows(self)]


if __name__ == "__main__":
    EndlessTap(config={}, setup_mapper=True).streams["rows"].sync_forever()
