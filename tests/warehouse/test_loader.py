"""Rows, keys, STATE and transactions, the same in DuckDB and PostgreSQL."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from tap_billing_reports.warehouse import duck
from tap_billing_reports.warehouse.columns import Table
from tap_billing_reports.warehouse.errors import LoadError
from tests.warehouse.lines import AMOUNT, DAY, INSTANT, INTEGER, OBJECT, TEXT, line, record, schema, state
from tests.warehouse.places import load, loading


def test_the_last_row_of_a_key_counts(place):
    load(
        place,
        schema(id=TEXT, total=AMOUNT),
        record(id="a", total="1.00"),
        record(id="b", total="2.00"),
        record(id="a", total="3.00"),
        state(1),
        record(id="b", total="4.00"),
        record(id="b", total="5.00"),
        record(id="c"),
        state(2),
    )
    assert place.rows("orders") == [("a", Decimal(3)), ("b", Decimal(5)), ("c", None)]


def test_the_last_row_counts_wherever_the_first_one_is(place):
    """In the warehouse, in the open transaction, or in the same piece: by each way that rows can take."""
    one = loading(place, commit_seconds=float("inf"))
    one.load([schema(id=TEXT, n=INTEGER), record(id="a", n=1), record(id="b", n=1)])
    one.loader.commit()
    one.load([record(id="a", n=2), record(id="c", n=1), record(id="a", n=3)])
    one.loader._load(one.loader._streams["orders"])
    one.load([record(id="a", n=4), record(id="c", n=2), record(id="d", n=1)])
    one.loader.finish()
    one.database.close()
    assert place.rows("orders") == [("a", 4), ("b", 1), ("c", 2), ("d", 1)]


def test_rows_that_come_again_unchanged_are_not_written_anew(server_place):
    columns: dict[str, Any] = {"total": AMOUNT, "at": INSTANT, "more": OBJECT}
    same: dict[str, Any] = {"total": "1.50", "at": "2026-11-28T10:00:00Z", "more": {"a": [1]}}
    changed: dict[str, Any] = {**same, "total": "1.5"}
    others: list[dict[str, Any]] = [{"id": "b", **changed}, {"id": "c", "total": "1.50"}, {"id": "d", **same}]
    before = [record(id="a", **same), *(record(id=name, **same) for name in "bc"), record(id="d")]
    load(server_place, schema(id=TEXT, **columns), *before, state(1))
    places = dict(server_place.query('select id, ctid::text from "billing"."orders"'))
    load(server_place, schema(id=TEXT, **columns), record(id="a", **same), *(record(**one) for one in others), state(2))
    found = {row[0]: row[1:] for row in server_place.query('select *, ctid::text from "billing"."orders"')}
    assert [name for name, row in found.items() if row[-1] == places[name]] == ["a"]
    assert [str(found[name][0]) for name in "abcd"] == ["1.50", "1.5", "1.50", "1.50"]
    assert (found["c"][1], found["c"][2], found["d"][2]) == (None, None, {"a": [1]})


def test_a_stream_without_a_key_is_appended(place):
    messages = (schema(keys=(), n=INTEGER), record(n=1), record(n=1), state(1))
    load(place, *messages)
    load(place, *messages)
    assert place.rows("orders") == [(1,)] * 4


def test_a_key_of_several_columns_and_nothing_else(place):
    load(place, schema(keys=("a", "b"), a=TEXT, b=INTEGER), *[record(a="x", b=n % 3) for n in range(9)], state(1))
    load(place, schema(keys=("a", "b"), a=TEXT, b=INTEGER), *[record(a="x", b=n) for n in range(5)], state(1))
    assert place.rows("orders") == [("x", n) for n in range(5)]


def test_what_a_record_leaves_out_is_null_and_what_the_schema_leaves_out_stays(place):
    load(place, schema(id=TEXT, a=TEXT, b=TEXT), record(id="1", a="a", b="b"), record(id="2", a="a", b="b"), state(1))
    load(place, schema(id=TEXT, a=TEXT, b=TEXT), record(id="1", b="c"), state(2))
    load(place, schema(id=TEXT, a=TEXT), record(id="2", a="d"), record(id="3", a="e"), state(3))
    assert place.rows("orders") == [("1", None, "c"), ("2", "d", "b"), ("3", "e", None)]


def test_rows_and_state_are_committed_together(place):
    one = loading(place, commit_seconds=float("inf"))
    one.load([schema(id=TEXT), record(id="a"), state({"n": 1})])
    one.loader.commit()
    one.load([record(id="b"), state({"n": 2}), record(id="c")])
    one.database.close()  # as a crash leaves it
    assert place.rows("orders") == [("a",)]
    with_state = place.open()
    assert with_state.state("default") == '{"n":1}'
    with_state.close()


def test_a_state_goes_to_whoever_keeps_it_once_it_is_committed(place):
    one = loading(place, commit_seconds=float("inf"), keep_state=False)
    one.load([schema(id=TEXT), record(id="a"), state({"n": 1}), record(id="b"), state({"n": 2})])
    assert one.states == []
    one.loader.finish()
    assert one.states == ['{"n":2}']
    assert one.database.state("default") is None
    one.database.close()


def test_a_transaction_ends_at_the_first_state_behind_so_many_bytes(place):
    one = loading(place, commit_seconds=float("inf"), commit_bytes=1000)
    one.load([schema(id=TEXT), record(id="a"), state(1)])
    assert one.states == []
    one.load([record(id="b" * 1000)])
    assert one.states == [], "no STATE stands behind it"
    one.load([state(2), record(id="c"), state(3)])
    assert one.states == ["2"]
    one.loader.finish()
    one.database.close()
    assert one.states == ["2", "3"]


def test_a_state_without_rows_and_rows_without_a_state(place):
    assert load(place, state({"n": 1})) == ['{"n":1}']
    assert load(place, schema(id=TEXT), record(id="a")) == []
    assert place.rows("orders") == [("a",)]
    database = place.open()
    assert database.state("default") == '{"n":1}', "rows without a STATE leave it as it was"
    database.close()


def test_rows_behind_the_last_state_of_a_stream_without_a_key_are_not_loaded(place):
    messages = [schema(keys=(), n=INTEGER), record(n=1), state(1), record(n=2)]
    with pytest.raises(LoadError, match="stream orders: the tap ended without a STATE behind its last rows"):
        load(place, *messages)
    assert place.rows("orders") == [(1,)]
    load(place, *messages[:1], record(n=2), state(2))
    assert place.rows("orders") == [(1,), (2,)]


def test_rows_behind_the_last_state_of_a_stream_with_a_key_are_loaded(place):
    load(place, schema(id=TEXT), record(id="a"), state(1), record(id="b"))
    assert place.rows("orders") == [("a",), ("b",)]


def test_jobs_keep_their_states_apart(place):
    load(place, state({"of": "one"}), job="one")
    load(place, state({"of": "two"}), job="two")
    database = place.open()
    assert [database.state(job) for job in ("one", "two", "three")] == ['{"of":"one"}', '{"of":"two"}', None]
    assert [job for job, _ in database.states()] == ["one", "two"]
    assert all(len(stored_at) == len("2026-11-28T10:00:00Z") for _, stored_at in database.states())
    database.reset("one")
    database.close()
    database = place.open()
    assert [database.state(job) for job in ("one", "two")] == [None, '{"of":"two"}']
    database.close()


def test_numbers_in_a_state_keep_their_digits(place):
    digits = b'{"type": "STATE", "value": {"amount": 1.10, "large": 12345678901234567890.12345678901234567890}}\n'
    assert load(place, digits) == ['{"amount":1.10,"large":12345678901234567890.12345678901234567890}']


def test_streams_in_any_order_and_with_any_spacing(place):
    rows = [(f"{n:03}", n % 2) for n in range(100)]
    lines = [schema("odd", id=TEXT), schema("even", id=TEXT)]
    for name, is_odd in rows:
        message = {"type": "RECORD", "stream": "odd" if is_odd else "even", "record": {"id": name}}
        written = [json.dumps(message), json.dumps(message, separators=(",", ":")), json.dumps(message, sort_keys=True)]
        lines.append(written[int(name) % 3].encode() + (b"\r\n" if int(name) % 5 == 0 else b"\n"))
    load(place, *lines, b"\n", b"  \n", state(1))
    assert place.rows("odd") == [(name,) for name, is_odd in rows if is_odd]
    assert place.rows("even") == [(name,) for name, is_odd in rows if not is_odd]


def test_rows_marked_as_deleted_stay_or_go(place):
    messages = [
        schema(id=TEXT, total=AMOUNT, _sdc_deleted_at=INSTANT),
        record(id="a", total="1"),
        record(id="b", total="2"),
        state(1),
        record(id="a", _sdc_deleted_at="2026-11-28T10:00:00Z"),
        state(2),
    ]
    load(place, *messages)
    assert [(row[0], row[2] is None) for row in place.rows("orders")] == [("a", False), ("b", True)]
    load(place, *messages, hard_delete=True)
    assert [row[0] for row in place.rows("orders")] == ["b"]


@pytest.mark.parametrize("hard", [False, True])
def test_activate_version(place, hard):
    version = line({"type": "ACTIVATE_VERSION", "stream": "orders", "version": 2})
    load(place, schema(id=TEXT), record(version=1, id="a"), record(version=1, id="b"), state(1))
    load(
        place,
        schema(id=TEXT),
        record(version=2, id="b"),
        record(version=2, id="c"),
        version,
        state(2),
        hard_delete=hard,
    )
    found = place.query('select id, _sdc_table_version, _sdc_deleted_at is null from "billing"."orders" order by id')
    gone = [] if hard else [("a", 1, False)]
    assert found == [*gone, ("b", 2, True), ("c", 2, True)]


def test_activate_version_of_rows_without_one(place):
    load(place, schema(keys=(), id=TEXT), record(id="a"), state(1))
    version = line({"type": "ACTIVATE_VERSION", "stream": "orders", "version": 2})
    load(place, schema(keys=(), id=TEXT), record(version=2, id="b"), version, state(2))
    assert place.query('select id from "billing"."orders"') == [("b",)]


def test_two_loaders_at_once(place):
    one = loading(place)
    try:
        if place.engine == "duckdb":  # the same process may open a file twice: see test_target.py for another one
            return
        with pytest.raises(LoadError, match=r"another loader is at work in the schema 'billing' \(server process \d+"):
            place.open()
        other = place.open("elsewhere")
        other.close()
    finally:
        one.database.close()
    load(place, schema(id=DAY), record(id="2026-01-01"), state(1))


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([record(id="a")], "a RECORD of the stream orders comes before its SCHEMA"),
        ([b"Traceback (most recent call last):\n"], "is no JSON: the tap printed something else"),
        ([b"[1]\n"], "no Singer message"),
        ([b'{"a": 1}\n'], "it has no type"),
        ([line({"type": "BATCH", "stream": "orders"})], "BATCH messages are not read"),
        ([line({"type": "LETTER"})], "messages of type 'LETTER' are not known"),
        ([line({"type": "STATE"})], "a STATE message has no value"),
        ([line({"type": "ACTIVATE_VERSION", "stream": "x", "version": 1})], "names no known stream"),
        ([schema(id=TEXT), line({"type": "RECORD", "stream": "orders"})], "has no record"),
        ([schema(id=TEXT), record(id=None)], "a row has no value for 'id'"),
        ([schema(id=TEXT), record(id=5)], r"a record of the row id=5 is not what its SCHEMA says: .*`int`.*`id`"),
        ([schema(keys=("no",), id=TEXT)], "no property for the key 'no'"),
        ([schema()], "its SCHEMA has no properties"),
        ([schema("_state", id=TEXT)], "the loader keeps STATE in a table of this name"),
        ([schema(id=TEXT, **{"n" * 64: TEXT})], "has more than 63 bytes"),
        ([schema("\u00e5" * 32, id=TEXT)], "has more than 63 bytes"),
        ([schema(id=TEXT, **{"a\nb": TEXT})], "is no name of a table or column"),
        ([schema(id=TEXT, **{'a"b': TEXT})], "is no name of a table or column"),
        ([schema(id=TEXT, **{"a\\b": TEXT})], "is no name of a table or column"),
    ],
)
def test_what_is_refused(place, lines, message):
    one = loading(place)
    one.load([schema("before", id=TEXT), record("before", id="a"), state(1)])
    with pytest.raises(LoadError, match=message):
        one.load([record("before", id="b"), *lines, state(2)])
    one.database.close()
    assert one.states == ["1"]
    assert place.rows("before") == [("a",)], "nothing behind the last STATE"


def test_a_property_that_the_schema_lacks_is_left_out_and_said(place):
    one = loading(place)
    one.load([schema(id=TEXT), record(id="a", extra=1), record(id="b"), state(1), record(id="c", extra=2), state(2)])
    one.loader.finish()
    one.database.close()
    assert place.rows("orders") == [("a",), ("b",), ("c",)]
    assert one.loader.totals.notes == [
        "stream orders: records have a property 'extra' that their SCHEMA lacks; it was left out"
    ]


def test_totals_count_what_was_committed(place):
    one = loading(place)
    one.load([schema(id=TEXT), record(id="a"), record(id="b"), state(1), record(id="c")])
    assert one.loader.totals.rows == {"orders": 2}
    assert one.loader.totals.commits == 1
    one.loader.finish()
    one.database.close()
    assert (one.loader.totals.rows, one.loader.totals.commits) == ({"orders": 3}, 2)


@pytest.mark.parametrize("after", ["finish", "state", "commit"])
def test_nothing_is_committed_behind_an_error(place, after):
    """A tap that ends because of an error sends its last STATE all the same: that would call lost rows loaded."""
    one = loading(place, commit_seconds=float("inf"))
    one.load([schema(id=TEXT, a=AMOUNT), record(id="x", a="1"), state(1)])
    one.loader.commit()
    one.load([record(id="y", a="2"), record(id="z", a="oops"), state(2)])
    with pytest.raises(LoadError, match="'a' of the row id=z is no number"):
        one.loader.commit()
    with pytest.raises(LoadError, match="'a' of the row id=z is no number"):
        one.loader.state("3", at_once=True) if after == "state" else getattr(one.loader, after)()
    assert one.states == ["1"]
    one.database.close()
    assert [row[0] for row in place.rows("orders")] == ["x"]


def test_nothing_is_committed_behind_a_fault_of_ours(place, monkeypatch):
    one = loading(place)
    one.load([schema(id=TEXT), record(id="x"), state(1), record(id="y")])
    monkeypatch.setattr(one.database, "stage", lambda _batch: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        one.load([state(2)])
    with pytest.raises(LoadError, match=r"the load broke off \(ZeroDivisionError\)"):
        one.loader.finish()
    one.database.close()
    assert one.states == ["1"]
    assert place.rows("orders") == [("x",)]


def test_a_commit_of_a_failed_transaction_is_an_error(server_place):
    """The server itself answers such a COMMIT without an error, and takes everything back."""
    database = server_place.open()
    with pytest.raises(LoadError, match="refused"):
        database.holds(Table("nowhere", (), ()), {"a": 1})
    with pytest.raises(LoadError, match="the end of a transaction: the warehouse refused"):
        database.commit("default", None)
    database.close()


def test_rows_behind_a_state_wait_where_no_key_would_tell_them_apart(place):
    one = loading(place, commit_seconds=float("inf"))
    one.load([schema(id=TEXT), schema("log", keys=(), n=INTEGER), record(id="x"), record("log", n=1), state(1)])
    assert one.loader.may_commit
    one.load([record(id="y")])
    assert one.loader.may_commit
    one.load([record("log", n=2)])
    assert not one.loader.may_commit
    one.load([state(2)])
    assert one.loader.may_commit
    one.database.close()


@pytest.mark.parametrize("links", [True, False])
def test_a_file_that_a_crash_has_left_empty_is_made_anew(file_place, monkeypatch, links):
    path = Path(file_place.url.removeprefix("duckdb:"))
    path.touch()
    if not links:
        monkeypatch.setattr("os.link", Mock(side_effect=PermissionError))
    load(file_place, schema(id=TEXT), record(id="a"), state(1))
    assert file_place.rows("orders") == [("a",)]
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def test_memory_is_what_the_rows_that_are_replaced_take_whatever_the_machine(file_place, monkeypatch):
    """A machine of sixteen processors had no memory for two million rows that came again, nor had two for five."""
    monkeypatch.setattr(duck, "REPLACED_ROW_BYTES", 1 << 20)
    rows = [record(id=str(number)) for number in range(5)]
    one = loading(file_place)
    assert one.database.select("select current_setting('threads')") == [(2,)]

    def limit() -> str:
        return one.database.select("select current_setting('memory_limit')")[0][0]

    assert limit() == "88.0 MiB"
    one.load([schema(id=TEXT), schema("refunds", id=TEXT), *rows, record(stream="refunds", id="a"), state(1)])
    one.loader.commit()
    assert limit() == "94.0 MiB"  # the rows of all streams of a transaction
    one.load([*rows[:2], state(2)])
    one.loader.commit()
    assert limit() == "94.0 MiB"
    one.load([*rows, *rows[:3], state(3)])
    one.loader.finish()
    assert limit() == "96.0 MiB"
    one.database.close()


def test_rows_that_others_have_doubled_in_a_file_are_one_again(file_place):
    load(file_place, schema(id=TEXT, n=INTEGER), record(id="a", n=1), record(id="b", n=1), state(1))
    database = file_place.open()
    database._run("insert into billing.orders from billing.orders where id = 'a'")
    database._commit()
    database.close()
    load(file_place, schema(id=TEXT, n=INTEGER), record(id="a", n=2), state(2))
    assert file_place.rows("orders") == [("a", 2), ("b", 1)]


def test_rows_are_replaced_slice_by_slice(file_place, monkeypatch):
    monkeypatch.setattr(duck, "SLICE_ROWS", 2)
    load(file_place, schema(id=TEXT, n=INTEGER), *(record(id=str(n), n=0) for n in range(5)), state(1))
    again = [record(id=str(n), n=n) for n in (3, 0, 8, 1, 4, 3, 9, 2, 0)]
    load(file_place, schema(id=TEXT, n=INTEGER), *again, state(2))
    assert file_place.rows("orders") == [(str(n), n) for n in (0, 1, 2, 3, 4, 8, 9)]
