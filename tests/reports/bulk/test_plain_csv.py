"""One pass through pyarrow gives exactly what our reader gives, or nothing: on good files and on hostile ones."""

from __future__ import annotations

import io
import os
import string
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, cast
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tap_billing_reports.core.columns import Column, ColumnType
from tap_billing_reports.core.errors import FileError
from tap_billing_reports.reports.files.readers import NotPlain, csv_arrow
from tap_billing_reports.reports.files.readers.csv import CsvReader
from tests.reports.bulk.test_parquet_files import facts
from tests.reports.readers.reading import rows_of

TYPES = ("text", "currency", "integer", "decimal", "boolean", "date", "timestamp", "timestamp_utc", "left out")
ZONES = ("UTC", "America/Los_Angeles", "Europe/Oslo", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Kolkata")

days = st.dates(date(1905, 1, 1), date(2036, 12, 31)).map(str)
moments = st.builds("{} {:%H:%M:%S}".format, days, st.times())
# Half hours of days on which a clock changes somewhere.
changes = st.builds(
    lambda day, step: f"{datetime.fromisoformat(day) + timedelta(minutes=30 * step):%Y-%m-%d %H:%M:%S}",
    st.sampled_from(["2026-03-08", "2026-03-29", "2026-10-04", "2026-10-25", "2026-11-01", "2026-02-15"]),
    st.integers(0, 47),
)
plain_words = st.text(st.sampled_from("ab åæ€😀.-'"), max_size=6)
digits = st.text(string.digits, min_size=1, max_size=20)
GOOD: dict[str, Any] = {
    "text": plain_words,
    "left out": plain_words,
    "currency": st.sampled_from(["nok", "NOK", "uSd"]),
    "integer": st.integers(-(2**63), 2**63 - 1).map(str) | st.integers(-20, 20).map(str),
    "decimal": st.decimals(-(10**20), 10**20, places=2).map(str) | st.sampled_from(["0", "-0.00", "+1.5", "007.10"]),
    "boolean": st.sampled_from(["true", "false"]),
    "date": days,
    "timestamp": moments | days | changes,
    "timestamp_utc": moments | days,
}
WORDS = """007 -0 +5 0x1F 1e5 1E-3 NaN inf 1. .5 --1 1_000 TRUE True 1 yes null N/A 9223372036854775808 - x"y "x" "x
99999999999999999999999999.999999999999 100000000000000000000000000 0.0000000000001 0.0000000000000
2026-02-30 2026-2-3 03.02.2026 0000-01-01 9999-12-31 1800-01-01 2026-01-01T00:00:00 2026-01-01T00:00:00Z
2037-07-01 2026-13-01 24:00:00"""
ODD = [
    *WORDS.split(),
    *(
        " 1",
        "1 ",
        "1\t",
        "\u00a01",
        "\u0663",
        "  ",
        "1,5",
        "a\nb",
        "a\r\nb",
        "a\rb",
        '"',
        '""',
        "\ufeff",
        "\0",
        "x" * 40,
    ),
    *("2026-01-01 24:00:00", "2026-01-01 23:59:60", "2026-01-01 10:00", "2026-01-01 10:00:00.5", "2026-01-01 "),
]
PIECES = [b'"', b'""', b"\n", b"\r", b"\r\n", b",", b"\0", b"\xff", b"\xed\xa0\x80", b" ", b"0", b"-"]


def quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"'


@st.composite
def files(draw: Any, *, hostile: bool) -> tuple[bytes, tuple[str, ...], str]:
    """A file, the types of its columns, and its zone."""
    types = tuple(draw(st.lists(st.sampled_from(TYPES), min_size=2, max_size=5)))
    lines = [[f"c{place}" for place in range(len(types))]]
    lines += [[draw(st.just("") | GOOD[kind]) for kind in types] for _ in range(draw(st.integers(0, 8)))]
    if hostile and draw(st.booleans()):
        cells = draw(st.sampled_from(lines))
        cells[draw(st.integers(0, len(cells) - 1))] = draw(st.sampled_from(ODD))
    end = draw(st.sampled_from(["\n", "\r\n"]))
    text = draw(st.sampled_from(["", "\ufeff", "\ufeff\ufeff"]))
    for cells in lines:
        ways = draw(st.lists(st.sampled_from([str, quoted]), min_size=len(cells), max_size=len(cells)))
        # Text that needs quotes gets them, but for files that are to be wrong.
        bare = hostile and draw(st.integers(0, 3)) == 0
        text += ",".join(
            quoted(cell) if not bare and set(cell) & set('",\r\n') else way(cell)
            for cell, way in zip(cells, ways, strict=True)
        )
        text += end
    data = text.removesuffix(end).encode() if draw(st.booleans()) else text.encode()
    if hostile and draw(st.booleans()):
        place = draw(st.integers(0, len(data)))
        data = data[:place] + draw(st.sampled_from(PIECES)) + data[place + draw(st.integers(0, 1)) :]
    return data, types, draw(st.sampled_from(ZONES))


def open_reader(data: bytes, types: tuple[str, ...], zone: str) -> CsvReader:
    def resolve(header: tuple[str, ...]) -> list[Column | None]:
        kinds = [*types, *["text"] * len(header)][: len(header)]
        return [
            None if kind == "left out" else Column(cell, f"c{place}", cast("ColumnType", kind))
            for place, (cell, kind) in enumerate(zip(header, kinds, strict=True))
        ]

    names = [f"c{place}" for place in range(len(types))]
    # Small blocks: opened, it has seen the header and little more.
    return CsvReader(io.BytesIO(data), size=len(data), resolve=resolve, zone=zone, sum_of=names, block=8)


def values_of(reader: CsvReader, rows: list[dict[str, Any]]) -> list[list[Any]]:
    """Our reader's rows: amounts as numbers, all else as it is."""
    kinds = {column.name: column.type for column in reader.columns}
    return [
        [Decimal(value) if value and kinds.get(name) == "decimal" else value for name, value in row.items()][1:]
        for row in rows
    ]


def arrays_of(reader: CsvReader) -> list[list[Any]]:
    """The rows of the one pass, dates and instants as our reader writes them."""
    found = []
    for count, arrays in reader.arrays():
        assert list(arrays) == [column.name for column in reader.columns]
        columns = [array.to_pylist() for array in arrays.values()]
        assert {len(column) for column in columns} <= {count}
        found += [[as_text(value) for value in row] for row in zip(*columns, strict=True)] if columns else [[]] * count
    return found


def as_text(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat() + "Z"
    return str(value) if isinstance(value, date) else value


def compare(data: bytes, types: tuple[str, ...], zone: str, block: int) -> bool:
    """Whether the one pass gave the file's rows; where it did, our reader gives the same, and tells the same."""
    with mock.patch.object(csv_arrow, "BLOCK", block):
        try:
            fast = open_reader(data, types, zone)
        except FileError:
            return False  # the header: nothing is read either way
        try:
            rows = arrays_of(fast)
        except NotPlain:
            assert (fast.rows, fast.sums, fast.ambiguous_times) == (0, {}, 0)
            return False
    ours = open_reader(data, types, zone)
    expected = values_of(ours, rows_of(ours))  # a FileError fails the test: what we refuse was accepted
    assert rows == expected
    assert facts(fast) == facts(ours)
    return True


@pytest.mark.parametrize("kind", TYPES)
def test_every_odd_cell_in_a_column_of_every_type(kind):
    """Quoted and not, and after another row, so that it can be taken for the rest of that."""
    taken = 0
    for cell in ODD:
        for written in {cell, quoted(cell), f'"{cell}"'}:
            data = f"c0,c1\n,x\n{written},y\n".encode()
            taken += compare(data, (kind, "text"), "Europe/Oslo", 1 << 20)
    assert taken, "some of them mean something in any column: an empty cell does"


def test_every_odd_piece_at_every_place():
    types = ("text", "integer", "decimal", "left out", "timestamp")
    good = b'c0,c1,c2,c3,c4\n"a ""b"",\nc",1,1.50,x,2026-10-25 02:30:00\r\nd,-2,,"",\n'
    assert compare(good, types, "Europe/Oslo", 1 << 20)
    taken = 0
    for place in range(len(good) + 1):
        for piece in PIECES:
            for rest in (place, place + 1):
                taken += compare(good[:place] + piece + good[rest:], types, "Europe/Oslo", 1 << 20)
    assert taken > 100


# `make faults` asks for many more.
@settings(max_examples=int(os.environ.get("HOSTILE_EXAMPLES", "80")))
@given(files(hostile=True), st.sampled_from([24, 64, 1 << 20]))
def test_a_hostile_file_is_read_the_same_or_not_at_all(file, block):
    data, types, zone = file
    compare(data, types, zone, block)


@settings(max_examples=50)
@given(files(hostile=False))
def test_a_good_file_is_read_in_one_pass(file):
    data, types, zone = file
    ours = open_reader(data, types, zone)
    rows_of(ours)
    assert compare(data, types, zone, 1 << 20) == (ours.nonexistent_times == 0)


@pytest.mark.parametrize("block", [40, 41, 47, 64, 1 << 20])
def test_cells_of_many_lines_may_lie_across_blocks(block):
    lines = [f'{number},"line one\nline ""two"" of {number}"\n' for number in range(50)]
    assert compare(("c0,c1\n" + "".join(lines)).encode(), ("integer", "text"), "UTC", block)


def test_a_header_of_many_lines():
    assert compare(b'"c\n0","c ""1"""\r\n1,x\r\n', ("integer", "text"), "UTC", 1 << 20)


def test_quotes_within_header_cells_swallow_no_row():
    """Counted by quotes alone, the header would end with the first row."""
    assert not compare(b'c"0,c1\nx"y,1\n2,3\n', ("text", "integer"), "UTC", 1 << 20)


@pytest.mark.parametrize("columns", [1, csv_arrow.MAX_COLUMNS + 1])
def test_tables_too_narrow_or_too_wide_are_left_to_our_reader(columns):
    line = ",".join(["1"] * columns).encode()
    header = ",".join(f"h{place}" for place in range(columns)).encode()
    assert not compare(header + b"\n" + line + b"\n", ("integer",) * columns, "UTC", 1 << 20)


def test_the_widest_table_is_plain_and_proven_in_linear_time():
    """All of its cells in the form with the most states; one block of it takes some hundredths of a second."""
    columns = csv_arrow.MAX_COLUMNS
    header = ",".join(f"h{place}" for place in range(columns))
    line = ",".join([quoted("-12345678901234567890123456.123456789012"), "99.5"] * (columns // 2))
    data = f"{header}\n{f'{line}{chr(10)}' * 100}".encode()
    assert compare(data, ("decimal",) * columns, "UTC", 1 << 20)


@pytest.mark.parametrize("cut", [1, -1])
def test_a_file_that_is_not_as_long_as_declared_is_not_plain(cut):
    data = b"c0,c1\n1,2\n3,4\n"
    reader = open_reader(data, ("integer", "integer"), "UTC")
    reader._size += cut
    with pytest.raises(NotPlain):
        list(reader.arrays())


def test_times_that_occur_twice_are_counted_once_each():
    cells = ["2026-11-01 00:59:59", "2026-11-01 01:00:00", "2026-11-01 01:59:59", "2026-11-01 02:00:00", ""]
    data = "c0,c1\n" + "".join(f"{cell},{cell}\n" for cell in cells)
    reader = open_reader(data.encode(), ("timestamp", "timestamp_utc"), "America/Los_Angeles")
    arrays_of(reader)
    assert reader.ambiguous_times == 2
    assert compare(data.encode(), ("timestamp", "timestamp_utc"), "America/Los_Angeles", 1 << 20)


def test_a_sum_beyond_what_a_column_holds_is_exact():
    largest = "99999999999999999999999999.999999999999"
    data = "c0,c1\n" + f"{largest},9223372036854775807\n" * 500
    reader = open_reader(data.encode(), ("decimal", "integer"), "UTC")
    arrays_of(reader)
    assert str(reader.sums["c0"]) == "49999999999999999999999999999.999999999500"
    assert str(reader.sums["c1"]) == str(500 * 9223372036854775807)
