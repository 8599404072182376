"""examples/dlt as far as it goes without dlt: messages become rows with exact values, or are refused."""

from __future__ import annotations

import json
import sys
from datetime import date, datetime, timezone
from decimal import Decimal
from typing import Any

import pytest

from tests.examples.places import DLT

if str(DLT) not in sys.path:
    sys.path.append(str(DLT))

from singer_messages import ROWS_AT_ONCE, MessageError, Reader, exact, kind_of

PROPERTIES: dict[str, dict[str, Any]] = {
    "id": {"type": "string"},
    "net": {"type": ["string", "null"], "format": "x-singer.decimal"},
    "rate": {"type": ["null", "number"]},
    "day": {"type": ["string", "null"], "format": "date"},
    "at": {"type": ["string", "null"], "format": "date-time"},
    "count": {"type": ["integer", "null"]},
    "open": {"type": ["boolean", "null"]},
    "more": {"type": ["object", "null"]},
    "mixed": {"type": ["integer", "string"]},
}
SCHEMA = {"type": "SCHEMA", "stream": "s", "schema": {"properties": PROPERTIES}, "key_properties": ["id"]}


def read(*messages):
    reader = Reader()
    lines = [one if isinstance(one, str) else json.dumps(one) for one in messages]
    return reader, [(batch.table.name, batch.rows) for batch in reader.read(lines)]


def record(stream="s", **values):
    return {"type": "RECORD", "stream": stream, "record": {"id": "a", **values}}


def test_values_are_exact_and_typed():
    line = (
        '{"type": "RECORD", "stream": "s", "record": {"id": "a", "net": "-12345678901234567890123456.123456789012", '
        '"rate": 0.1000000000000000055, "day": "2026-03-01", "at": "2026-03-01T05:06:07.123456Z", "count": 7, '
        '"open": true, "more": {"a": [1]}, "mixed": 3}}'
    )
    with pytest.raises(MessageError, match="'rate' of the row id=a has more digits"):
        read(SCHEMA, line)
    _, ((_, (row,)),) = read(SCHEMA, line.replace("0.1000000000000000055", "0.100000000001"))
    assert row == {
        "_sdc_sequence": 1,
        "id": "a",
        "net": Decimal("-12345678901234567890123456.123456789012"),
        "rate": Decimal("0.100000000001"),
        "day": date(2026, 3, 1),
        "at": datetime(2026, 3, 1, 5, 6, 7, 123456, timezone.utc),
        "count": 7,
        "open": True,
        "more": {"a": [1]},
        "mixed": "3",
    }
    assert not any(isinstance(value, float) for value in row.values())


@pytest.mark.parametrize("text", ["0", "-0.000000000001", "1E+25", "0.10000000000000000", "99999999999999999999999999"])
def test_an_amount_that_fits(text):
    assert exact(text) == Decimal(text)


@pytest.mark.parametrize("text", ["0.0000000000001", "1E+26", "NaN", "-Infinity", "1,5", ""])
def test_an_amount_that_would_not_be_the_same_is_refused_and_not_shown(text):
    with pytest.raises(MessageError, match="stream s: 'net' of the row id=a") as refused:
        read(SCHEMA, record(net=text))
    assert not text or text not in str(refused.value)


def test_columns_have_the_types_that_dlt_is_told():
    _, _ = read(SCHEMA)
    told = {name: kind_of(schema).hints["data_type"] for name, schema in PROPERTIES.items()}
    assert told == {
        "id": "text", "net": "decimal", "rate": "decimal", "day": "date", "at": "timestamp", "count": "bigint",
        "open": "bool", "more": "json", "mixed": "text",
    }  # fmt: skip
    assert {kind_of(PROPERTIES[name]).hints["scale"] for name in ("net", "rate")} == {12}


def test_state_is_never_ahead_of_its_rows_and_the_last_one_counts():
    lines = [json.dumps(one) for one in (SCHEMA, record(), {"type": "STATE", "value": {"n": 1}}, record(), record())]
    reader = Reader()
    batches = reader.read([*lines, json.dumps({"type": "STATE", "value": {"n": 0.1}})])
    assert [row["_sdc_sequence"] for row in next(batches).rows] == [1]
    assert reader.state is None
    assert [row["_sdc_sequence"] for row in next(batches).rows] == [3, 4]
    assert reader.state == '{"n": 1}'
    assert list(batches) == []
    assert reader.state == '{"n": 0.1}', "as the tap wrote it"


def test_rows_come_in_the_order_of_their_messages():
    other = {**SCHEMA, "stream": "t"}
    many = [record(count=n) for n in range(ROWS_AT_ONCE + 1)]
    _, batches = read(SCHEMA, other, *many, record("t"), record())
    assert [(name, len(rows)) for name, rows in batches] == [("s", ROWS_AT_ONCE), ("s", 1), ("t", 1), ("s", 1)]
    assert [row["count"] for _, rows in batches[:2] for row in rows] == list(range(ROWS_AT_ONCE + 1))


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (record("nobody"), "stream nobody: a RECORD came before its SCHEMA"),
        (record(canary="secret"), "the record has 'canary', which its SCHEMA does not declare"),
        (record(at="2026-03-01T05:06:07"), "'at' of the row id=a has no time zone"),
        ({"type": "BATCH"}, "a message of the type BATCH cannot be loaded"),
    ],
)
def test_what_cannot_be_loaded_is_refused(message, said):
    with pytest.raises(MessageError) as refused:
        read(SCHEMA, message)
    assert said in str(refused.value)
    assert "secret" not in str(refused.value)
