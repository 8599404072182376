"""What declarations share: pages by token, error bodies, whole days, reports of entries, catalogues."""

from __future__ import annotations

import json
import sys
from datetime import date, datetime, timezone
from types import SimpleNamespace
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tap_billing_reports.core.about import About
from tap_billing_reports.core.errors import AccountError
from tap_billing_reports.declare import (
    FLAG,
    Endpoint,
    PerInvoice,
    Period,
    Report,
    TokenPaging,
    Windowed,
    reports_schema,
)
from tap_billing_reports.declare.catalogue import Catalogue
from tap_billing_reports.declare.client import HttpSourceClient
from tap_billing_reports.declare.problems import problem_at
from tap_billing_reports.http.responses import Answer

PAGED = Endpoint("x", "/x", records=("found",), paging=TokenPaging("token", next="page.next", size=("size", "2")))


def answer(body, status=200):
    return Answer(About("acme", "1", "GET x"), status, {}, json.dumps(body).encode())


class Pages(HttpSourceClient):
    """Answers with prepared pages, and keeps what was asked."""

    def __init__(self, *pages):
        self.pages = list(pages)
        self.asked = []
        here: Any = self
        here.source, here.http = SimpleNamespace(realm_of=lambda _record: {}, account_header=""), self
        here.hosts = {"x"}

    def call(self, *_, params, **__):
        self.asked.append(params)
        return answer(self.pages.pop(0))


def page(following, *numbers):
    return {"found": [{"id": number} for number in numbers], "page": {"next": following}}


@pytest.mark.parametrize("end", [None, ""])
def test_pages_by_token_go_on_with_what_the_answer_names(end):
    pages = Pages(page("a", 1, 2), page("b"), page(end, 3))
    assert [record["id"] for record in pages.records(PAGED, params=[("q", "1")])] == [1, 2, 3]
    first = [("q", "1"), ("size", "2")]
    assert pages.asked == [first, [*first, ("token", "a")], [*first, ("token", "b")]]


def test_pages_that_lead_back_are_refused():
    pages = Pages(page("a", 1), page("b", 2), page("a", 3))
    with pytest.raises(AccountError, match="nothing new"):
        list(pages.records(PAGED))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"error": {"code": "c", "message": "m", "param": "p"}}, ("c", "m", "p")),
        ({"error": {"kind": "k"}}, ("k", "", "")),
        ({"error": {"code": "", "kind": "k"}}, ("k", "", "")),
        ({"error": "text"}, None),
        ({"other": 1}, None),
    ],
)
def test_json_error_bodies(body, expected):
    read = problem_at("error", "code", "kind")
    found = read(answer(body, 400))
    assert (found and (found.code, found.message, found.param)) == expected
    assert read(answer(body, 200)) is None


def test_a_windows_days_count_both_ends_in_its_zone():
    # The last Sunday of October has 25 hours in Copenhagen.
    period = Period(
        "k", datetime(2026, 10, 23, 22, tzinfo=timezone.utc), datetime(2026, 10, 25, 23, tzinfo=timezone.utc)
    )
    assert period.days("Europe/Copenhagen") == (date(2026, 10, 24), date(2026, 10, 25))
    assert period.days("UTC") == (date(2026, 10, 23), date(2026, 10, 25))
    assert period.instants() == (period.start, period.end)
    for asked in (lambda subject: subject.days("UTC"), lambda subject: subject.instants()):
        with pytest.raises(ValueError, match="the period 7 is no window: a subject has its `key` alone"):
            asked(Period("7", subject="7"))


def test_a_report_of_an_entry():
    plain = Report.of("acme", {"report_type": "Some-Type.1"}, zone="UTC")
    assert (plain.name, plain.stream, plain.cadence, plain.optional) == (
        "some_type_1",
        "acme_some_type_1",
        Windowed("day"),
        False,
    )
    entry = {"report_type": "t", "name": "n", "window": "week", "optional": True}
    full = Report.of("acme", entry, zone="UTC", kept_formats=("xlsx",))
    assert (full.name, full.cadence, full.optional, full.kept_formats) == ("n", Windowed("week"), True, ("xlsx",))
    long = {"report_type": "very_long_word.totals"}
    assert Report.of("acme", long, zone="UTC", short={"very_long_word": "v"}).name == "v_totals"
    assert Report.of("acme", long, zone="UTC").name == "very_long_word_totals"
    assert Report.of("acme", entry, zone="UTC", cadence=PerInvoice()).cadence == PerInvoice()


def test_the_schema_of_reports():
    valid = Draft202012Validator(reports_schema("^[a-z]+$", ("day", "month"), extra=FLAG)).is_valid
    assert valid([{"report_type": "t", "name": "n", "window": "month", "optional": True, "extra": False}])
    for wrong in ({}, {"report_type": "T"}, {"report_type": "t", "window": "week"}, {"report_type": "t", "other": 1}):
        assert not valid([wrong])
    assert not valid([{"report_type": "t", "name": "x" * 48}])


def test_a_catalogue_in_a_package(tmp_path, monkeypatch):
    package = tmp_path / "own_vendor_of_this_test"
    package.mkdir()
    (package / "__init__.py").write_text("")
    known = {"report_types": {"t": ["A", "B"]}, "types": {"A": "decimal"}, "descriptions": {"A": "An A."}}
    (package / "catalogue.json").write_text(json.dumps(known))
    monkeypatch.syspath_prepend(tmp_path)
    found = Catalogue.in_package(package.name)
    report, unknown = (Report("acme", name, name, "UTC") for name in ("t", "unknown"))
    assert list(found.headers(report)) == ["A", "B"]
    assert [found.column_type(report, header) for header in ("A", "B", "new")] == ["decimal", "text", "text"]
    assert list(found.headers(unknown)) == []
    assert [found.describe(report, header) for header in ("A", "B")] == ["An A.", None]
    sys.modules.pop(package.name, None)
