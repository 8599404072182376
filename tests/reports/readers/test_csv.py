"""CSV files: exactly read, or refused with the line."""

from __future__ import annotations

import csv as stdlib_csv
import io
from decimal import Decimal

import pytest

from tap_billing_reports.core.errors import FileError
from tap_billing_reports.reports.files.readers.csv import CsvReader
from tap_billing_reports.reports.files.readers.csv_blocks import MAX_CELL
from tests.reports.readers.reading import cells_of, csv_reader, resolver, rows_of

TYPES = {"i": "integer", "d": "decimal", "b": "boolean", "day": "date", "t": "timestamp", "u": "timestamp_utc"}
TYPED = (
    "name,i,d,b,day,t,u\r\n"
    "a,5,10.00,true,2026-02-28,2026-07-01 00:00:00,2026-07-01 00:00:00\r\n"
    "b,-7,-0.00,FALSE,28.02.2026,2026-07-01,2026-01-01 23:59:59\r\n"
    ",,,,,,\r\n"
)
TYPED_ROWS = [
    ["a", 5, "10.00", True, "2026-02-28", "2026-07-01T07:00:00Z", "2026-07-01T00:00:00Z"],
    ["b", -7, "-0.00", False, "2026-02-28", "2026-07-01T07:00:00Z", "2026-01-01T23:59:59Z"],
    [None] * 7,
]


@pytest.mark.parametrize("block", [1, 20, 1 << 16])
@pytest.mark.parametrize(
    "data",
    [TYPED, TYPED.replace("\r\n", "\n"), TYPED.replace("a,5", '"a",5'), "\ufeff" + TYPED, "\ufeff\ufeff\ufeff" + TYPED],
)
def test_types(data, block):
    reader = csv_reader(data, types=TYPES, zone="America/Los_Angeles", sum_of=("i", "d", "name"), block=block)
    assert cells_of(reader) == TYPED_ROWS
    assert reader.header == ("name", "i", "d", "b", "day", "t", "u")
    assert reader.sums == {"i": Decimal(-2), "d": Decimal("10.00")}
    assert (reader.declared_rows, dict(reader.metadata), reader.blank_lines) == (None, {}, 0)


@pytest.mark.parametrize("zone", ["UTC", "Europe/Oslo", "America/New_York", "Pacific/Kiritimati"])
@pytest.mark.parametrize("written", ["2026-11-24", "2026-11-24 00:00:00", "24.11.2026", " 2026-11-24 00:00:00 "])
def test_a_day_is_the_same_day_in_every_zone(zone, written):
    reader = csv_reader(f"day,b\n{written},true\n,\n", types=TYPES, zone=zone)
    assert cells_of(reader) == [["2026-11-24", True], [None, None]]


def test_decimals_as_numbers_keep_their_digits():
    (row,) = rows_of(csv_reader("d\n10.00\n", types=TYPES, decimals_as="number"))
    assert str(row["d"]) == "10.00"


def test_a_second_pass_starts_again():
    reader = csv_reader(TYPED, types=TYPES, sum_of=("d",))
    assert cells_of(reader) == cells_of(reader)
    assert reader.sums == {"d": Decimal("10.00")}


def test_only_selected_columns_are_read():
    data = "a,i,d\nx,not a number,1.5\n"
    reader = csv_reader(data, types=TYPES, sum_of=("d",))
    assert rows_of(reader, {"a"}) == [{"row_number": 1, "a": "x"}]
    assert reader.sums == {"d": Decimal("1.5")}
    assert rows_of(reader, ()) == [{"row_number": 1}]


def test_constants_are_in_every_row():
    constants = {"source": "stripe", "a": "not this", "hidden": 1, "row_number": 9}
    rows = rows_of(csv_reader("a\nx\ny\n"), {"a", "source", "row_number"}, constants)
    assert rows == [
        {"row_number": 1, "a": "x", "source": "stripe"},
        {"row_number": 2, "a": "y", "source": "stripe"},
    ]


