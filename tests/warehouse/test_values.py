"""Each value arrives exactly, or is refused with its place."""

from __future__ import annotations

import json
from datetime import date, datetime, timezone
from decimal import Decimal
from typing import Any

import pytest

from tap_billing_reports.core.errors import ConfigError
from tap_billing_reports.warehouse.columns import Form, Kind, column_of
from tap_billing_reports.warehouse.errors import LoadError, Misfit
from tests.warehouse.lines import AMOUNT, BOOLEAN, DAY, INSTANT, INTEGER, NUMBER, OBJECT, TEXT, record, schema, state
from tests.warehouse.places import load, loading


@pytest.mark.parametrize(
    ("declared", "kind", "form"),
    [
        ({"type": "string"}, Kind.TEXT, Form.TEXT),
        ({"type": ["null", "string"]}, Kind.TEXT, Form.TEXT),
        ({"type": ["string", "null"], "format": "date"}, Kind.DATE, Form.TEXT),
        ({"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]}, Kind.TIMESTAMP, Form.TEXT),
        ({"anyOf": [{"type": "string", "format": "date-time"}, {"type": "string"}]}, Kind.TEXT, Form.TEXT),
        (
            {"anyOf": [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}]},
            Kind.TEXT,
            Form.TEXT,
        ),
        ({"anyOf": [{"type": "string", "format": "singer.decimal"}, {"type": "number"}]}, Kind.DECIMAL, Form.NUMBER),
        ({"type": "string", "format": "x-singer.decimal"}, Kind.DECIMAL, Form.TEXT),
        ({"type": ["string", "number"], "format": "singer.decimal"}, Kind.DECIMAL, Form.NUMBER),
        ({"type": "string", "format": "email"}, Kind.TEXT, Form.TEXT),
        ({"type": ["integer", "null"]}, Kind.INTEGER, Form.INTEGER),
        ({"type": ["number", "integer"]}, Kind.DECIMAL, Form.NUMBER),
        ({"type": "boolean"}, Kind.BOOLEAN, Form.BOOLEAN),
        ({"type": ["object", "null"]}, Kind.JSON, Form.ANY),
        ({"type": "array", "items": {"type": "string"}}, Kind.JSON, Form.ANY),
        ({"type": ["string", "integer"]}, Kind.TEXT, Form.ANY),
        ({"type": ["object", "string"]}, Kind.TEXT, Form.ANY),
        ({}, Kind.TEXT, Form.ANY),
        ({"type": "null"}, Kind.TEXT, Form.ANY),
        (True, Kind.TEXT, Form.ANY),
    ],
)
def test_the_kind_of_a_property(declared, kind, form):
    column = column_of("name", declared)
    assert (column.kind, column.form) == (kind, form)


def test_each_kind(place):
    types: dict[str, Any] = {
        "d": DAY,
        "t": INSTANT,
        "i": INTEGER,
        "b": BOOLEAN,
        "a": AMOUNT,
        "n": NUMBER,
        "j": OBJECT,
        "x": {},
    }
    first: dict[str, Any] = {
        "d": "2026-02-28", "t": "2026-11-28T10:00:00.123456+02:00", "i": -(2**63), "b": True, "a": "-0010.500",
        "n": 1.25, "j": {"a": [1, None], "\u00e5": "\U0001f4b6"}, "x": [1, "a"],
    }  # fmt: skip
    second: dict[str, Any] = {"t": "2026-11-28 10:00", "i": 2**63 - 1, "b": False, "n": 5, "x": "as it is", "j": None}
    load(place, schema(id=TEXT, **types), record(id="1", **first), record(id="2", **second), state(1))
    one, two = place.rows("orders")
    day, instant, integer, boolean, amount, number, found, anything = one[1:]
    assert (day, instant) == (date(2026, 2, 28), datetime(2026, 11, 28, 8, 0, 0, 123456, timezone.utc))
    assert (integer, boolean, amount, number) == (-(2**63), True, Decimal("-10.5"), Decimal("1.25"))
    assert (json.loads(found) if isinstance(found, str) else found) == first["j"]
    assert json.loads(anything) == [1, "a"]
    assert two[2:6] == (datetime(2026, 11, 28, 10, tzinfo=timezone.utc), 2**63 - 1, False, None)
    assert two[6:] == (Decimal(5), None, "as it is")


def test_the_types_that_columns_get(place):
    types: dict[str, Any] = {"d": DAY, "t": INSTANT, "i": INTEGER, "b": BOOLEAN, "a": AMOUNT, "n": NUMBER, "j": OBJECT}
    load(place, schema(id=TEXT, **types), record(id="1"), state(1))
    amount, text, found = (
        ("decimal(38,12)", "varchar", "json") if place.engine == "duckdb" else ("numeric", "text", "jsonb")
    )
    assert place.types("orders") == {
        "id": text, "d": "date", "t": "timestamp with time zone", "i": "bigint", "b": "boolean", "a": amount,
        "n": amount, "j": found,
    }  # fmt: skip


AMOUNTS = [
    "0",
    "-0.01",
    "+7",
    "99999999999999999999999999.999999999999",
    "0010.00",
    "1E+3",
    "1.5e-3",
    " 12.30 ",
    "0E-40",
]


@pytest.mark.parametrize("text", AMOUNTS)
def test_amounts_are_exact(place, text):
    load(place, schema(id=TEXT, a=AMOUNT), record(id="1", a=text), state(1))
    ((_, found),) = place.rows("orders")
    assert found == Decimal(text.strip())


def test_postgres_keeps_the_digits_as_written(server_place):
    amounts = ["10.00", "0.0000000000000001", "9" * 39, "1." + "0" * 13, "-" + "7" * 200 + "." + "3" * 200]
    load(server_place, schema(id=TEXT, a=AMOUNT), *[record(id=text, a=text) for text in amounts], state(1))
    assert all(str(name) == format(found, "f") for name, found in server_place.rows("orders"))


@pytest.mark.parametrize("text", ["752734780977167610260881695", "9" * 39, "1.1234567890123", "1e26", "-1e-13"])
def test_duckdb_refuses_digits_that_do_not_fit(file_place, text):
    lines = [schema(id=TEXT, a=AMOUNT), record(id="fits", a="1"), record(id="too-long", a=text)]
    with pytest.raises(Misfit, match="column 'a' of the row id=too-long has more digits than the type DECIMAL") as seen:
        load(file_place, *lines, state(1))
    assert (seen.value.stream, seen.value.column, seen.value.key) == ("orders", "a", "id=too-long")
    assert file_place.tables() == ["_state"]


FRACTIONS = {"a": 0.1 + 0.2, "b": 1.2345678901234567e-7, "c": 1 / 3 * 1e-12, "d": 99999999.5, "e": -59.913868812345674}


def test_json_numbers_with_many_decimals_are_exact(place):
    """Binary fractions have up to 17 digits, wherever their point is."""
    load(place, schema(id=TEXT, n=NUMBER), record(id="first", n=1234567.5), state(1))
    for number, (name, value) in enumerate(FRACTIONS.items()):
        load(place, schema(id=TEXT, n=NUMBER), record(id=name, n=value), record(id="none"), state(number))
    held = {name: value for name, value in place.rows("orders") if value is not None}
    assert held == {name: Decimal(repr(value)) for name, value in {**FRACTIONS, "first": 1234567.5}.items()}
    if place.engine == "duckdb":
        assert place.types("orders")["n"] == "decimal(38,30)"


def test_json_numbers_with_many_decimals_behind_others_in_one_transaction(place):
    one = loading(place, commit_seconds=float("inf"))
    one.load([schema(id=TEXT, n=NUMBER, m=NUMBER), record(id="a", n=1.5, m=1), record(id="b", n=2)])
    one.loader._load(one.loader._streams["orders"])
    one.load([record(id="b", n=0.1 + 0.2), record(id="c", m=-(0.1 + 0.7)), state(1)])
    one.loader.finish()
    one.database.close()
    assert place.rows("orders") == [
        ("a", Decimal("1.5"), Decimal(1)),
        ("b", Decimal("0.30000000000000004"), None),
        ("c", None, Decimal("-0.7999999999999999")),
    ]


@pytest.mark.parametrize(
    ("first", "second"), [(1e25, 0.1 + 0.2), (0.1 + 0.2, 1e25), (1, 1e-31), ("1e25", "0.30000000000000004")]
)
def test_duckdb_refuses_json_numbers_for_which_38_digits_are_not_enough(file_place, first, second):
    load(file_place, schema(id=TEXT, n=NUMBER), record(id="a", n=first), state(1))
    with pytest.raises(Misfit, match="column 'n' of the row id=b has more digits than the type DECIMAL"):
        load(file_place, schema(id=TEXT, n=NUMBER), record(id="b", n=second), state(2))
    assert file_place.rows("orders") == [("a", Decimal(str(first)))]


@pytest.mark.parametrize(
    ("declared", "value", "reason"),
    [
        (AMOUNT, "NaN", "is no finite number"),
        (AMOUNT, "Infinity", "is no finite number"),
        (AMOUNT, "12,50", "is no number"),
        (AMOUNT, "1\n2", "is no number"),
        (AMOUNT, "", "is no number"),
        (AMOUNT, "1e999999999", "has more than 10000 digits"),
        (NUMBER, "NaN", "is no finite number"),
        (DAY, "now", "is no date"),
        (DAY, "2026-02-30", "is no day or instant of the calendar"),
        (DAY, "2026-01-01T00:00:00Z", "is no date"),
        (DAY, "2026-01-01\n2026-01-02", "is no date"),
        (INSTANT, "infinity", "is no instant"),
        (INSTANT, "yesterday", "is no instant"),
        (INSTANT, "2026-01-01T00:00:00Z\n2026-01-02T00:00:00Z", "is no instant"),
        (INSTANT, "2026-13-01T00:00:00Z", "is no day or instant of the calendar"),
        (INTEGER, 2**63, "is beyond 64 bits"),
        (INTEGER, -(2**63) - 1, "is beyond 64 bits"),
    ],
)
def test_a_value_that_does_not_fit_is_refused(place, declared, value, reason):
    lines = [schema(id=TEXT, a=declared), record(id="good"), record(id="bad", a=value)]
    with pytest.raises(LoadError, match=reason):
        load(place, *lines, state(1))
    assert "orders" not in place.tables() or place.rows("orders") == []


def test_texts_that_no_database_takes(place):
    one = loading(place)
    texts: dict[str, Any] = {"id": "a\0b", "j": {"k\0": ["\ud800", "\U0001f4b6"]}, "x": "half \udc00"}
    one.load([schema(id=TEXT, j=OBJECT, x={}), record(**texts), record(id="plain"), state(1)])
    one.loader.finish()
    one.database.close()
    first, second = place.rows("orders")
    assert (first[0], first[2], second[0]) == ("a\ufffdb", "half \ufffd", "plain")
    assert (json.loads(first[1]) if isinstance(first[1], str) else first[1]) == {"k\ufffd": ["\ufffd", "\U0001f4b6"]}
    assert one.loader.totals.notes == ["stream orders: 4 texts held NUL or half a character; U+FFFD stands for it"]


def test_an_escaped_backslash_is_no_escape(place):
    load(place, schema(id=TEXT), record(id="\\u0000"), state(1))
    assert place.rows("orders") == [("\\u0000",)]


def test_texts_of_every_kind(place):
    texts = [
        "",
        " ",
        "\\N",
        "\\",
        "a\tb\nc\rd",
        "'",
        '"',
        "NULL",
        "null",
        "\u00e5\u4e2d\U0001f4b6",
        "x" * 100_000,
        "\x01\x1f\x7f",
    ]
    load(
        place, schema(n=INTEGER, keys=("n",), t=TEXT), *[record(n=n, t=text) for n, text in enumerate(texts)], state(1)
    )
    assert dict(place.rows("orders")) == dict(enumerate(texts))


def test_a_cell_of_sixteen_mib(place):
    text = "x" * ((16 << 20) - 100)
    load(place, schema(id=TEXT, t=TEXT), record(id="a", t=text), state(1))
    ((size,),) = place.query('select length(t) from "billing"."orders"')
    assert size == len(text)


def test_names_of_all_kinds(place):
    names = {
        "select": TEXT,
        "Order ID": TEXT,
        "a'b": TEXT,
        "%s": TEXT,
        "{}": TEXT,
        "class": TEXT,
        "1": TEXT,
        "\u00e5": TEXT,
    }
    names["n" * 63] = TEXT
    values: dict[str, Any] = {name: f"of {place}" for place, name in enumerate(names)}
    load(place, schema("User", ("select",), **names), record("User", **values), state(1))
    load(place, schema("User", ("select",), **names), record("User", **values), record("User", select="2"), state(1))
    assert place.rows("User")[1] == tuple(values.values())
    assert list(place.types("User")) == list(names)


def test_columns_that_differ_in_capitals_alone(place):
    lines = [schema(id=TEXT, Id=TEXT), record(id="a", Id="b"), state(1)]
    if place.engine == "postgres":
        load(place, *lines)
        assert place.rows("orders") == [("a", "b")]
    else:
        with pytest.raises(LoadError, match="the columns 'id' and 'Id' are one and the same to DuckDB"):
            load(place, *lines)


def test_streams_that_differ_in_capitals_alone(place):
    lines = [schema("orders", id=TEXT), schema("Orders", id=TEXT), record("Orders", id="b"), state(1)]
    if place.engine == "postgres":
        load(place, *lines)
        assert place.tables() == ["Orders", "_state", "orders"]
    else:
        load(place, lines[0], state(1))
        for given in (lines, lines[1:]):
            with pytest.raises(LoadError, match="stream Orders: DuckDB takes its table for 'orders'"):
                load(place, *given)


@pytest.mark.parametrize("name", ["s" * 64, "\u00e5" * 32, "", 'a"b', "a\0b"])
def test_a_schema_that_no_database_could_hold(place, name):
    with pytest.raises(ConfigError, match="schema"):
        place.open(name)
    place.open("s" * 63).close()


def test_a_text_that_may_be_an_instant(place):
    either = {"anyOf": [{"type": "string", "format": "date-time"}, {"type": ["string", "null"]}]}
    load(place, schema(id=TEXT, at=either), record(id="a", at="2026-01-01T00:00:00Z"), record(id="b", at="soon"))
    assert place.rows("orders") == [("a", "2026-01-01T00:00:00Z"), ("b", "soon")]


@pytest.mark.parametrize(("kind", "value"), [(DAY, "0000-01-01"), (INSTANT, "0000-01-01T00:00:00Z")])
def test_there_was_no_year_0(place, kind, value):
    with pytest.raises(LoadError, match=r"'v' of the row id=a is no (date|instant) in the form"):
        load(place, schema(id=TEXT, v=kind), record(id="a", v=value), state(1))
