"""The SDK's private names that the emitter stands on: each is there, and is what it was."""

from __future__ import annotations

import inspect
import re

import pytest
from singer_sdk import Stream, Tap
from singer_sdk.mapper import DefaultStreamMap, SameRecordTransform, StreamMap
from singer_sdk.metrics import Counter
from singer_sdk.singerlib.encoding.base import GenericSingerWriter
from singer_sdk.streams._state import StreamStateManager

SIGNATURES = {
    (Tap, "_handle_termination"): ["self", "signum", "frame"],
    (Stream, "_write_record_message"): ["self", "record"],
    (Stream, "_increment_stream_state"): ["self", "latest_record", "context"],
    (Stream, "_write_starting_replication_value"): ["self", "context"],
    (Counter, "increment"): ["self", "value"],
    (GenericSingerWriter, "serialize_message"): ["self", "message"],
    (GenericSingerWriter, "write_message"): ["self", "message"],
}


@pytest.mark.parametrize(("owner", "name"), SIGNATURES, ids=lambda value: getattr(value, "__name__", value))
def test_signature(owner, name):
    assert list(inspect.signature(getattr(owner, name)).parameters) == SIGNATURES[owner, name]


@pytest.mark.parametrize("name", ["mask", "stream_maps", "effective_schema", "state_manager", "selected"])
def test_properties(name):
    assert isinstance(getattr(Stream, name), property)


def test_signals_come_to_the_handler_that_we_replace():
    source = inspect.getsource(Tap._setup_signal_handlers)
    assert "signal.signal(signal.SIGTERM, self._handle_termination)" in source
    assert "signal.signal(signal.SIGINT, self._handle_termination)" in source


def test_attributes():
    source = inspect.getsource(Stream.__init__)
    assert "self._tap" in source
    assert "self._stream_version" in source
    assert Stream.ABORT_AT_RECORD_COUNT is None
    assert "is_flushed" in inspect.getsource(StreamStateManager.__init__)


def test_a_stream_without_maps_has_the_map_that_changes_nothing():
    assert issubclass(SameRecordTransform, DefaultStreamMap)
    assert isinstance(StreamMap.flattening_enabled, property)


def test_what_the_fast_path_does_instead_of_the_sdk():
    """When the SDK does something new to a record, the fast path must be looked at again."""
    source = inspect.getsource(Stream._generate_record_messages) + inspect.getsource(Stream._write_record_message)
    called = set(re.findall(r"(?<![\w.])([\w.]+)\(", source.replace("def ", "")))
    assert called == {
        "_generate_record_messages",
        "_write_record_message",
        "pop_deselected_record_properties",
        "conform_record_data_types",
        "stream_map.transform",
        "singer.RecordMessage",
        "utc_now",
        "self._generate_record_messages",
        "self._tap.write_message",
    }


def test_what_the_sdk_does_around_the_records_of_a_stream():
    """The lifecycle's streams send their records past this loop: what it does beside them is not for these streams."""
    called = set(re.findall(r"self\.(\w+)\(", inspect.getsource(Stream._sync_records)))
    assert called == {
        "get_record_counter",
        "get_sync_timer",
        "_get_state_partition_context",
        "_write_starting_replication_value",
        "get_records",
        "_check_max_record_limit",
        "post_process",
        "_process_record",
        "_write_record_message",
        "_increment_stream_state",
        "_write_state_message",
        "get_context_state",
        "_finalize_state",
    }
