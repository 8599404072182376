"""Lists that are read by offset, page number and link, and orders with a JSON body, through the whole tap."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal

import pytest

from tap_billing_reports import declare as d
from tests.declare.shop import INVOICE_API, INVOICES, SHOP, Answered, synced, with_reports

IDS = [f"i{number}" for number in range(5)]


def read(monkeypatch, shop, paging, answer):
    """A sync of the invoices of account `one`, whose list is `answer`'s."""
    shop.more["/accounts"] = lambda _asked: Answered({"accounts": [{"id": "one"}]})
    shop.more["/one/invoices"] = answer
    api = replace(INVOICE_API, endpoint=lambda _values: replace(INVOICES, paging=paging))
    found = synced(monkeypatch, shop, replace(SHOP, invoices=api), shop_reports=[])
    return found, [record["invoice_id"] for record in found.of("invoices")]


def page(start, size=2, ids=IDS, **more):
    return Answered({"invoices": [{"id": each, "day": "2026-11-18"} for each in ids[start : start + size]], **more})


@pytest.mark.parametrize("total", ["", "paging.total"])
def test_by_offset(monkeypatch, shop, total):
    def answer(asked):
        assert asked.query.get("limit") == "2"
        return page(int(asked.query["skip"]), paging={"total": len(IDS)})

    found, ids = read(monkeypatch, shop, d.OffsetPaging("skip", total, size=("limit", "2")), answer)
    assert (found.status, ids) == (0, IDS)
    # The total saves the page without records.
    assert len(shop.paths("/invoices")) == (3 if total else 4)


@pytest.mark.parametrize("total", ["", "pages"])
def test_by_page_number_without_a_size(monkeypatch, shop, total):
    def answer(asked):
        assert set(asked.query) == {"page"}
        return page(2 * (int(asked.query["page"]) - 1), pages="3")

    found, ids = read(monkeypatch, shop, d.NumberPaging("page", total), answer)
    assert (found.status, ids) == (0, IDS)
    assert len(shop.paths("/invoices")) == (3 if total else 4)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda asked: page(0), "does not say at total how many there are"),
        (lambda asked: page(0, total=True), "does not say at total how many there are"),
        (lambda asked: page(0, total=9), "is the one before it once more"),
        (
            lambda asked: page(int(asked.query["offset"]), total=9),
            "the list ends after 5 records, but says that it has 9",
        ),
        (
            lambda asked: page(int(asked.query["offset"]), total=9 - int(asked.query["offset"])),
            "the list became shorter while it was read: 7 of 9",
        ),
    ],
)
def test_a_list_by_offset_that_cannot_be_whole_is_a_failure(monkeypatch, shop, answer, said):
    found, _ids = read(monkeypatch, shop, d.OffsetPaging(total="total"), answer)
    assert found.status == 1
    assert said in found.log


def test_a_list_that_grows_while_it_is_read_is_read_to_its_end(monkeypatch, shop):
    def answer(asked):
        start = int(asked.query["offset"])
        return page(start, ids=IDS if start else IDS[:3], total=5 if start else 3)

    found, ids = read(monkeypatch, shop, d.OffsetPaging(total="total"), answer)
    assert (found.status, ids) == (0, IDS)


@pytest.mark.parametrize("absolute", [False, True])
@pytest.mark.parametrize("in_header", [False, True])
def test_by_link(monkeypatch, shop, absolute, in_header):
    def answer(asked):
        start = int(asked.query.get("at", 0))
        link = f"{shop.url if absolute else ''}/one/invoices?at={start + 2}&x=a%26b" if start < 4 else None
        assert start == 0 or asked.query["x"] == "a&b"
        assert ("limit" in asked.query) == (start == 0)
        answered = page(start, links={"next": None if in_header else link})
        if in_header and link:
            answered.headers["Link"] = f'<{shop.url}/one/invoices>; rel="first", <{link}>; title="x"; rel="next"'
        return answered

    paging = d.LinkPaging(None if in_header else "links.next", size=("limit", "2"))
    found, ids = read(monkeypatch, shop, paging, answer)
    assert found.status == 0, found.log
    assert ids == IDS


@pytest.mark.parametrize(
    ("link", "said"),
    [
        ("https://elsewhere.example/one/invoices?key=hidden-in-link", "leads to no host of the declaration"),
        ("//elsewhere.example/one", "leads to no host of the declaration"),
        ("http://[", "leads to no host of the declaration"),
        (5, "has no usable link to the next one"),
        ("/one/invoices?at=1", "has no usable link to the next one"),
    ],
)
def test_a_link_that_cannot_be_followed_is_a_failure(monkeypatch, shop, link, said):
    found, _ids = read(monkeypatch, shop, d.LinkPaging("next"), lambda asked: page(0, next=link))
    assert found.status == 1
    assert said in found.log
    assert "hidden-in-link" not in found.log


@pytest.mark.parametrize("paging", [d.TokenPaging("token", "next"), d.CursorPaging("after", "id", "next")])
def test_a_size_need_not_be_asked_for(monkeypatch, shop, paging):
    def answer(asked):
        assert set(asked.query) <= {"token", "after"}
        is_first = not asked.query
        return page(0 if is_first else 2, size=2 if is_first else 3, next="t2" if is_first else "")

    found, ids = read(monkeypatch, shop, paging, answer)
    assert (found.status, ids) == (0, IDS)


# -- orders ----------------------------------------------------------------------------------------------


def ordering(**changes):
    return with_reports(
        order_call=lambda account, _report, asked: d.OrderCall(
            path={"account_id": account.account_id}, json={**asked, "least": Decimal("0.10"), "list": ["å"]}
        ),
        **changes,
    )


def test_an_order_may_go_out_as_json(monkeypatch, shop):
    def answer(asked):
        assert asked.headers["Content-Type"] == "application/json"
        assert b'"least":0.10,"list":["\xc3\xa5"]' in asked.body
        return Answered({"id": f"one.{json.loads(asked.body)['day']}", "state": "made"}, 201)

    shop.more["/accounts"] = lambda _asked: Answered({"accounts": [{"id": "one"}]})
    shop.more["/one/runs"] = answer
    found = synced(monkeypatch, shop, ordering())
    assert found.status == 0, found.log
    assert len(found.of("shop_sales")) == 2


@pytest.mark.parametrize("repeatable", [False, True])
def test_an_order_whose_answer_was_lost_is_sent_again_only_where_it_may_be(monkeypatch, shop, repeatable):
    def answer(asked):
        if len(shop.paths("/runs")) == 1:
            return Answered({}, 502)
        return Answered({"id": f"one.{json.loads(asked.body)['day']}", "state": "made"}, 201)

    shop.more["/accounts"] = lambda _asked: Answered({"accounts": [{"id": "one"}]})
    shop.more["/one/runs"] = answer
    found = synced(monkeypatch, shop, ordering(repeatable=repeatable))
    assert found.status == (0 if repeatable else 1)
    assert len(found.of("shop_sales")) == (2 if repeatable else 1)


def test_a_body_is_a_form_or_json():
    with pytest.raises(ValueError, match="form and json"):
        d.OrderCall(form=[], json={})
