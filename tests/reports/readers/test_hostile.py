"""Generated files, whole and damaged: each is read exactly as a plain parser reads it, or refused with its line."""

from __future__ import annotations

import csv
import io
import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from tap_billing_reports.core.errors import FileError
from tests.reports.readers.reading import cells_of, csv_reader, xml_reader

if TYPE_CHECKING:
    from collections.abc import Sequence

# `make faults` asks for many more.
EXAMPLES = settings(max_examples=int(os.environ.get("HOSTILE_EXAMPLES", "60")))
CHARACTERS = st.characters(codec="utf-8", exclude_characters="\0")
CELLS = st.one_of(
    st.sampled_from(["", "1.50", "x", "a b", '"', ",", "\n", "\r\n", "\ufeff", "\u2028"]),
    st.text(CHARACTERS, max_size=6),
)
BLOCKS = st.sampled_from([1, 3, 10, 64, 1 << 16])


def pieces(found: Sequence[bytes]) -> st.SearchStrategy[list[tuple[int, int, bytes]]]:
    """What is put into a file, up to three times: where, in place of how many bytes, and which of these."""
    where, instead = st.integers(min_value=0, max_value=10_000), st.integers(min_value=0, max_value=3)
    return st.lists(st.tuples(where, instead, st.sampled_from(found)), max_size=3)


DAMAGE = pieces(
    [
        b"",
        b'"',
        b",",
        b"\n",
        b"\r",
        b"\r\n",
        b"\0",
        b"\xff",
        b"\xc3",
        b"<",
        b">",
        b"&",
        b"x",
        b"</Line>",
        b"<Line>",
        b"<!--",
        b"]]>",
        b"&amp;",
        b"&x;",
        b" ",
        b"<A>1</A>",
    ]
)


# What random bytes seldom make, done to the whole file. Nothing, mostly; what takes memory, now and then.
UNTOUCHED = [bytes] * 20
HUGE = b"x" * (11 << 20)  # beyond what either reader takes in one cell
ENTITIES = b"".join(b'<!ENTITY e%d "%s">' % (n + 1, b"&e%d;" % n * 10) for n in range(9))
BOMB = b'<!DOCTYPE Report [<!ENTITY e0 "x">' + ENTITIES + b"]>"
WRONG_ENCODINGS = [
    lambda data: data.decode().encode("utf-16"),
    lambda data: data.decode().encode("utf-16-le"),
    lambda data: data.decode().encode("latin-1", "replace") + b"\xe9",
]
CSV_BOMBS = st.sampled_from(
    [
        *UNTOUCHED,
        *WRONG_ENCODINGS,
        lambda data: data.replace(b"c1", b"c0"),
        lambda data: data.replace(b"c0", b""),
        lambda data: data.replace(b",", b";"),
        lambda data: data.replace(b"\n", b",\n"),
        lambda data: data + HUGE[: 5 << 20],
        lambda data: data + b'"' + HUGE[: 5 << 20],
    ]
)
XML_BOMBS = st.sampled_from(
    [
        *UNTOUCHED,
        *WRONG_ENCODINGS,
        lambda data: b'<?xml version="1.0" encoding="latin-1"?>' + data,
        lambda data: b'<?xml version="1.0" encoding="utf-16"?>' + data,
        lambda data: b'<?xml version="1.0" encoding="nobody\'s"?>' + data,
        lambda data: BOMB + data,
        lambda data: BOMB + data.replace(b"<Lines>", b"<Lines><Line><A>&e9;</A></Line>"),
        lambda data: b'<!DOCTYPE Report [<!ENTITY e SYSTEM "file:///etc/passwd">]>' + data.replace(b"</A>", b"&e;</A>"),
        lambda data: data.replace(b"<Line>", b"<Line>" + b"<a>" * 100 + b"</a>" * 100),
        lambda data: data.replace(b"<Lines>", b"<Lines>" + b"<a>" * 100_000),
        lambda data: data.replace(b"</Lines>", b"<Line><A>" + HUGE + b"</A></Line></Lines>"),
        lambda data: data.replace(b"<Line>", b"<Line><A>1</A><A>2</A>"),
    ]
)


def damaged(data, damage, cut, bomb):
    data = bomb(data)
    for place, removed, inserted in damage:
        at = place % (len(data) + 1)
        data = data[:at] + inserted + data[at + removed :]
    return data if cut is None else data[: cut % (len(data) + 1)]


@st.composite
def csv_files(draw):
    width = draw(st.integers(min_value=1, max_value=4))
    rows = draw(st.lists(st.lists(CELLS, min_size=width, max_size=width), max_size=8))
    out = io.StringIO(newline="")
    quoting = draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
    if any("\r" in cell for row in rows for cell in row):
        quoting = csv.QUOTE_ALL  # the writer leaves a carriage return bare where lines end with \n
    ends = draw(st.sampled_from(["\n", "\r\n"]))
    writer = csv.writer(out, lineterminator=ends, quoting=quoting)
    writer.writerow([f"c{place}" for place in range(width)])
    writer.writerows(rows)
    return (draw(st.sampled_from([b"", b"\xef\xbb\xbf"])) + out.getvalue().encode()), rows


def plainly_read_csv(data):
    """What the whole file says, or None where it says nothing for certain."""
    try:
        text = data.decode("utf-8-sig")
        rows = list(csv.reader(io.StringIO(text), strict=True))
    except (UnicodeDecodeError, csv.Error):
        return None
    if "\0" in text or not rows:
        return None
    header, *rows = rows
    if not header or not all(header) or len(set(header)) < len(header):
        return None
    if len(header) == 1 and any(sign in header[0] for sign in ";\t|"):
        return None  # it seems to be of another delimiter, which nobody has declared
    while rows and not rows[-1] and len(header) > 1:
        rows.pop()
    if any(len(row) != len(header) for row in rows):
        return None
    return [[cell or None for cell in row] for row in rows]


