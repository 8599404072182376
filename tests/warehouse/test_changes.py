"""A stream whose SCHEMA changes: between two loads, and in the middle of one."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tap_billing_reports.warehouse.errors import LoadError
from tests.sampling import each
from tests.warehouse.lines import AMOUNT, BOOLEAN, DAY, INSTANT, INTEGER, NUMBER, TEXT, record, schema, state
from tests.warehouse.places import load, loading


def test_a_column_that_comes_in_the_middle(place):
    one = loading(place, commit_seconds=float("inf"))
    one.load([schema(id=TEXT), record(id="a"), record(id="b"), state(1)])
    one.load([schema(id=TEXT, new=TEXT), record(id="b", new="x"), record(id="c", new="y"), state(2)])
    one.load([schema(id=TEXT, new=TEXT, more=AMOUNT), record(id="a", more="1.5"), state(3)])
    one.loader.finish()
    one.database.close()
    assert one.states == ["3"]
    assert place.rows("orders") == [("a", None, Decimal("1.5")), ("b", "x", None), ("c", "y", None)]


def test_a_column_that_comes_and_goes_with_each_piece(place):
    wide, narrow = schema(id=TEXT, extra=TEXT), schema(id=TEXT)
    load(place, wide, record(id="a", extra="1"), narrow, record(id="b"), wide, record(id="b", extra="2"), narrow,
         record(id="a"), state(1))  # fmt: skip
    assert place.rows("orders") == [("a", "1"), ("b", "2")]


@pytest.mark.parametrize(
    ("before", "first", "after", "second", "found"),
    [
        (INTEGER, 5, AMOUNT, "7.25", [Decimal(5), Decimal("7.25")]),
        (INTEGER, 5, NUMBER, 7.25, [Decimal(5), Decimal("7.25")]),
        (AMOUNT, "7.25", INTEGER, 5, [Decimal("7.25"), Decimal(5)]),
        (INTEGER, 5, TEXT, "five", ["5", "five"]),
        (BOOLEAN, True, TEXT, "perhaps", ["true", "perhaps"]),
        (TEXT, "perhaps", BOOLEAN, True, ["perhaps", "true"]),
        (DAY, "2026-01-31", TEXT, "soon", ["2026-01-31", "soon"]),
        (TEXT, "five", INTEGER, 5, ["five", "5"]),
        (TEXT, "five", AMOUNT, "5.50", ["five", "5.50"]),
    ],
)
@pytest.mark.parametrize("at_once", [False, True])
def test_a_type_that_changes(place, before, first, after, second, found, at_once):
    messages = [schema(id=TEXT, v=before), record(id="a", v=first), state(1)]
    more = [schema(id=TEXT, v=after), record(id="b", v=second), record(id="b", v=second), state(2)]
    if at_once:
        load(place, *messages, *more, commit_seconds=float("inf"))
    else:
        load(place, *messages)
        load(place, *more)
    assert place.rows("orders") == [("a", found[0]), ("b", found[1])]


@pytest.mark.parametrize(("before", "after"), [(DAY, INSTANT), (INSTANT, AMOUNT), (BOOLEAN, INTEGER), (AMOUNT, DAY)])
def test_a_type_that_cannot_be_held(place, before, after):
    load(place, schema(id=TEXT, v=before), record(id="a"), state(1))
    with pytest.raises(LoadError, match=r"stream orders: column 'v' holds values of kind .*; rename the column"):
        load(place, schema(id=TEXT, v=after), record(id="b"), state(2))
    assert place.rows("orders") == [("a", None)]


def test_amounts_that_become_text_keep_their_digits_in_postgres(server_place):
    load(server_place, schema(id=TEXT, v=AMOUNT), record(id="a", v="10.50"), state(1))
    load(server_place, schema(id=TEXT, v=TEXT), record(id="b", v="n/a"), state(2))
    assert server_place.rows("orders") == [("a", "10.50"), ("b", "n/a")]


def test_another_key(server_place):
    load(server_place, schema(id=TEXT, other=TEXT), record(id="a", other="b"), state(1))
    with pytest.raises(LoadError, match=r"the table that is there has the key \(id\), the stream has \(id, other\)"):
        load(server_place, schema(keys=("id", "other"), id=TEXT, other=TEXT), record(id="a", other="b"), state(2))


def test_a_table_of_somebody_else(place):
    database = place.open()
    database.close()
    if place.engine == "postgres":
        import psycopg

        with psycopg.connect(place.url) as connection:
            connection.execute("create table billing.orders (id varchar(20), f double precision)")
    else:
        import duckdb

        with duckdb.connect(place.url[7:]) as connection:
            connection.execute("create table billing.orders (id varchar, f double)").fetchall()
    with pytest.raises(
        LoadError, match=r"a column '(id|f)' of type (character varying\(20\)|DOUBLE), which this loader"
    ):
        load(place, schema(id=TEXT, f=NUMBER), record(id="a"), state(1))


def test_many_streams_and_columns_in_one_transaction(place):
    streams = len(each(range(20), 2))
    columns = {f"c{n}": TEXT for n in range(300)}
    lines = [schema(f"s{n}", id=TEXT, **columns) for n in range(streams)]
    lines += [record(f"s{n}", id="a", c7=str(n)) for n in range(streams)]
    load(place, *lines, state(1))
    found = [place.query(f'select c7 from "billing"."s{n}"') for n in range(streams)]
    assert found == [[(str(n),)] for n in range(streams)]
