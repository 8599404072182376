"""XML files: exactly read, or refused with the line."""

from __future__ import annotations

import io
from dataclasses import replace
from decimal import Decimal
from typing import BinaryIO, cast

import pytest

from tap_billing_reports.core.errors import FileError
from tap_billing_reports.declare import XmlForm
from tap_billing_reports.reports.files.readers.xml import XmlReader
from tests.reports.readers.reading import FORM, cells_of, resolver, rows_of, xml_reader

TYPES = {"AMOUNT": "decimal", "TRX_DATE": "date", "Count": "integer"}
NAMESPACE = "urn:bring.no/mybring/Report"


def report(lines, declared=None, *, head="", tail="", namespace=f' xmlns="{NAMESPACE}"'):
    rows = "" if declared is None else f"<NumberOfRows>{declared}</NumberOfRows>"
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n{head}<Report{namespace}>\n  <MetaData>\n'
        f'    <ReportName>Specified invoice</ReportName><FinishedAt type="iso8601">2019-12-12</FinishedAt>\n'
        f"    <Interval><Start>x</Start></Interval>{rows}\n  </MetaData>\n  <Lines>\n"
        f"{lines}\n  </Lines>{tail}\n</Report>\n"
    )


def line(**fields):
    return "    <Line>\n" + "".join(f"      <{k}>{v}</{k}>\n" for k, v in fields.items()) + "    </Line>\n"


PLAIN = line(Name="a", AMOUNT="271.00", TRX_DATE="25.04.2019", Count=1)


@pytest.mark.parametrize("block", [1, 100, 1 << 16])
@pytest.mark.parametrize("namespace", [f' xmlns="{NAMESPACE}"', ""])
def test_types(block, namespace):
    lines = PLAIN + line(Name="b", AMOUNT="-0.5", TRX_DATE="", Count="") + PLAIN
    reader = xml_reader(report(lines, 3, namespace=namespace), types=TYPES, sum_of=("amount", "name"), block=block)
    a = ["a", "271.00", "2019-04-25", 1]
    assert cells_of(reader) == [a, ["b", "-0.5", None, None], a]
    assert reader.header == ("Name", "AMOUNT", "TRX_DATE", "Count")
    assert reader.sums == {"amount": Decimal("541.50")}
    assert reader.declared_rows == 3
    assert reader.metadata["ReportName"] == "Specified invoice"
    assert reader.metadata["FinishedAt"] == "2019-12-12"
    assert "Interval" not in reader.metadata


def test_a_prefix_is_as_good():
    data = report(PLAIN * 3, 3).replace("</", "</b:").replace("<", "<b:").replace("<b:/b:", "</b:")
    data = data.replace("<b:?", "<?").replace("xmlns=", "xmlns:b=")
    assert cells_of(xml_reader(data, types=TYPES)) == [["a", "271.00", "2019-04-25", 1]] * 3


@pytest.mark.parametrize("block", [1, 1 << 20])
def test_a_common_column_has_the_first_of_its_fields_that_says_something(block):
    common = {"net": ("Price", "AMOUNT"), "sent": ("DAY",)}
    body = line(A=1, Price="1.50") + line(A=2, AMOUNT=2, DAY=3) + line(A=3, Price=" ", AMOUNT=4) + line(A=4)
    reader = xml_reader(report(body), common=common, types={"=net": "decimal"}, sum_of={"net"}, block=block)
    rows = rows_of(reader)
    assert [row["net"] for row in rows] == ["1.50", "2", "4", None]
    assert [row.get("sent") for row in rows] == [None, "3", None, None]
    assert reader.sums == {"net": Decimal("7.50")}
    assert reader.header == ("A", "Price", "AMOUNT", "DAY"), "it is none of the file's"


@pytest.mark.parametrize("marks", [1, 2])
def test_byte_order_marks_are_no_content(marks):
    data = "\ufeff" * marks + report(PLAIN * 3, 3)
    assert cells_of(xml_reader(data, types=TYPES)) == [["a", "271.00", "2019-04-25", 1]] * 3


def test_identical_lines_are_all_kept():
    assert len(rows_of(xml_reader(report(PLAIN * 500, 500), block=1000))) == 500


def test_no_lines():
    for lines in ("", " ", "<!-- none -->"):
        reader = xml_reader(report(lines, 0))
        assert rows_of(reader) == []
        assert reader.header == ()
        assert reader.declared_rows == 0
    assert rows_of(xml_reader("<Report><Lines/></Report>")) == []