@EXAMPLES
@given(csv_files(), BLOCKS)
def test_csv_is_read_exactly(file, block):
    data, rows = file
    assert cells_of(csv_reader(data, block=block)) == [[cell or None for cell in row] for row in rows]


@EXAMPLES
@given(csv_files(), BLOCKS, DAMAGE, st.none() | st.integers(min_value=0, max_value=10_000), CSV_BOMBS)
def test_damaged_csv_is_read_exactly_or_refused(file, block, damage, cut, bomb):
    data = damaged(file[0], damage, cut, bomb)
    block = max(block, len(data) >> 8)
    expected = plainly_read_csv(data)
    try:
        rows = cells_of(csv_reader(data, block=block))
    except FileError as error:
        refusal = error
    else:
        assert rows == expected
        return
    assert expected is None
    assert refusal.line is not None


@EXAMPLES
@given(csv_files(), st.integers(min_value=0, max_value=10_000))
def test_csv_cut_anywhere_is_refused_by_its_size(file, cut):
    data = file[0]
    with pytest.raises(FileError):
        csv_reader(data[: cut % len(data)], size=len(data))


TEXTS = st.one_of(
    st.sampled_from(["", " ", "1.5", "x", "a b", "\n", "]]", "&"]),
    st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn")), max_size=6),
)


@st.composite
def xml_files(draw):
    tags = ["A", "B", "C", "d_e", "F-1"]
    blanks = draw(st.sampled_from(["", " ", "\n  ", "\r\n"]))
    lines = []
    for _ in range(draw(st.integers(min_value=0, max_value=8))):
        ordered = draw(st.lists(st.sampled_from(tags), unique=True))
        if draw(st.booleans()):
            ordered.sort()
        fields = []
        for tag in ordered:
            text = draw(TEXTS).replace("&", "&amp;").replace("<", "&lt;").replace("]]>", "]]&gt;")
            plain = f"<{tag}>{text}</{tag}>" if text or draw(st.booleans()) else f"<{tag}/>"
            odd = st.sampled_from(
                [f"<{tag}><![CDATA[{tag}]]></{tag}>", f'<{tag} x="1">y</{tag}>', f"<!-- {tag} -->{plain}"]
            )
            fields.append(draw(odd) if draw(st.integers(0, 9)) == 0 else plain)
        lines.append(f"<Line>{blanks}{blanks.join(fields)}{blanks}</Line>{blanks}")
    namespace = draw(st.sampled_from(["", ' xmlns="urn:x"']))
    rows = f"<MetaData><NumberOfRows>{len(lines)}</NumberOfRows></MetaData>"
    return f"<Report{namespace}>{rows}<Lines>{blanks}{''.join(lines)}</Lines></Report>".encode()


class NoReportError(Exception):
    pass


def need(condition):
    if not condition:
        raise NoReportError


def blank(text):
    return not (text or "").strip()


def plain_row(line):
    need(isinstance(line.tag, str) and etree.QName(line).localname == "Line")
    need(blank(line.text) and blank(line.tail))
    row = {}
    for field in line:
        need(isinstance(field.tag, str) and not len(field) and blank(field.tail))
        name = etree.QName(field).localname
        need(name not in row)
        row[name] = field.text or ""
    return row


def plainly_read_xml(data):
    """The same from a whole tree; NoReportError where it is no report."""
    parser = etree.XMLParser(resolve_entities=False, remove_comments=True, remove_pis=True)
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError:
        raise NoReportError from None
    # A namespace that is no absolute URI is a warning of the parser, not an error.
    need(not parser.error_log.filter_from_errors())
    need(root.getroottree().docinfo.internalDTD is None)
    containers = list(root.iter("{*}Lines"))
    need(len(containers) == 1)
    need(blank(containers[0].text))
    lines = list(map(plain_row, containers[0]))
    rows = [row for row in lines if not all(map(blank, row.values()))]
    declared = [element for element in root.findall("{*}MetaData/{*}NumberOfRows") if not len(element)]
    need(len(root.findall("{*}MetaData/{*}NumberOfRows")) <= 1)
    text = (declared[0].text or "").strip() if declared else ""
    need(not text or (text.isascii() and text.isdecimal() and int(text) in {len(rows), len(lines)}))
    header = list(dict.fromkeys(name for row in rows for name in row))
    return [[row.get(name) or None for name in header] for row in rows]


def read_xml(data, block):
    reader = xml_reader(data, block=block)
    rows = cells_of(reader)
    width = len(reader.header)
    # Rows before a column was met do not have it.
    return [row + [None] * (width - len(row)) for row in rows]


@EXAMPLES
@given(xml_files(), BLOCKS)
def test_xml_is_read_exactly(data, block):
    assert read_xml(data, block) == plainly_read_xml(data)


@EXAMPLES
@given(xml_files(), BLOCKS, DAMAGE, st.none() | st.integers(min_value=0, max_value=10_000), XML_BOMBS)
def test_damaged_xml_is_read_exactly_or_refused(data, block, damage, cut, bomb):
    data = damaged(data, damage, cut, bomb)
    block = max(block, len(data) >> 8)
    try:
        expected = plainly_read_xml(data)
    except NoReportError:
        with pytest.raises(FileError):
            read_xml(data, block)
    else:
        assert read_xml(data, block) == expected
