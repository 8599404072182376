"""Rows sent through a stream by another one's sync: how finished reports are emitted."""

from __future__ import annotations

from typing import Any

import pytest
from singer_sdk import Stream
from singer_sdk import typing as th

from tap_billing_reports.singer.termination import DeferredTermination
from tap_billing_reports.singer.writer import BufferedWriter
from tests.singer.emit_samples import SCHEMA, Fast, messages_of

RUNS = ("run_1", "run_2", "run_3")


class Rows(Fast):
    """Sends one finished run at a time, when the driver says so; its own sync has no records."""

    def emit(self, run):
        self.write_rows(self.chunks(), {"source": "stripe", "region": run}, lambda _count: None)

    def get_records(self, context):
        yield from ()


class Driver(Stream):
    name = "a_driver"
    schema = SCHEMA
    replication_key = None

    def get_records(self, context):
        rows: Any = self._tap.streams["s"]
        rows._write_schema_message()
        for run in RUNS:
            rows.emit(run)
            self._tap.state.setdefault("bookmarks", {})["s"] = {"ledger": [run]}
            self._tap.state_writer.write_state(self._tap.state)
        yield from ()


class NestingTap(DeferredTermination):
    name = "tap-nesting"
    config_jsonschema = th.PropertiesList(th.Property("stream_maps", th.ObjectType())).to_dict()
    message_writer_class = BufferedWriter

    def discover_streams(self):
        return [Driver(self), Rows(self)]


@pytest.mark.parametrize("config", [{}, {"stream_maps": {"s": {"more": "id"}}}])
def test_each_run_is_whole_before_its_state(config):

    messages = [m for m in messages_of(NestingTap, config) if m.get("stream") == "s" or m["type"] == "STATE"]
    kinds = [m["type"] if m["type"] != "RECORD" else m["record"]["region"] for m in messages]
    expected = ["SCHEMA"]
    for run in RUNS:
        expected += [run] * len(Rows.rows) + ["STATE"]
    assert kinds[: len(expected)] == expected
    states = [m["value"]["bookmarks"]["s"].get("ledger") for m in messages if m["type"] == "STATE"]
    assert states[:3] == [["run_1"], ["run_2"], ["run_3"]]
