"""JSON and XML as they are: every digit, and nothing that stands for something else."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_billing_reports.core.about import About
from tap_billing_reports.core.errors import AccountError, Unavailable
from tap_billing_reports.core.json_text import to_json
from tap_billing_reports.declare.paths import tree
from tap_billing_reports.http.responses import Answer, Problem, describe, problem_of


def answer(body: bytes, status: int = 200, **headers: str) -> Answer:
    return Answer(About("vendor", "1", "GET https://host/path"), status, headers, body)


@pytest.mark.parametrize(
    "digits", ["123456789012345678901234567890", "-0.10", "0.1000000000000000000001", "1e2", "10.00", "1E-20", "-0"]
)
def test_digits_survive(digits):
    value = answer(f'{{"a": {digits}}}'.encode()).json()["a"]
    assert not isinstance(value, float)
    assert Decimal(value) == Decimal(digits)
    if "e" not in digits.lower() and digits != "-0":
        assert to_json(value) == digits


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_any_decimal_survives(number):
    assert answer(f"[{number}]".encode()).json() == [number]
    assert Decimal(to_json(number)) == number


@given(st.integers())
def test_any_integer_survives(number):
    assert answer(f"[{number}]".encode()).json() == [number]


def test_halves_of_characters_are_mended():
    body = rb'{"cut \ud83d": ["emoji \ud83d\ude00", "cut \ud83d", "\ude00 rest", "\\ud83d", 1.50]}'
    value = answer(body).json()
    assert value == {"cut \ufffd": ["emoji 😀", "cut \ufffd", "\ufffd rest", "\\ud83d", Decimal("1.50")]}
    to_json(value).encode()


def test_answers_are_parsed_once():
    whole = answer(b'{"a": []}')
    assert whole.json() is whole.json()
    assert answer(b" <a/>").parsed().tag == "a"
    assert answer(b" [1]").parsed() == [1]


@pytest.mark.parametrize(
    "body",
    [
        b'<!DOCTYPE a [<!ENTITY x "1">]><a>1&x;2</a>',
        b"<!DOCTYPE a SYSTEM 'http://127.0.0.1:1/x.dtd'><a/>",
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
        b"<!DOCTYPE a><a/>",
        b'<!DOCTYPE a [<!ATTLIST a b CDATA "given">]><a/>',
    ],
)
def test_document_types_are_refused(body):
    with pytest.raises(AccountError, match="document type"):
        answer(body).xml()


def test_entity_bombs_are_refused():
    levels = "".join(f'<!ENTITY b{n + 1} "{f"&b{n};" * 10}">' for n in range(12))
    body = f'<!DOCTYPE a [<!ENTITY b0 "ha">{levels}]><a x="&b12;">&b12;</a>'.encode()
    with pytest.raises((AccountError, Unavailable)):
        answer(body).xml()


def test_comments_do_not_split_text():
    root = answer(b"<a><amount>1<!-- x -->2.<?pi x?>50</amount><b><![CDATA[<1&2>]]></b><c> </c></a>").xml()
    assert tree(root) == {"amount": "12.50", "b": "<1&2>", "c": None}


def test_declared_encodings():
    body = '<?xml version="1.0" encoding="ISO-8859-1"?><a>Blåbær</a>'.encode("latin-1")
    assert tree(answer(body).xml()) == "Blåbær"


def test_what_a_tree_is():
    root = answer(b"<l xmlns='urn:x'><r><a>1</a></r><r><a>2</a><a>3</a><a>4</a></r><e/></l>").xml()
    assert tree(root) == {"r": [{"a": "1"}, {"a": ["2", "3", "4"]}], "e": None}


def test_a_message_without_query_user_or_fragment():
    assert describe("GET", "https://u:p@host:8443/a/b%7Cc?apikey=1#x") == "GET https://host:8443/a/b%7Cc"


@pytest.mark.parametrize("fails", [KeyError("x"), AttributeError("x"), Unavailable("x"), TypeError("x")])
def test_an_error_in_a_shape_of_its_own_is_judged_by_the_status(fails):
    def read(_answer: Answer) -> Problem | None:
        raise fails

    found = problem_of(answer(b'{"error": "text"}', 403), read)
    assert found is not None
    assert found.kind == "authentication"
    assert found.said == ' ({"error": "text"})'
    assert problem_of(answer(b"{}"), read) is None


def test_an_error_with_status_200():
    def read(_answer: Answer) -> Problem | None:
        return Problem(message="no such company", code="INVALID", param="companyid")

    found = problem_of(answer(b"<errors/>"), read)
    assert found == Problem("refused", "no such company", "INVALID", "companyid", 200, is_vendors_word=True)
    assert found.said == " (INVALID: no such company)"


def test_a_language_that_is_not_accepted_is_told():
    found = problem_of(answer(b"", 406), None)
    assert found is not None
    assert "language" in found.message
