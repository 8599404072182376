"""The fast path writes the messages that the SDK's own path writes, in every mode."""

from __future__ import annotations

from typing import Any

import pytest

from tap_billing_reports.singer import fast_rows
from tap_billing_reports.singer.writer import BufferedWriter
from tests.singer.emit_samples import COLUMNS, ROWS, Fast, Stock, deselect, messages_of, tap_of

STATE = {"bookmarks": {"s": {"mine": [1]}, "other": {"replication_key_value": "x"}}}

# name: stream attributes, config, change of the catalogue, state, written whole
CASES: dict[str, tuple[dict[str, Any], dict[str, Any], Any, Any, bool]] = {
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
    "state in": ({}, {}, None, STATE, True),
    "activate version": ({}, {"emit_activate_version_messages": True}, None, None, True),
    "map": ({}, {"stream_maps": {"s": {"id": "id+1", "name": "__NULL__"}}}, None, None, False),
    "map and deselected": ({}, {"stream_maps": {"s": {"more": "amt"}}}, deselect("name"), None, False),
    "filter": ({}, {"stream_maps": {"s": {"__filter__": "id % 2 == 0"}}}, None, None, False),
    "alias": ({}, {"stream_maps": {"s": {"__alias__": "zz"}}}, None, None, False),
    "removed": ({}, {"stream_maps": {"s": None}}, None, None, False),
    "flattened": ({}, {"flattening_enabled": True, "flattening_max_depth": 1}, None, None, False),
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
    assert sum(whole) == (len(attributes.get("rows", ROWS)) if fast else 0)


def test_another_writer_is_refused():
    with pytest.raises(TypeError, match="BufferedWriter"):
        messages_of(tap_of(Fast))


def test_unselected_stream_writes_nothing():
    def change(catalog):
        for entry in catalog["streams"][0]["metadata"]:
            entry["metadata"]["selected"] = False

    assert messages_of(tap_of(Fast, BufferedWriter), {}, change) == messages_of(tap_of(Stock), {}, change)
