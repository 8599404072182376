"""NDJSON: names within each other, exact digits, and lines that are refused by their number."""

from __future__ import annotations

import io
from decimal import Decimal

import pytest

from tap_billing_reports.core.columns import Column, unique_names
from tap_billing_reports.core.errors import FileError
from tap_billing_reports.declare.csv_form import instants, minor_units
from tap_billing_reports.reports.files.readers import NotPlain
from tap_billing_reports.reports.files.readers.ndjson import NdjsonReader

TYPES = {"n": "integer", "d": "decimal", "t.d": "decimal", "b": "boolean", "at": "timestamp_utc"}


def reader_of(data, types=TYPES, **more):
    data = data.encode() if isinstance(data, str) else data

    def resolve(header):
        names = unique_names(header, {"row_number"})
        return [Column(cell, name, types.get(cell, "text")) for cell, name in zip(header, names, strict=True)]

    return NdjsonReader(io.BytesIO(data), size=len(data), resolve=resolve, **more)


def rows_of(reader):
    return [[getattr(row, column.name) for column in chunk.columns] for chunk in reader.chunks() for row in chunk.rows]


@pytest.mark.parametrize("block", [1, 30, 1 << 16])
def test_names_digits_and_what_a_line_does_not_have(block):
    data = (
        '\ufeff{"n":1,"d":0.10,"t":{"d":-5}}\n'
        "\n"
        '{"d":12345678901234567890.000000001,"b":true,"list":[1,{"x":2.50}],"t":{},"s":"\u00e5 \\ud83d\\ude00"}\r\n'
        '{"d":null,"b":false,"t":{"d":1e2,"x":"y"}}'
    )
    reader = reader_of(data, sum_of=("d", "t_d"), block=block)
    assert reader.header == ("n", "d", "t.d", "b", "list", "s", "t.x")
    assert rows_of(reader) == [
        [1, "0.10", "-5", None, None, None, None],
        [None, "12345678901234567890.000000001", None, True, '[1,{"x":2.50}]', "\u00e5 \U0001f600", None],
        [None, None, "100", False, None, None, "y"],
    ]
    assert (reader.rows, reader.blank_lines) == (3, 1)
    assert reader.sums == {"d": Decimal("12345678901234567890.100000001"), "t_d": Decimal(95)}
    with pytest.raises(NotPlain):
        list(reader.arrays())


@pytest.mark.parametrize("line", ['{"a\\":":"x\\":y","d": 1}', '{"a\\":" : "x\\":y" , "d" : 1}'])
def test_what_looks_like_the_end_of_a_name_is_read_as_what_it_is(line):
    reader = reader_of(line)
    assert (reader.header, rows_of(reader)) == (('a":', "d"), [['x":y', "1"]])


def test_forms_of_values():
    data = '{"d":1050,"currency":"NOK","at":"2026-11-18T01:00:00.5+0100"}\n{"d":"7","currency":"JPY"}\n'
    reader = reader_of(data, cells={"d": minor_units("currency"), "at": instants()})
    assert [row[0] for row in rows_of(reader)] == ["10.50", "7"]
    assert rows_of(reader)[0][2].startswith("2026-11-18T00:00:00")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("[1]", "it is no JSON object"),
        ('{"d":1', "it is no JSON object"),
        ('{"d":1} {"d":2}', "it is no JSON object"),
        ('{"d":NaN}', "it is no JSON object"),
        ('{"d":"ten"}', "column 'd' does not hold a value of type decimal"),
        ('{"d":1,"d":2}', "the name 'd' stands there twice"),
        ('{"d" :1,"d":2}', "the name 'd' stands there twice"),
        ('{"d"\t: 1, "t": {"d"\t: 3}, "d" : 1}', "the name 'd' stands there twice"),
        ('{"x":[{"d":1,"d":2}]}', "the name 'd' stands there twice"),
        ('{"t":{"d":1,"s":"","d":1}}', "the name 'd' stands there twice"),
        ('{"t.d":1,"t":{"d":2}}', "the name 't.d' stands there twice"),
        ('{"d":1e999}', "it holds a number that is too long"),
        ('{"s":"\\u0000"}', "a text holds a NUL or half a character"),
        ('{"s":"\\ud800"}', "it is no JSON object"),
        (b'{"s":"\xff"}', "it is no JSON object"),
        ('{"a":' * 2000 + "1" + "}" * 2000, "it is"),
    ],
)
@pytest.mark.parametrize("block", [1, 1 << 16])
def test_a_line_that_cannot_be_trusted_is_refused_by_its_number(line, said, block):
    line = line.encode() if isinstance(line, str) else line
    with pytest.raises(FileError, match=f"line 2: {said}"):
        rows_of(reader_of(b'{"d":1}\n' + line + b'\n{"d":1}\n', block=block))


def test_a_file_without_a_line_has_no_rows():
    reader = reader_of(b"", sum_of=("d",))
    assert (rows_of(reader), reader.rows, reader.header, reader.sums) == ([], 0, (), {})


def test_a_file_of_another_size_is_refused():
    with pytest.raises(FileError, match="has 8 bytes where 9 were declared"):
        NdjsonReader(io.BytesIO(b'{"d":1}\n'), size=9, resolve=lambda _header: [])
