"""Rows sent through a stream by another one's sync: how finished reports are emitted."""

from __future__ import annotations

import pytest
from singer_sdk import Stream, metrics
from singer_sdk import typing as th

from tap_billing_reports.singer.termination import DeferredTermination
from tap_billing_reports.singer.writer import BufferedWriter
from tests.singer.emit_samples import SCHEMA, Fast, messages_of

RUNS = ("run_1", "run_2", "run_3")


class SharedMeter(metrics.Counter):
    def __exit__(self, *_):
        pass


class ReportStream(Stream):
    """Emits one finished run at a time, counts in one meter, and leaves STATE to the driver."""

    state_partitioning_keys = ()
    current = None

    def __init__(self, tap):
        super().__init__(tap)
        self.meter = SharedMeter(metrics.Metric.RECORD_COUNT, {metrics.Tag.STREAM: self.name})
        self.advanced = 0

    def emit(self, run):
        self.current = run
        try:
            for _ in self._sync_records(context={"run_id": run}):
                pass
        finally:
            self.current = None

    def get_record_counter(self, **_):
        return self.meter

    def _write_state_message(self):
        if self.current is None:
            super()._write_state_message()

    def _increment_stream_state(self, latest_record, *, context=None):
        self.advanced += 1

    def _write_starting_replication_value(self, context):
        pass


class Rows(Fast, ReportStream):
    replication_key = "upd"
    schema = SCHEMA

    def constants(self, context):
        return {"source": "stripe", "region": (context or {}).get("run_id")}

    def get_records(self, context):
        return super().get_records(context) if self.current else iter(())


class Driver(Stream):
    name = "a_driver"
    schema = SCHEMA
    replication_key = None

    def get_records(self, context):
        rows = self._tap.streams["s"]
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
