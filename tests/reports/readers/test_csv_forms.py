"""CSV as vendors write it: other delimiters and encodings, lines before the header, cells of other forms."""

from __future__ import annotations

from decimal import Decimal

import pyarrow as pa
import pytest

from tap_billing_reports.core.errors import FileError
from tap_billing_reports.declare import CsvForm
from tap_billing_reports.declare.csv_form import amounts, days, instants, minor_units, minor_units_of
from tap_billing_reports.reports.files.readers import NotPlain
from tests.reports.readers.reading import cells_of, csv_reader

TYPES = {"d": "decimal", "day": "date", "u": "timestamp_utc"}


def arrays_of(reader):
    parts = [pa.table(arrays) for count, arrays in reader.arrays() if count]
    return [list(row.values()) for row in pa.concat_tables(parts).to_pylist()]


@pytest.mark.parametrize("block", [1, 20, 1 << 16])
@pytest.mark.parametrize("sign", [";", "\t", "|", ","])
@pytest.mark.parametrize("quoted", [False, True])
def test_each_delimiter_gives_the_same_cells_in_both_readers(sign, block, quoted):
    first = f'"a{sign}""b"""' if quoted else "a"
    data = f"name,d\n{first},10.00\nb,-1.5\n".replace(",", sign) if sign != "," or not quoted else None
    if data is None:
        data = 'name,d\n"a,""b""",10.00\nb,-1.5\n'
    reader = csv_reader(data, types=TYPES, sum_of=("d",), block=block, form=CsvForm(delimiter=sign))
    name = f'a{sign}"b"' if quoted else "a"
    assert cells_of(reader) == [[name, "10.00"], ["b", "-1.5"]]
    assert reader.sums == {"d": Decimal("8.50")}
    assert arrays_of(reader) == [[name, Decimal("10.00")], ["b", Decimal("-1.5")]]
    assert (reader.rows, reader.sums) == (2, {"d": Decimal("8.50")})


def test_a_comma_within_a_cell_of_another_delimiter_is_a_part_of_it():
    assert cells_of(csv_reader("a;b\n1,5;x\n", form=CsvForm(delimiter=";"))) == [["1,5", "x"]]


def test_one_declared_column_may_have_a_sign_in_its_name():
    assert cells_of(csv_reader("a|b\n1\n", form=CsvForm())) == [["1"]]
    with pytest.raises(FileError, match=r"line 1: the header is one column with '\|' in it"):
        csv_reader("a|b\n1\n")


@pytest.mark.parametrize("encoding", ["iso-8859-1", "windows-1252"])
def test_an_encoding(encoding):
    data = "name;d\nSørås;1.00\n".encode(encoding)
    form = CsvForm(delimiter=";", encoding=encoding)
    reader = csv_reader(data, types=TYPES, form=form)
    assert cells_of(reader) == [["Sørås", "1.00"]]
    with pytest.raises(NotPlain):
        list(reader.arrays())
    with pytest.raises(FileError, match="line 2: not UTF-8"):
        cells_of(csv_reader(data, types=TYPES, form=CsvForm(delimiter=";")))


def test_a_byte_that_the_encoding_has_not_is_refused_with_its_line():
    with pytest.raises(FileError, match="line 2: not WINDOWS-1252"):
        cells_of(csv_reader(b"a,b\n\x81,1\n", form=CsvForm(encoding="windows-1252")))


@pytest.mark.parametrize("block", [1, 1 << 16])
def test_lines_before_the_header_are_passed_over_and_counted(block):
    data = 'Report; "of\nall\nname,d\na,1.00\nb,wrong\n'
    reader = csv_reader(data, types=TYPES, form=CsvForm(skipped_lines=2), block=block)
    assert reader.header == ("name", "d")
    with pytest.raises(FileError, match=r"line 5: column 'd' does not hold a value of type decimal, such as 10\.00"):
        cells_of(reader)
    with pytest.raises(FileError, match="line 8: the file has no header"):
        csv_reader(data, form=CsvForm(skipped_lines=7))


FORM = CsvForm(
    delimiter=";",
    decimal_comma=True,
    cells={
        "day": days("dd/mm/yyyy"),
        "u": instants(),
        "m": minor_units("cur"),
        "o": minor_units_of("JPY"),
        "p": amounts(),
    },
)
COLUMNS = TYPES | dict.fromkeys(("m", "o", "p"), "decimal") | {"cur": "currency"}


def test_cells_of_other_forms():
    data = (
        "d;day;u;m;cur;o;p\n"
        "10,00;28/02/2026;2026-07-01T02:00:00.25+0200;1234;nok;1234;.5\n"
        ",5;01/12/2026;2026-07-01T02:00:00-02:00;-5;JPY;-7;-.25\n"
        ";;;;;;\n"
    )
    reader = csv_reader(data, types=COLUMNS, sum_of=("d", "m"), form=FORM)
    assert cells_of(reader) == [
        ["10.00", "2026-02-28", "2026-07-01T00:00:00.250000Z", "12.34", "NOK", "1234", "0.5"],
        ["0.5", "2026-12-01", "2026-07-01T04:00:00Z", "-5", "JPY", "-7", "-0.25"],
        [None] * 7,
    ]
    assert reader.sums == {"d": Decimal("10.50"), "m": Decimal("7.34")}
    with pytest.raises(NotPlain):
        list(reader.arrays())
    (row, *_) = csv_reader(data, types=COLUMNS, form=FORM, decimals_as="number").chunks(["d"])
    assert [str(each.d) for each in row.rows] == ["10.00", "0.5", "None"]


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("d", "10.00"),
        ("d", "1.000,00"),
        ("d", ","),
        ("d", "-"),
        ("day", "31/02/2026"),
        ("day", "2026-02-28"),
        ("u", "2026-07-01 02:00:00"),
        ("m", "12.5"),
        ("m", "12"),
        ("p", "1,5"),
    ],
)
def test_a_cell_of_another_form_is_refused_with_its_line(column, cell):
    with pytest.raises(FileError, match=f"line 3: column '{column}' does not hold .*, in the form that is declared"):
        cells_of(csv_reader(f"{column};cur\n;\n{cell};?\n", types=COLUMNS, form=FORM))