@pytest.mark.parametrize("block", [1, 300, 1 << 16])
def test_columns_appear_as_they_are_met(block):
    lines = line(A="1", B="2") * 5 + line(A="3") + line(B="4") + line(A="5", New="6", B="7") * 4 + line(B="8", A="9")
    reader = xml_reader(report(lines, 12), block=block)
    seen = [(chunk.columns, len(chunk.rows)) for chunk in reader.chunks()]
    assert reader.header == ("A", "B", "New")
    widths = [len(columns) for columns, _ in seen]
    assert widths == sorted(widths)
    assert sum(count for columns, count in seen if len(columns) < 3) == 7
    rows = rows_of(reader)
    assert [tuple(row.values())[1:] for row in rows[5:]] == [
        ("3", None),
        (None, "4"),
        *[("5", "7", "6")] * 4,
        ("9", "8", None),
    ]


def test_a_caller_may_select_columns_as_they_are_met():
    wanted = {"a"}

    def resolve(header):
        columns = resolver()(header)
        wanted.update(column.name for column in columns if column.name != "b")
        return columns

    data = report(line(A="1", B="2") + line(A="3", C="4", B="5")).encode()
    reader = XmlReader(io.BytesIO(data), form=FORM, resolve=resolve)
    rows = [row for chunk in reader.chunks(wanted) for row in chunk.rows]
    assert [row.__struct_fields__ for row in rows] == [("row_number", "a"), ("row_number", "a", "c")]


@pytest.mark.parametrize("block", [1, 200, 1 << 16])
def test_blank_lines_are_counted_and_skipped(block):
    blank = "<Line/><Line></Line><Line> </Line>" + line(Name="", AMOUNT=" \n") + "<Line><Name/></Line>"
    for declared in (4, 14):
        reader = xml_reader(report((PLAIN + blank + PLAIN) * 2, declared), types=TYPES, block=block)
        assert len(rows_of(reader)) == 4
        assert reader.blank_lines == 10


@pytest.mark.parametrize("block", [1, 64, 1 << 16])
def test_text_is_as_written(block):
    texts = {
        "&amp;": "&",
        "&lt;b&gt; &#38; &quot;&apos;": "<b> & \"'",
        "&amp;lt;": "&lt;",
        "<![CDATA[<Line>&amp;]]>": "<Line>&amp;",
        "a<!-- c -->b": "ab",
        "a<?pi x?>b": "ab",
        "&#13;\n x ": "\r\n x ",
        "\u00e6\u00f8\u00e5 \u65e5\U0001f600\u2028\x85": "\u00e6\u00f8\u00e5 \u65e5\U0001f600\u2028\x85",
        "]] >": "]] >",
        "a > b": "a > b",
    }
    lines = "".join(line(Name="x", T=text) for text in texts)
    rows = rows_of(xml_reader(report(lines * 2, 2 * len(texts)), block=block))
    assert [row["t"] for row in rows] == [*texts.values()] * 2


@pytest.mark.parametrize("encoding", ["utf-8", "iso-8859-1", "utf-16", "windows-1252"])
def test_the_declared_encoding_is_obeyed(encoding):
    data = report(line(Name="bl\u00e5b\u00e6r") * 3, 3).replace("UTF-8", encoding).encode(encoding)
    assert [row["name"] for row in rows_of(xml_reader(data))] == ["bl\u00e5b\u00e6r"] * 3


@pytest.mark.parametrize(
    ("counts_blank", "good"), [(None, {2, 3}), (True, {3}), (False, {2})], ids=["not said", "counted", "not counted"]
)
@pytest.mark.parametrize("declared", [2, 3])
def test_whether_blank_lines_count_is_the_vendors_affair(counts_blank, good, declared):
    data = report(PLAIN * 2 + "    <Line/>\n", declared)
    reader = xml_reader(data, form=replace(FORM, counts_blank=counts_blank))
    if declared in good:
        assert len(rows_of(reader)) == 2
    else:
        with pytest.raises(FileError, match=f"2 rows and 1 blank lines where it declares {declared}"):
            rows_of(reader)


def test_elements_have_the_vendors_names():
    data = "<Export><Head><Count>2</Count></Head><Rows><Row><A>1</A></Row><Row><A>2</A></Row></Rows></Export>"
    form = XmlForm(lines="Rows", line="Row", metadata="Head", rows="Count")
    assert cells_of(xml_reader(data, form=form)) == [["1"], ["2"]]
    with pytest.raises(FileError, match="2 rows where it declares 3"):
        rows_of(xml_reader(data.replace("2</Count>", "3</Count>"), form=form))
    silent = xml_reader(data.replace("2</Count>", "3</Count>"), form=XmlForm(lines="Rows", line="Row"))
    assert cells_of(silent) == [["1"], ["2"]]
    assert (silent.declared_rows, silent.metadata) == (None, {})


def test_metadata_may_come_last():
    data = report(PLAIN * 2).replace("  <MetaData>", "  <Other>").replace("</MetaData>", "</Other>")
    data = data.replace("</Report>", "<MetaData><NumberOfRows>3</NumberOfRows></MetaData></Report>")
    with pytest.raises(FileError, match="2 rows where it declares 3"):
        rows_of(xml_reader(data))


