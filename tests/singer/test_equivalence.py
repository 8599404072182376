"""The fast path writes the messages that the SDK's own path writes, in every mode."""

from __future__ import annotations

import pytest
from singer_sdk.testing import get_tap_test_class

from tap_billing_reports.singer import fast_rows
from tap_billing_reports.singer.writer import BufferedWriter
from tests.singer.emit_samples import COLUMNS, CONSTANTS, ROWS, Fast, Stock, deselect, messages_of, tap_of

STATE = {"bookmarks": {"s": {"replication_key": "upd", "replication_key_value": "2025-06-01T00:00:00Z"}}}
OTHER_STATE = {"bookmarks": {"s": {"mine": [1]}, "other": {"replication_key_value": "x"}}}
PARTITIONS = [{"region": "eu"}, {"region": "us"}]
NULL_KEYS = [{**row, "upd": None if row["id"] % 4 else row["upd"]} for row in ROWS]

# name: stream attributes, config, change of the catalogue, state, written whole
CASES = {
    "plain": ({}, {}, None, None, True),
    "no constants": ({"shared": {}}, {}, None, None, True),
    "a constant that a row has too": ({"shared": {"name": "constant", "source": "x"}}, {}, None, None, True),
    "nothing but constants selected": (
        {"primary_keys": ()},
        {},
        deselect("id", "name", "upd", "amt", "ok", "day"),
        None,
        True,
    ),
    "one row": ({"rows": ROWS[:1]}, {}, None, None, True),
    "no rows": ({"rows": []}, {}, None, None, True),
    "chunks of one": ({"chunk": 1}, {}, None, None, True),
    "one chunk": ({"chunk": 1000}, {}, None, None, True),
    "state within chunks": ({"STATE_MSG_FREQUENCY": 10, "replication_key": "upd"}, {}, None, None, True),
    "state in": ({"replication_key": "upd"}, {"start_date": "2025-01-01T00:00:00Z"}, None, STATE, True),
    "other state in": ({}, {}, None, OTHER_STATE, True),
    "bookmark unsorted": ({"replication_key": "upd"}, {}, None, None, True),
    "bookmark sorted": ({"replication_key": "id", "is_sorted": True}, {}, None, None, True),
    "bookmark unchecked": ({"replication_key": "upd", "check_sorted": False}, {}, None, None, True),
    "bookmark with nulls": ({"replication_key": "upd", "rows": NULL_KEYS}, {}, None, None, True),
    "bookmark is a constant": ({"replication_key": "period"}, {}, None, None, True),
    "partitions": ({"replication_key": "upd", "partitions": PARTITIONS}, {}, None, None, True),
    "partitions that share a bookmark": (
        {"replication_key": "upd", "partitions": PARTITIONS, "state_partitioning_keys": ()},
        {},
        None,
        None,
        True,
    ),
    "activate version": ({}, {"emit_activate_version_messages": True}, None, None, True),
    "map": ({}, {"stream_maps": {"s": {"id": "id+1", "name": "__NULL__"}}}, None, None, False),
    "map and deselected": ({}, {"stream_maps": {"s": {"more": "amt"}}}, deselect("name"), None, False),
    "filter": ({}, {"stream_maps": {"s": {"__filter__": "id % 2 == 0"}}}, None, None, False),
    "alias": ({}, {"stream_maps": {"s": {"__alias__": "zz"}}}, None, None, False),
    "removed": ({}, {"stream_maps": {"s": None}}, None, None, False),
    "flattened": ({}, {"flattening_enabled": True, "flattening_max_depth": 1}, None, None, False),
    "record limit": ({"ABORT_AT_RECORD_COUNT": 100}, {}, None, None, False),
    **{f"without {name}": ({"primary_keys": ()}, {}, deselect(name), None, True) for name in (*COLUMNS, "nothing")},
}


@pytest.fixture
def whole(monkeypatch):
    """How many rows were written by the chunk."""
    counts = []
    original = fast_rows._lines

    def counted(plan, rows, constants):
        counts.append(len(rows))
        return original(plan, rows, constants)

    monkeypatch.setattr(fast_rows, "_lines", counted)
    return counts


@pytest.mark.parametrize("case", CASES)
def test_the_same_messages_as_the_sdk(case, whole):
    attributes, config, change, state, fast = CASES[case]
    stock = {key: value for key, value in attributes.items() if key != "chunk"}
    expected = messages_of(tap_of(Stock, **stock), config, change, state)
    assert messages_of(tap_of(Fast, BufferedWriter, **attributes), config, change, state) == expected
    contexts = len(attributes.get("partitions", [None]))
    assert sum(whole) == (contexts * len(attributes.get("rows", ROWS)) if fast else 0)


def test_another_writer_gets_single_records(whole):
    assert messages_of(tap_of(Fast)) == messages_of(tap_of(Stock))
    assert not whole


def test_a_subclass_that_changes_records_goes_through_the_sdk(whole):
    def post_process(self, row, context=None):
        return {**row, "name": "changed"} if row["id"] % 2 else None

    expected = messages_of(tap_of(Stock, post_process=post_process))
    assert messages_of(tap_of(Fast, BufferedWriter, post_process=post_process)) == expected
    assert not whole


def test_unselected_stream_writes_nothing():
    def change(catalog):
        for entry in catalog["streams"][0]["metadata"]:
            entry["metadata"]["selected"] = False

    assert messages_of(tap_of(Fast, BufferedWriter), {}, change) == messages_of(tap_of(Stock), {}, change)


TestStandard = get_tap_test_class(
    tap_of(Fast, BufferedWriter, replication_key="upd", shared={**CONSTANTS, "region": "eu"}), config={}
)
