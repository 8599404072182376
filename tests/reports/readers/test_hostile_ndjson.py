"""Generated NDJSON, whole and damaged: each is read exactly as a plain parser reads it, or refused with its line."""

from __future__ import annotations

import io
import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_billing_reports.core.errors import FileError
from tap_billing_reports.reports.files.readers.ndjson import LONGEST_NUMBER, MAX_LINE, NdjsonReader
from tests.reports.readers.reading import resolver, rows_of
from tests.reports.readers.test_hostile import BLOCKS, EXAMPLES, HUGE, UNTOUCHED, damaged, pieces

NAMES = st.sampled_from(["a", "b", "c", "a.b", "\u00e5", 'q"', "x:", ""])
VALUES = st.one_of(
    st.sampled_from([None, True, False, 0, -5, 12345678901234567890, "", "1.50", '":', "\u2028", "\U0001f600"]),
    st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-(10**9), max_value=10**9),
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=6),
)
LISTS = st.lists(st.integers(-9, 9) | st.text("xy", max_size=2), max_size=2)
OBJECTS = st.dictionaries(NAMES, VALUES | LISTS | st.dictionaries(NAMES, VALUES, max_size=2), max_size=4)
DAMAGE = pieces(
    [
        b"",
        b'"',
        b",",
        b"\n",
        b"\r",
        b"\0",
        b"\xff",
        b"\xc3",
        b"{",
        b"}",
        b"[",
        b"]",
        b":",
        b"1",
        b"e9",
        b"-",
        b".",
        b"NaN",
        b"null",
        b'"a":1,',
        b"\\u0000",
        b"\\ud800",
        b"\\",
        b" ",
        b"\t",
        b'{"a":',
    ]
)
BOMBS = st.sampled_from(
    [
        *UNTOUCHED,
        lambda data: data.decode().encode("utf-16"),
        lambda data: data.decode().encode("latin-1", "replace") + b"\xe9",
        lambda data: b"\xef\xbb\xbf" + data,
        lambda data: data.replace(b"\n", b"\r\n"),
        lambda data: data.replace(b"\n", b""),
        lambda data: data + b'{"a":' * 100_000,
        lambda data: data + b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}\n",
        lambda data: data + b'{"a":1e999999999}\n',
        lambda data: data + b'{"a":1' + b"0" * 5_000 + b"}\n",
        lambda data: data + b'{"a":"' + HUGE + HUGE[: 6 << 20] + b'"}\n',
        lambda data: data + b'{"a":1,"a":2}\n',
        lambda data: data + b'[{"a":1}]\n',
    ]
)


class NoObjectError(Exception):
    """The line is no object that means one thing."""


class Digits(str):
    """A number as it is written."""

    __slots__ = ()


def one_meaning(pairs):
    if len(dict(pairs)) != len(pairs):
        raise NoObjectError
    return dict(pairs)


def refused(_text):
    raise NoObjectError


def text_of(value):
    if isinstance(value, Digits):
        number = Decimal(value)
        if "e" in value.lower():
            if abs(number.adjusted()) > LONGEST_NUMBER or len(number.as_tuple().digits) > LONGEST_NUMBER:
                raise NoObjectError
            return format(number, "f")
        return str(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return value


def flat(record, before, row):
    for key, value in record.items():
        if isinstance(value, dict):
            flat(value, f"{before}{key}.", row)
        elif before + key in row:
            raise NoObjectError
        else:
            row[before + key] = value
    return row


def plainly_read(data):
    """The rows by name, lists as they are; NoObjectError where a line says nothing for certain."""
    rows = []
    for line in data.removeprefix(b"\xef\xbb\xbf").split(b"\n"):
        if not line.strip():
            continue
        if len(line) + 1 > MAX_LINE:
            raise NoObjectError
        try:
            record = json.loads(
                line.decode(),
                parse_int=Digits,
                parse_float=Digits,
                parse_constant=refused,
                object_pairs_hook=one_meaning,
            )
        except (ValueError, RecursionError):
            raise NoObjectError from None
        if not isinstance(record, dict):
            raise NoObjectError
        row = flat(record, "", {})
        if not is_fit(row):
            raise NoObjectError
        rows.append({name: value if isinstance(value, list) else text_of(value) for name, value in row.items()})
    return rows


def is_fit(value):
    """Whether all its texts are some that a target takes: no NUL, no half a character."""
    if isinstance(value, dict):
        return all(is_fit(part) for pair in value.items() for part in pair)
    if isinstance(value, list):
        return all(map(is_fit, value))
    return not isinstance(value, str) or not any(c == "\0" or "\ud800" <= c <= "\udfff" for c in value)


def read(data, block):
    reader = NdjsonReader(io.BytesIO(data), size=len(data), resolve=resolver(), block=block)
    names = {column.name: column.header for column in reader.columns}
    rows = [{names[name]: value for name, value in row.items() if name != "row_number"} for row in rows_of(reader)]
    return reader.header, rows


def agree(data, block):
    """The reader and a plain parser read the same, or the reader refuses."""
    header, rows = read(data, block)
    expected = plainly_read(data)
    assert len(rows) == len(expected)
    for row, wanted in zip(rows, expected, strict=True):
        assert set(header) >= wanted.keys()
        for name in header:
            value = wanted.get(name)
            if isinstance(value, list):
                assert json.loads(row[name], parse_int=Digits, parse_float=Digits) == value
            else:
                assert row[name] == (value or None), name


def written(rows):
    def plain(value):
        if isinstance(value, Decimal):
            return f"@{value}@"
        if isinstance(value, dict):
            return {key: plain(inner) for key, inner in value.items()}
        return value

    # Decimals go out as numbers with their digits.
    text = "".join(json.dumps(plain(row), ensure_ascii=False) + "\n" for row in rows)
    return text.replace('"@', "").replace('@"', "").encode()


FILES = st.lists(OBJECTS, max_size=6).map(written)


@EXAMPLES
@given(FILES, BLOCKS)
def test_ndjson_is_read_exactly_or_means_two_things(data, block):
    try:
        plainly_read(data)
    except NoObjectError:
        with pytest.raises(FileError):
            read(data, block)
    else:
        agree(data, block)


@EXAMPLES
@given(FILES, BLOCKS, DAMAGE, st.none() | st.integers(min_value=0, max_value=10_000), BOMBS)
def test_damaged_ndjson_is_read_exactly_or_refused(data, block, damage, cut, bomb):
    data = damaged(data, damage, cut, bomb)
    block = max(block, len(data) >> 8)
    try:
        plainly_read(data)
    except NoObjectError:
        with pytest.raises(FileError) as caught:
            read(data, block)
        assert caught.value.line is not None
    else:
        agree(data, block)