BOMB = '<!DOCTYPE Report [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'

# what: data, the line at which it is refused (None: the whole file)
REFUSED = {
    "empty": ("", None),
    "no XML": ("<html>", 1),
    "a page": ("<html><body>Log in</body></html>", None),
    "cut": (report(PLAIN * 3, 3)[:-5], 28),
    "cut in a line": (report(PLAIN * 3, 3)[:-60], 23),
    "more after the end": (report(PLAIN, 1) + "<Report/>", 17),
    "declared more": (report(PLAIN * 3, 4), None),
    "declared fewer": (report(PLAIN * 3, 2), None),
    "declared nonsense": (report(PLAIN, "many"), None),
    "declared twice": (report(PLAIN, 1).replace("</MetaData>", "<NumberOfRows>9</NumberOfRows></MetaData>"), 6),
    "two lists": (report(PLAIN, 1, tail="<Lines/>"), 15),
    "document type": (report(PLAIN, 1, head="<!DOCTYPE Report>\n"), 1),
    "entities": (report(line(Name="&b;"), 1, head=BOMB), 1),
    "an unknown entity": (report(line(Name="&b;"), 1), 9),
    "an undeclared prefix": (report(line(**{"x:Name": "1"}), 1), 9),
    "an unknown entity before another document": (report(line(Name="&b;"), 1) + report(PLAIN, 1), 9),
    "an external entity": (
        report(line(Name="&x;"), 1, head='<!DOCTYPE R [<!ENTITY x SYSTEM "file:///etc/passwd">]>'),
        1,
    ),
    "nested fields": (report(PLAIN + "<Line>\n<A><B>1</B></A></Line>", 2), 15),
    "a line in a line": (report(PLAIN + "<Line><A><Line><A>1</A></Line></A></Line>", 2), 14),
    "a field twice": (report(PLAIN + line(A="1") + "    <Line>\n<A>1</A>\n<A>2</A>\n</Line>", 3), 19),
    "something else": (report(PLAIN + "<Total>1</Total>", 1), 14),
    "text between lines": (report(PLAIN + "garbage" + PLAIN, 2), 8),
    "text where no line is": (report("garbage", 0), 7),
    "text in a line": (report(PLAIN + "<Line>5<A>1</A></Line>", 2), 14),
    "text after a field": (report(PLAIN + "<Line><A>1</A>5</Line>", 2), 14),
    "no decimal": (report(PLAIN * 2 + line(Name="x", AMOUNT="1,5"), 3), 20),
    "deep": (report("<Line>" + "<a>" * 5000 + "</a>" * 5000 + "</Line>", 1), 8),
    "control character": (report(line(A="\x01"), 1), 9),
    "not its encoding": (report(line(A="\u00e6"), 1).encode("iso-8859-1"), 9),
}


@pytest.mark.parametrize("block", [1, 80, 1 << 16])
@pytest.mark.parametrize("what", REFUSED)
def test_refused_with_its_line(what, block):
    data, at = REFUSED[what]
    with pytest.raises(FileError) as refusal:
        rows_of(xml_reader(data, types=TYPES, block=block))
    assert refusal.value.line == at
    assert "passwd" not in str(refusal.value)


def test_a_declared_size_is_held():
    data = report(PLAIN, 1).encode()
    assert len(rows_of(xml_reader(data, size=len(data)))) == 1
    with pytest.raises(FileError, match="declared"):
        xml_reader(data, size=len(data) + 1)


def test_too_many_fields_are_refused():
    with pytest.raises(FileError, match="fields"):
        rows_of(xml_reader(report("".join(line(**{f"F{i}": "1"}) for i in range(600)), 600)))


class Endless(io.RawIOBase):
    """A start, then the same bytes for ever."""

    def __init__(self, start, again):
        self.pending, self.again, self.given = start, again, 0

    def seek(self, *_):
        return 0

    def read(self, size=-1):
        while len(self.pending) < size:
            self.pending += self.again * (1 + size // len(self.again))
        data, self.pending = self.pending[:size], self.pending[size:]
        self.given += len(data)
        assert self.given < 100 << 20, "read far beyond any limit"
        return data


@pytest.mark.parametrize(
    ("start", "again"),
    [
        (b"", b" "),
        (b"<R>", b"<m>x</m>"),
        (b"<R><Lines>", b" "),
        (b"<R><Lines><Line><A>", b"x"),
        (b"<R><Lines><Line>", b"<A/>"),
        (b"<R><Lines></Lines>", b"<m>x</m>"),
        (b"<R><Lines><Line a='", b"x"),
        (b"<R><Lines><!--", b"x"),
    ],
)
def test_what_never_ends_is_given_up(start, again):
    with pytest.raises(FileError):
        rows_of(XmlReader(cast("BinaryIO", Endless(start, again)), form=FORM, resolve=resolver()))