def test_columns_that_resolve_to_none_are_left_out():
    data = b"a,b,c\n1,2,3\n"
    reader = CsvReader(io.BytesIO(data), size=len(data), resolve=lambda header: [None, *resolver()(header[1:2]), None])
    assert rows_of(reader) == [{"row_number": 1, "b": "2"}]
    assert reader.header == ("a", "b", "c")
    assert [column.header for column in reader.columns] == ["b"]


@pytest.mark.parametrize("answer", [[], [None, None]])
def test_a_resolver_that_errs_is_told(answer):
    with pytest.raises(ValueError):
        CsvReader(io.BytesIO(b"a\n"), size=2, resolve=lambda _: answer)


def test_a_path_and_a_file(tmp_path):
    path = tmp_path / "report.csv"
    path.write_bytes(b"a\n1\n")
    for source in (path, str(path), path.open("rb")):
        assert rows_of(CsvReader(source, size=4, resolve=resolver())) == [{"row_number": 1, "a": "1"}]
        if isinstance(source, io.BufferedReader):
            assert not source.closed
            source.close()


@pytest.mark.parametrize("block", [1, 7, 64, 1 << 16])
def test_quotes_newlines_and_unicode(block):
    rows = [
        ["plain", "x"],
        ['say "hi", she said', "two\nlines\r\nthree"],
        ["\u2028\x85\x0b", "\U0001f600" * 5],
        ["", "'"],
        ['"', '\n"\n'],
    ] * 3
    out = io.StringIO(newline="")
    writer = stdlib_csv.writer(out)
    writer.writerow(["first", "second\nline"])
    writer.writerows(rows)
    expected = [[cell or None for cell in row] for row in rows]
    assert cells_of(csv_reader(out.getvalue(), block=block)) == expected


@pytest.mark.parametrize("block", [1, 8, 1 << 16])
@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\n\n", "\r\n\r\n\n"])
def test_the_file_may_end_with_blank_lines(end, block):
    reader = csv_reader("a,b\n1,2\n3,4" + end, block=block)
    assert cells_of(reader) == [["1", "2"], ["3", "4"]]
    assert reader.blank_lines == max(0, end.count("\n") - 1)


@pytest.mark.parametrize("block", [1, 1 << 16])
def test_a_header_alone_is_no_rows(block):
    assert rows_of(csv_reader("a,b\n", block=block)) == []
    assert rows_of(csv_reader("a,b", block=block)) == []


GOOD = "a,i,d\n" + "x,1,1.0\n" * 20

# what: data, the line at which it is refused
REFUSED = {
    "empty": ("", 1),
    "only a mark": ("\ufeff", 1),
    "only marks": ("\ufeff\ufeff", 1),
    "blank header": ("\n1,2\n", 1),
    "header without a name": ("a,,c\n1,2,3\n", 1),
    "header twice": ("a,b,a\n1,2,3\n", 1),
    "too wide": (GOOD + "x,1,1.0,\n", 22),
    "too narrow": (GOOD + "x,1\n" + GOOD, 22),
    "blank line within": (GOOD + "\n" + "x,1,1.0\n", 22),
    "narrow and wide": ("a,i,d\nx,1\n1.0,x,1,1.0\n", 2),
    "line breaks that look like cells": ("a,i,d\nx\ny,1\n", 2),
    "quote never closed": (GOOD + '"x,1,1.0\n' + GOOD, 22),
    "text after a quote": (GOOD + '"x"y,1,1.0\n', 22),
    "no integer": (GOOD + "x,1.0,1.0\n", 22),
    "integer with zeros": (GOOD + "x,007,1.0\n", 22),
    "no decimal": (GOOD + "x,1,1e3\n", 22),
    "decimal comma": (GOOD + 'x,1,"1,5"\n', 22),
    "two decimals in a cell": (GOOD + 'x,1,"1\n2"\n', 22),
    "after lines in quotes": ('a,i,d\n"x\ny\nz",1,1\n"x\ny",bad,1\n', 5),
    "carriage returns": ("a,i,d\rx,1,1\r", 1),
    "stray carriage return": (GOOD + "x\ry,1,1.0\n", 22),
    "NUL": (GOOD + "x\0,1,1.0\n", 22),
    "not UTF-8": (GOOD.encode() + b"\xe6\xf8,1,1.0\n", 22),
    "UTF-16": (GOOD.encode("utf-16"), 1),
    "huge cell": ('a,i,d\n"' + "x" * (MAX_CELL + 1) + '",1,1\n', 2),
    "NaN": (GOOD + "x,1,NaN\n", 22),
    "arabic digits": (GOOD + "x,\u0661,1\n", 22),
}


