"""`_first_loaded_at`: when the loader first met a row's key, however often and by whichever way the row comes again."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from tap_billing_reports.warehouse.columns import FIRST_LOADED_AT
from tests.warehouse.lines import INSTANT, INTEGER, TEXT, record, schema, state
from tests.warehouse.places import load, loading

LONG_AGO = datetime(2020, 1, 1, tzinfo=timezone.utc)


def change(place, sql):
    database = place.open()
    database._run(sql)
    database._commit()
    database.close()


def first_loaded(place):
    """When each row of `orders` was first loaded: long ago, or not."""
    found = dict(place.query(f'select id, {FIRST_LOADED_AT} from billing."orders"'))
    assert None not in found.values()
    return {name for name, at in found.items() if at == LONG_AGO}, {name for name, at in found.items() if at > LONG_AGO}


def age(place):
    change(place, f"update billing.orders set {FIRST_LOADED_AT} = '{LONG_AGO:%Y-%m-%d}'")


def test_a_row_that_comes_again_keeps_it(place):
    whole = schema(id=TEXT, n=INTEGER)
    load(place, whole, record(id="a", n=1), record(id="b", n=1), state(1))
    assert first_loaded(place) == (set(), {"a", "b"})
    age(place)
    # The same, changed, twice and new.
    rows = [record(id="a", n=1), record(id="b", n=2), record(id="c", n=1), record(id="c", n=2)]
    load(place, whole, *rows, state(2))
    assert first_loaded(place) == ({"a", "b"}, {"c"})
    assert place.rows("orders") == [("a", 1), ("b", 2), ("c", 2)]
    # Of a stream that has lost a column.
    age(place)
    load(place, schema(id=TEXT), record(id="a"), record(id="d"), state(3))
    assert first_loaded(place) == ({"a", "b", "c"}, {"d"})


def test_all_rows_come_again(place):
    whole = schema(id=TEXT, n=INTEGER)
    load(place, whole, record(id="a", n=1), record(id="b", n=1), state(1))
    age(place)
    load(place, whole, record(id="b", n=2), record(id="a", n=2), state(2))
    assert first_loaded(place) == ({"a", "b"}, set()), "which came at one instant"
    load(place, whole, record(id="c", n=1), state(3))
    load(place, whole, record(id="b", n=3), record(id="c", n=3), record(id="a", n=3), state(4))
    assert first_loaded(place) == ({"a", "b"}, {"c"}), "which came at two"
    assert place.rows("orders") == [("a", 3), ("b", 3), ("c", 3)]


def test_a_key_that_somebody_else_has_doubled(file_place):
    """In DuckDB, whose tables keep no key."""
    whole = schema(id=TEXT, n=INTEGER)
    load(file_place, whole, record(id="a", n=1), state(1))
    age(file_place)
    change(file_place, "insert into billing.orders select * from billing.orders")
    # As many rows are replaced as come.
    load(file_place, whole, record(id="a", n=2), record(id="b", n=2), state(2))
    assert file_place.rows("orders") == [("a", 2), ("b", 2)]
    assert first_loaded(file_place) == ({"a"}, {"b"})


def test_rows_of_one_transaction_that_come_in_pieces(place):
    whole = schema(id=TEXT, n=INTEGER)
    load(place, whole, record(id="a", n=1), state(1))
    age(place)
    one = loading(place, commit_seconds=float("inf"))
    for rows in ([record(id="a", n=2), record(id="b", n=1)], [record(id="b", n=2), record(id="a", n=3)]):
        one.load([whole, *rows])
        one.loader._load(one.loader._streams["orders"])
    one.load([schema(id=TEXT, n=INTEGER, more=TEXT), record(id="a", n=4), record(id="e", n=1)])
    one.loader.finish()
    one.database.close()
    assert first_loaded(place) == ({"a"}, {"b", "e"})


def test_a_table_from_before_the_column_gets_it(place):
    load(place, schema(id=TEXT), record(id="a"), state(1))
    change(place, f"alter table billing.orders drop column {FIRST_LOADED_AT}")
    load(place, schema(id=TEXT), record(id="b"), state(2))
    assert first_loaded(place) == (set(), {"a", "b"})
    age(place)
    load(place, schema(id=TEXT), record(id="a"), record(id="c"), state(3))
    assert first_loaded(place) == ({"a", "b"}, {"c"})


def test_a_stream_without_a_key_has_it_too(place):
    load(place, schema(keys=(), id=TEXT), record(id="a"), state(1))
    age(place)
    load(place, schema(keys=(), id=TEXT), record(id="b"), state(2))
    assert first_loaded(place) == ({"a"}, {"b"})


@pytest.mark.parametrize("kind", [INSTANT, TEXT])
def test_a_stream_with_such_a_property_fills_it_itself(place, kind):
    """What was loaded from one of our warehouses, for one."""
    given = schema(id=TEXT, **{FIRST_LOADED_AT: kind})
    load(place, given, record(id="a", _first_loaded_at="2021-05-06T00:00:00Z"), record(id="b"), state(1))
    load(place, given, record(id="a", _first_loaded_at="2022-05-06T00:00:00Z"), state(2))
    found = dict(place.query(f'select id, left(cast({FIRST_LOADED_AT} as varchar), 10) from billing."orders"'))
    assert found == {"a": "2022-05-06", "b": None}
