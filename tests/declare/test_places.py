"""Places in answers: one that no answer can have is found when it is declared, a wrong one at the first answer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tap_billing_reports import declare as d
from tests.declare.ledgers import ENTRIES, LEDGERS
from tests.declare.payouts import SOURCE as PAYOUTS
from tests.declare.shop import INVOICE_API, INVOICES, SHOP, Answered, synced, with_reports
from tests.declare.test_mistakes import VALUES

NOWHERE = ("$.error", "/error", "error.", ".error", "a..b", "a. b", "list[0]", "$")


def paged(**changes: Any) -> d.Source:
    """The ledgers, their rows listed otherwise."""
    assert LEDGERS.reports is not None
    return replace(LEDGERS, reports=replace(LEDGERS.reports, retrieval=replace(ENTRIES, **changes)))


def listing(**changes: Any) -> d.Source:
    """The payouts, listed otherwise."""
    api = PAYOUTS.reports
    assert api is not None
    report = next(one for one in api.configured({"payouts_lookback_days": 14}) if isinstance(one.cadence, d.Listed))
    assert isinstance(report.cadence, d.Listed)
    cadence = replace(report.cadence, listing=replace(report.cadence.listing, **changes))
    return replace(PAYOUTS, reports=replace(api, configured=lambda _values: [replace(report, cadence=cadence)]))


def on_pages(paging: d.TokenPaging | d.CursorPaging | d.OffsetPaging | d.LinkPaging) -> d.Source:
    """The shop, its invoices on such pages."""
    return replace(SHOP, invoices=replace(INVOICE_API, endpoint=lambda _values: replace(INVOICES, paging=paging)))


@pytest.mark.parametrize("place", NOWHERE)
def test_a_place_that_no_answer_has_is_refused_where_it_is_declared(place):
    with pytest.raises(ValueError, match=r"problem_at: .* is no path: keys are joined by a dot"):
        d.problem_at(place, "code")


@pytest.mark.parametrize(
    ("source", "where"),
    [
        (on_pages(d.TokenPaging("page", "$.next")), "invoices.endpoint.paging"),
        (on_pages(d.TokenPaging("page", "next", more="a..more")), "invoices.endpoint.paging"),
        (on_pages(d.CursorPaging("after", "id.", "more")), "invoices.endpoint.paging"),
        (on_pages(d.OffsetPaging(total="/total")), "invoices.endpoint.paging"),
        (on_pages(d.LinkPaging("links[0]")), "invoices.endpoint.paging"),
        (
            replace(SHOP, invoices=replace(INVOICE_API, fields=lambda _v: (d.Field("invoice_id", "$.id", d.to.text),))),
            "invoices.fields: invoice_id.path",
        ),
        (with_reports(not_yet=d.NotYetWhen(flag="/wait")), "reports.not_yet.flag"),
        (paged(key=("id", "$.day")), "reports.retrieval of funds"),
        (paged(total="page..total"), "reports.retrieval of funds"),
        (listing(subject="$.id"), "reports.listing of "),
        (listing(day="/date"), "reports.listing of "),
        (
            replace(
                SHOP,
                authenticator=lambda _values: d.TokenSignIn(
                    d.Endpoint("shop", "/token", method="POST"), secrets=(), token="$.token"
                ),
            ),
            "authenticator.token",
        ),
    ],
)
def test_each_place_of_a_declaration_is_looked_at(source, where):
    values = {**{setting.name: setting.default or "k" for setting in source.settings}, **VALUES}
    said = {line for line in source.problems(values) if "is no path" in line}
    assert [line for line in said if line.startswith(where)]


def test_a_form_of_cells_of_no_column_is_found():
    minor = d.cells.minor_units_of("NOK")
    misspelt = with_reports(cells=lambda _report: {"Amuont": minor}, known_types=("sales",))
    assert misspelt.problems(VALUES) == [
        "reports.cells of sales: no column is called Amuont: what is written so would be read as it comes"
    ]
    # Where other types may have it: nobody says which there are.
    assert with_reports(cells=lambda _report: {"Amuont": minor}).problems(VALUES) == []
    # Of another type of the same vendor, and of a report that nobody has described.
    headers = {"sales": ("Id",), "fees": ("Id", "Fee")}
    made = with_reports(
        cells=lambda _report: {"Fee": minor},
        known_types=("sales", "fees"),
        headers=lambda report: headers.get(report.report_type, ()),
    )
    entries = [{"report_type": "sales"}, {"report_type": "unknown"}]
    assert made.problems({**VALUES, "shop_reports": entries}) == []


@pytest.mark.parametrize(
    ("place", "body", "is_said"),
    [
        ("fault", {"error": {"code": "busy"}}, True),
        ("error", {"error": {"kind": "busy", "text": "later"}}, True),
        ("error", {"error": {"code": "busy"}}, False),
        ("error", "<p>a proxy's page</p>", False),
    ],
)
def test_an_error_that_has_nothing_there_is_told_of(monkeypatch, shop, place, body, is_said):
    shop.more["/one/invoices"] = lambda _asked: Answered(body, 400)
    found = synced(monkeypatch, shop, replace(SHOP, read_problem=d.problem_at(place, "code")))
    assert found.status == 1
    assert ("1 errors in JSON (HTTP 400) held nothing where the vendor's words are looked for" in found.log) == is_said


def test_a_reading_of_errors_that_fails_is_told_of(monkeypatch, shop):
    def wrong(answer):
        return d.Problem(message=answer.record()["error"]["text"]) if answer.status >= 400 else None

    shop.more["/one/invoices"] = lambda _asked: Answered({"error": "no"}, 400)
    found = synced(monkeypatch, shop, replace(SHOP, read_problem=wrong))
    assert "1 errors in JSON (HTTP 400) held nothing" in found.log
