"""What is found out about a target: every kind of loss is noticed."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from decimal import Decimal

import pytest

from scripts.targets import edge_cases
from scripts.targets.findings import (
    DELETED,
    DIFFERENT,
    IDENTICAL,
    NEW_COLUMN,
    NO_OTHERS,
    NULL,
    NULLS,
    RESPELLED,
    ROWS,
    STATE,
    SUMS,
    UPDATED,
    compared,
    examine,
    instant,
)
from scripts.targets.truth import read_messages
from scripts.totals import exact_sum
from scripts.warehouse import DELETED_AT, Table

SCHEMA = {
    "type": "object",
    "properties": {
        "id": {"type": "string"},
        "amount": {"type": ["string", "null"], "format": "x-singer.decimal"},
        "at": {"type": ["string", "null"], "format": "date-time"},
        "note": {"type": ["string", "null"]},
        DELETED_AT: {"type": ["string", "null"], "format": "date-time"},
    },
}
BIG = "12345678901234567890.123"


def charge(key, amount="1.10", *, deleted=None, **more):
    return {"id": key, "amount": amount, "at": "2026-01-02T03:04:05Z", "note": None, DELETED_AT: deleted} | more


def written(path, records, columns=()):
    schema = json.loads(json.dumps(SCHEMA))
    schema["properties"] |= {name: {"type": ["string", "null"]} for name in columns}
    lines = [{"type": "SCHEMA", "stream": "charges", "schema": schema, "key_properties": ["id"]}]
    lines += [{"type": "RECORD", "stream": "charges", "record": record} for record in records]
    lines += [{"type": "STATE", "value": {"n": len(records)}}]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


@pytest.fixture
def told(tmp_path):
    """Two syncs: b changes, c is deleted, d comes with a column of its own."""
    first = written(tmp_path / "first", [charge("a", BIG), charge("b", "-2.00"), charge("c")])
    changed = charge("b", "-3.00", tier="gold")
    second = written(
        tmp_path / "second",
        [changed, charge("c", None, deleted="2026-01-03T00:00:00Z", at=None), charge("d", None, tier="new")],
        columns=["tier"],
    )
    return read_messages([first]), read_messages([first, second])


def perfect(told):
    stream = told.streams["charges"]
    rows = [{name: row.get(name) for name in stream.columns} for row in stream.last().values()]
    return {"charges": Table(dict.fromkeys(stream.columns, "VARCHAR"), rows)}


def found(told, tables):
    first, both = told
    return examine(both, tables, first=first, new_column="tier")


def test_what_is_told_counts_each_key_once_and_deleted_rows_not(told):
    _, both = told
    stream = both.streams["charges"]
    assert [key for (key,) in stream.living()] == ["a", "b", "d"]
    assert exact_sum(both.tables()["charges"].living(), "amount") == Decimal("12345678901234567887.123")
    assert both.state == {"n": 3}


def shares(seen):
    return {what: str(share) for what, share in seen.shares.items()}


WHOLE = {
    ROWS: "3 of 3", NO_OTHERS: "4 of 4", DELETED: "1 of 1", SUMS: "1 of 1", UPDATED: "1 of 1", NEW_COLUMN: "2 of 2",
    NULLS: "8 of 8", "text": "5 of 5", "decimal": "2 of 2", "date-time": "3 of 3",
}  # fmt: skip


def test_a_target_that_keeps_everything(told):
    seen = found(told, perfect(told[1]))
    assert shares(seen) == WHOLE
    assert (seen.stored, seen.examples) == (4, {})
    assert seen.types == {"text": {"VARCHAR"}, "decimal": {"VARCHAR"}, "date-time": {"VARCHAR"}}
    assert seen.lost() == ["STATE: 0 of 0"], "nobody has counted it"
    seen.count(STATE, right=True)
    assert seen.lost() == []


def losing(change):
    """The findings of a target whose rows went through `change`, and what of its shares is not as in a whole one."""

    def apply(told):
        tables = perfect(told[1])
        rows = tables["charges"].rows
        rows[:] = change(rows)
        seen = found(told, tables)
        return seen, {what: share for what, share in shares(seen).items() if share != WHOLE.get(what)}

    return apply


def set_cell(key, column, cell):
    return lambda rows: [row | {column: cell} if row["id"] == key else row for row in rows]


def test_a_lost_row_is_missed_and_its_sum_wrong(told):
    _, off = losing(lambda rows: [row for row in rows if row["id"] != "a"])(told)
    assert (off[ROWS], off[SUMS]) == ("2 of 3", "0 of 1")


def test_a_row_from_nowhere_is_surplus(told):
    _, off = losing(lambda rows: [*rows, charge("x", "0")])(told)
    assert off == {NO_OTHERS: "4 of 5"}


def test_the_smallest_unit_of_a_long_amount_makes_the_sum_wrong(told):
    seen, off = losing(set_cell("a", "amount", "12345678901234567890.124"))(told)
    assert off == {SUMS: "0 of 1", "decimal": "1 of 2"}
    assert seen.examples == {"decimal": (BIG, "12345678901234567890.124")}
    assert seen.lost() == ["exact sums: 0 of 1", "STATE: 0 of 0", "decimal: 1 of 2"]


def test_a_float_makes_the_sum_wrong(told):
    _, off = losing(set_cell("a", "amount", str(float(BIG))))(told)
    assert off == {SUMS: "0 of 1", "decimal": "1 of 2"}


def test_an_amount_turned_null_is_another_value(told):
    _, off = losing(set_cell("a", "amount", None))(told)
    assert off == {SUMS: "0 of 1", "decimal": "1 of 2"}


def test_a_deleted_row_is_marked_or_removed(told):
    _, off = losing(set_cell("c", DELETED_AT, None))(told)
    assert off[DELETED] == "0 of 1"
    _, off = losing(lambda rows: [row for row in rows if row["id"] != "c"])(told)
    assert off == {NO_OTHERS: "3 of 3"}


def test_a_row_that_was_not_updated_is_seen(told):
    _, off = losing(set_cell("b", "amount", "-2.00"))(told)
    assert off[UPDATED] == "0 of 1"


def test_null_as_empty_text_is_seen(told):
    _, off = losing(set_cell("a", "note", ""))(told)
    assert off == {NULLS: "7 of 8"}


def test_a_left_out_new_column_is_seen(told):
    tables = perfect(told[1])
    tables["charges"].columns["note"] = ""  # as of a file in which all are null
    assert found(told, tables).types["text"] == {"VARCHAR"}
    del tables["charges"].columns["tier"]
    for row in tables["charges"].rows:
        del row["tier"]
    assert shares(found(told, tables))[NEW_COLUMN] == "0 of 2"


def test_of_rows_stored_twice_the_last_counts(told):
    seen, off = losing(lambda rows: [charge("b", "-2.00"), *rows])(told)
    assert (seen.stored, off) == (5, {})


@pytest.mark.parametrize(
    ("kind", "value", "cell", "outcome"),
    [
        ("text", "a\nb", "a\nb", IDENTICAL),
        ("text", "a\nb", "a\\nb", DIFFERENT),
        ("text", "1.0", "1", DIFFERENT),
        ("text", "", None, NULL),
        ("text", None, None, IDENTICAL),
        ("text", None, "", RESPELLED),
        ("text", None, "None", DIFFERENT),
        ("decimal", "1.10", "1.1", RESPELLED),
        ("decimal", "1.10", "1.11", DIFFERENT),
        ("decimal", "1.10", "", DIFFERENT),
        ("decimal", "100", "1E+2", RESPELLED),
        ("integer", 9007199254740993, "9007199254740992", DIFFERENT),
        ("boolean", True, "true", IDENTICAL),
        ("boolean", False, "f", RESPELLED),
        ("boolean", False, "true", DIFFERENT),
        ("boolean", False, "no", DIFFERENT),
        ("date-time", "2026-01-02T03:04:05Z", "2026-01-02 03:04:05", RESPELLED),
        ("date-time", "2026-01-02T03:04:05Z", "2026-01-02 04:04:05+01", RESPELLED),
        ("date-time", "2026-01-02T03:04:05Z", "2026-01-02 04:04:05", DIFFERENT),
        ("date", "2026-01-02", "2026-01-02", IDENTICAL),
        ("date", "2026-01-02", "2026-01-01", DIFFERENT),
    ],
)
def test_values_are_compared_by_what_they_mean(kind, value, cell, outcome):
    assert compared(kind, value, cell) == outcome


def test_fractions_of_any_length_are_read():
    assert instant("2026-01-01 00:00:00.12+00") == datetime(2026, 1, 1, 0, 0, 0, 120000, tzinfo=timezone.utc)


def test_edge_cases_are_valid_messages_and_each_is_judged(tmp_path):
    path = tmp_path / "edge"
    path.write_text("".join(edge_cases.messages()))
    told = read_messages([path])
    stream = told.streams[edge_cases.STREAM]
    assert len(stream.records) == len(edge_cases.CASES)
    rows = [
        {name: None if cell is None else json.dumps(cell) if isinstance(cell, bool) else str(cell)
         for name, cell in row.items()}
        for row in stream.records
    ]  # fmt: skip
    kept = examine(told, {edge_cases.STREAM: Table({}, rows)}, first=told, new_column="")
    assert set(kept.edge_cases.values()) == {IDENTICAL}
    lost = examine(told, {}, first=told, new_column="")
    assert set(lost.edge_cases.values()) == {"row missing"}