@pytest.mark.parametrize("block", [1, 50, 1 << 16])
@pytest.mark.parametrize("what", REFUSED)
def test_refused_with_its_line(what, block):
    data, line = REFUSED[what]
    if what == "huge cell" and block == 1:
        block = 1000
    with pytest.raises(FileError) as refusal:
        rows_of(csv_reader(data, types=TYPES, block=block))
    assert refusal.value.line == line


@pytest.mark.parametrize(
    ("type_", "cell"),
    [
        ("b", "yes"),
        ("day", "2026-02-30"),
        ("day", "2026-11-24 01:00:00"),
        ("day", "2026-11-24 00:00:01"),
        ("day", "2026-11-24T00:00:00Z"),
        ("day", "2026-11-24 00:00:00 00:00:00"),
        ("t", "2026-02-28T00:00:00Z"),
        ("u", "25:00"),
    ],
)
def test_cells_of_another_type(type_, cell):
    with pytest.raises(FileError, match=f"column '{type_}'") as refusal:
        rows_of(csv_reader(f"x,{type_}\nok,\nbad,{cell}\n", types=TYPES))
    assert refusal.value.line == 3
    assert cell not in str(refusal.value)


@pytest.mark.parametrize("size", [0, 5, 7, 1000])
def test_another_size_is_refused_at_once(size):
    with pytest.raises(FileError, match="declared"):
        csv_reader("a\n1\n2\n", size=size)


def test_a_file_that_changes_meanwhile_is_refused():
    data = io.BytesIO(b"a,b\n" + b"1,2\n" * 1000)
    reader = CsvReader(data, size=4004, resolve=resolver(), block=100)
    chunks = reader.chunks()
    next(chunks)
    data.truncate(2000)
    with pytest.raises(FileError, match="changed"):
        list(chunks)


def test_surrounding_blanks_of_typed_cells_are_no_matter():
    reader = csv_reader("i,d,b,day\n 1 , 2.50, true ,2026-01-01 \n , , , \n", types=TYPES)
    assert cells_of(reader) == [[1, "2.50", True, "2026-01-01"], [None] * 4]


@pytest.mark.parametrize("last", ["", " 2026-03-08 10:30:00 \n"])
def test_repeated_local_times_are_counted(last):
    data = "t\n" + "2026-11-01 01:30:00\n" * 3 + "2026-03-08 02:30:00\n" + last
    reader = csv_reader(data, types=TYPES, zone="America/Los_Angeles")
    assert cells_of(reader)[:4] == [["2026-11-01T08:30:00Z"]] * 3 + [["2026-03-08T10:30:00Z"]]
    assert (reader.ambiguous_times, reader.nonexistent_times) == (3, 1)


def test_the_limit_of_the_csv_module_is_left_alone():
    before = stdlib_csv.field_size_limit(12345)
    try:
        data = 'a,b\n"' + "x" * 500_000 + '",1\n'
        assert len(rows_of(csv_reader(data))[0]["a"]) == 500_000
        with pytest.raises(FileError):
            rows_of(csv_reader(data + '"'))
        assert stdlib_csv.field_size_limit() == 12345
    finally:
        stdlib_csv.field_size_limit(before)


def test_sums_are_exact_or_refused():
    reader = csv_reader("d\n" + "0.10\n" * 1000, types=TYPES, sum_of=("d",))
    rows_of(reader)
    assert str(reader.sums["d"]) == "100.00"
    with pytest.raises(FileError, match="exactly"):
        rows_of(csv_reader("d\n1" + "0" * 300 + "\n0." + "0" * 300 + "1\n", types=TYPES, sum_of=("d",)))
