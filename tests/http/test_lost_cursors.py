"""Paging goes on where records of the list are deleted while it is read, whatever is deleted and when."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_billing_reports.core.about import About
from tap_billing_reports.core.errors import AccountError, Refused
from tap_billing_reports.declare import CursorPaging, Endpoint, paging
from tap_billing_reports.http.responses import Answer
from tap_billing_reports.vendors.stripe import STRIPE
from tests.fakes import scripted

PAGE = 3


def is_lost(error: Refused) -> bool:
    return error.code == "lost"


ENDPOINT = Endpoint(
    "api", "/list", records=("data",), paging=CursorPaging("after", "id", "more", ("limit", str(PAGE)), lost=is_lost)
)


def read(count, deletions, trail=1000):
    """The keys that a reader gets of a list of so many records, of which some are deleted after each page.

    `deletions`: for each page that is sent, the places of records that are gone thereafter.
    """
    there, pending = list(range(count)), list(deletions)
    client = scripted(STRIPE, {})

    def call(_method, _host, _path, *, params, **_):
        after = next((int(value) for name, value in params if name == "after"), None)
        if after is not None and after not in there:
            raise Refused("no such record", status=400, code="lost")
        rest = [key for key in there if after is None or key > after]
        for key in pending.pop(0) if pending else ():
            if key in there:
                there.remove(key)
        body = {"data": [{"id": str(key)} for key in rest[:PAGE]], "more": len(rest) > PAGE}
        return Answer(About("stripe", "acct_1", "GET /list"), 200, {}, json.dumps(body).encode())

    client.http.call = call  # type: ignore[assignment, method-assign] # stands in for the vendor
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(paging, "_TRAIL_RECORDS", trail)
        keys = [int(record["id"]) for record in client.records(ENDPOINT)]
    return keys, there


@given(st.integers(0, 30), st.lists(st.sets(st.integers(0, 29), max_size=12), max_size=12))
def test_what_is_there_comes_once_and_in_order(count, deletions):
    keys, there = read(count, deletions)
    assert keys == sorted(set(keys))
    assert set(there) <= set(keys)


@given(st.lists(st.sets(st.integers(0, 29), max_size=12), max_size=12))
def test_with_a_short_memory_it_ends_so_or_in_words(deletions):
    try:
        keys, there = read(30, deletions, trail=4)
    except AccountError as error:
        assert "deleted while it is read" in str(error)  # noqa: PT017 - either end is right
    else:
        assert keys == sorted(set(keys))
        assert set(there) <= set(keys)


def test_a_record_without_its_key_goes_on_to_whoever_reads_it():
    client = scripted(STRIPE, {})
    body = {"data": [{"id": "1"}, {"amount": 5}, {"id": "2"}], "more": False}
    answer = Answer(About("stripe", "acct_1", "GET /list"), 200, {}, json.dumps(body).encode())
    client.http.call = lambda *_args, **_kwargs: answer  # type: ignore[method-assign] # stands in for the vendor
    assert list(client.records(ENDPOINT)) == body["data"]
