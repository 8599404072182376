"""Columns that appear in mid-stream: SCHEMA goes out again before the first row that has them."""

from __future__ import annotations

import copy

import msgspec
import pytest
from singer_sdk import Stream

from tap_billing_reports.core.columns import Column, json_schema
from tap_billing_reports.reports.files.readers import RowChunk
from tap_billing_reports.singer.fast_rows import SelectedColumns
from tap_billing_reports.singer.writer import BufferedWriter
from tests.singer.emit_samples import SCHEMA, Fast, Stock, deselect, messages_of, tap_of

CODES = [None, None, None, "a", "b", "c"]
STREAM_MAPS = {"stream_maps": {"s": {"double": "id * 2"}}}


class Growing(Stream):
    """How a stream takes up a column: the same for the stock and the fast one."""

    takes_it_up = True
    schema = Stream.schema  # each stream its own, not the class's

    def __init__(self, tap):
        super().__init__(tap, schema=copy.deepcopy(SCHEMA))

    def grow(self, name):
        if not self.takes_it_up:
            return
        # A new object: the mapper keeps its maps while it finds the schema equal to the one it has.
        for attribute in ("_schema", "_input_schema"):
            if (schema := copy.deepcopy(getattr(self, attribute))) is not None:
                schema["properties"][name] = json_schema("text")
                setattr(self, attribute, schema)
        self._tap.mapper.register_raw_stream_schema(self.name, self.effective_schema, self.primary_keys)
        self._stream_maps = None
        self._write_schema_message()


class GrowingStock(Growing, Stock):
    def get_records(self, context):
        for number, code in enumerate(CODES):
            if number == 3:
                self.grow("code")
            known = {"code": code} if number >= 3 and self.takes_it_up else {}
            yield {"source": "stripe", "id": number, **known}


class GrowingFast(Growing, Fast):
    def columns_changed(self, columns):
        self.grow(columns[-1].name)

    def chunks(self):
        columns: tuple[Column, ...] = (Column("id", "id", "integer"),)
        row_type = msgspec.defstruct("R", ["id"], gc=False)
        yield RowChunk([row_type(number) for number in range(3)], columns)
        assert "code" in SelectedColumns(self)
        columns = (*columns, Column("Code", "code"))
        row_type = msgspec.defstruct("R", ["id", "code"], gc=False)
        yield RowChunk([row_type(3, "a"), row_type(4, "b")], columns)
        yield RowChunk([row_type(5, "c")], columns)


@pytest.mark.parametrize("config", [{}, STREAM_MAPS])
@pytest.mark.parametrize("takes_it_up", [True, False])
@pytest.mark.parametrize("change", [None, deselect("nothing")])
def test_grows_like_the_sdk(config, takes_it_up, change):
    attributes = {"takes_it_up": takes_it_up, "shared": {"source": "stripe"}}
    expected = messages_of(tap_of(GrowingStock, **attributes), config, change)
    assert messages_of(tap_of(GrowingFast, BufferedWriter, **attributes), config, change) == expected
    schemas = [message for message in expected if message["type"] == "SCHEMA"]
    assert len(schemas) == (2 if takes_it_up else 1)
    assert ("code" in schemas[-1]["schema"]["properties"]) is takes_it_up
