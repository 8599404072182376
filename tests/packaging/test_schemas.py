"""The schemas are valid, closed, survive the SDK's catalogue, fit PostgreSQL, and are what was promised."""

from __future__ import annotations

import json
import re

import pytest
from jsonschema import Draft202012Validator
from singer_sdk.singerlib import Schema

from scripts import schema_snapshot
from scripts.venvs import ROOT
from tap_billing_reports.declare.catalogue import catalogue
from tap_billing_reports.vendors import all_sources

FILES = sorted((ROOT / "schemas").glob("*.json"))
KEYWORDS = {"type", "format", "description"}
FORMATS = {"date", "date-time", "x-singer.decimal"}
POSTGRES_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")


@pytest.fixture(scope="module")
def streams():
    return schema_snapshot.everything().streams


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
class TestFile:
    def test_it_is_valid_and_closed(self, path):
        schema = json.loads(path.read_text())
        Draft202012Validator.check_schema(schema)
        assert set(schema) == {"type", "properties", "additionalProperties"}
        assert schema["type"] == "object"
        assert schema["additionalProperties"] is False

    def test_every_column_has_one_plain_type_and_is_described(self, path):
        for name, column in json.loads(path.read_text())["properties"].items():
            kinds = [column["type"]] if isinstance(column["type"], str) else column["type"]
            assert set(column) <= KEYWORDS, name
            assert len(set(kinds) - {"null"}) == 1, name
            assert set(kinds) <= {"string", "integer", "boolean", "null"}, name
            assert column.get("format") in {None, *FORMATS}, name
            assert column["description"].endswith("."), name

    def test_nothing_is_lost_in_the_sdks_catalogue(self, path):
        schema = json.loads(path.read_text())
        assert Schema.from_dict(schema).to_dict() == schema


def test_there_is_a_schema_file_for_each_stream_and_no_other(streams):
    assert {path.stem for path in FILES} == {stream.schema_name for stream in streams.values()}


def test_keys_are_columns_that_are_never_null(streams):
    for stream in streams.values():
        columns = stream.schema["properties"]
        for key in stream.primary_keys:
            assert columns[key]["type"] in {"string", "integer"}, (stream.name, key)
        assert stream.replication_key is None or stream.replication_key in columns, stream.name


def test_all_streams_and_columns_have_names_that_postgres_takes(streams):
    assert len(catalogue("stripe")["report_types"]) == 72
    rows = [stream for stream in streams.values() if stream.schema_name == "report_rows"]
    assert len([stream for stream in rows if stream.report.source == "stripe"]) == 72
    for stream in streams.values():
        assert POSTGRES_NAME.fullmatch(stream.name), stream.name
        # Unquoted names are folded to lower case: what differs only there would be one column.
        assert all(POSTGRES_NAME.fullmatch(column) for column in stream.schema["properties"]), stream.name


def test_every_catalogued_column_of_a_stripe_report_has_a_name_of_its_own(streams):
    types = catalogue("stripe")["report_types"]
    for stream in streams.values():
        if stream.schema_name == "report_rows" and stream.report.source == "stripe":
            headers = types[stream.report.report_type]["columns"]
            names = [column.name for column in stream.resolve(tuple(headers))]
            assert len(set(names)) == len(headers), stream.name
            assert set(names) <= set(stream.schema["properties"]), stream.name


def test_every_column_of_every_stream_says_what_it_holds(streams):
    for stream in streams.values():
        for name, column in stream.schema["properties"].items():
            text = column.get("description", "")
            assert re.fullmatch(r"[A-Z`a-z_].{9,}\.", text), (stream.name, name, text)
            assert set(column) <= KEYWORDS, (stream.name, name)


@pytest.mark.parametrize("source", all_sources(), ids=lambda source: source.name)
def test_every_catalogued_column_is_described_where_it_is_catalogued(streams, source):
    reports = [stream.report for stream in streams.values() if stream.schema_name == "report_rows"]
    for report in reports:
        if report.source == source.name:
            known = {*source.reports.headers(report), *source.reports.common_columns(report)}
            assert [header for header in known if source.reports.describe(report, header) is None] == []


def test_every_column_that_a_catalogue_knows_the_type_of_is_described():
    """Of types whose columns nobody knows, too: their files have the same ones."""
    for source in ("stripe", "bring"):
        known = catalogue(source)
        assert set(known["types"]) <= set(known["descriptions"])


def test_a_text_of_some_types_is_of_a_column_that_is_there():
    known = catalogue("stripe")
    for part, texts in known["descriptions_of"].items():
        types = [name for name in known["report_types"] if part in name]
        assert types, part
        assert set(texts) <= set(known["types"]), part


def test_the_public_contract_is_unchanged():
    """Where this fails on purpose: `python scripts/schema_snapshot.py`, and say so in CHANGELOG.md."""
    assert schema_snapshot.contract() == json.loads(schema_snapshot.SNAPSHOT.read_text())
