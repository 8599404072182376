"""Reading a file's bytes whole, and what the rows should have been."""

from __future__ import annotations

import io

import msgspec

from tap_billing_reports.core.columns import Column, unique_names
from tap_billing_reports.declare import XmlForm
from tap_billing_reports.reports.files.readers.csv import CsvReader
from tap_billing_reports.reports.files.readers.xml import XmlReader

# Of a file whose number of lines may count those without content, or not.
FORM = XmlForm(lines="Lines", line="Line", metadata="MetaData", rows="NumberOfRows", counts_blank=None)


def resolver(types=None):
    """Every header a column: text, unless its header is in `types`."""
    types = types or {}

    def resolve(header):
        names = unique_names(header, {"row_number"})
        return [Column(cell, name, types.get(cell, "text")) for cell, name in zip(header, names, strict=True)]

    return resolve


def csv_reader(data, *, size=None, types=None, **options):
    data = data.encode() if isinstance(data, str) else data
    return CsvReader(io.BytesIO(data), size=len(data) if size is None else size, resolve=resolver(types), **options)


def xml_reader(data, *, types=None, form=FORM, **options):
    data = data.encode() if isinstance(data, str) else data
    return XmlReader(io.BytesIO(data), form=form, resolve=resolver(types), **options)


def rows_of(reader, selected=None, constants=None):
    """All rows as dicts."""
    rows = []
    for chunk in reader.chunks(selected, constants):
        names = ("row_number", *(column.name for column in chunk.columns))
        for row in chunk.rows:
            fields = msgspec.structs.asdict(row)
            assert tuple(fields)[: len(names)] == names
            rows.append(fields)
    assert [row["row_number"] for row in rows] == list(range(1, len(rows) + 1))
    assert reader.rows == len(rows)
    return rows


def cells_of(reader):
    """All rows without their number, as lists."""
    return [list(row.values())[1:] for row in rows_of(reader)]
