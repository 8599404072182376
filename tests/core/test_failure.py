"""A failure keeps its facts, whatever its words are."""

from __future__ import annotations

from dataclasses import fields

from tap_billing_reports.core.about import About
from tap_billing_reports.core.errors import FileError, Misplaced, Refused, RetryableError, Unavailable
from tap_billing_reports.core.failure import Failure
from tap_billing_reports.core.redaction import redact

CALL = About("acme", "17", "GET https://acme.example/x")


def test_the_text_of_an_error_begins_with_whose_it_is():
    assert str(Unavailable("no answer", about=CALL)) == "acme account 17: GET https://acme.example/x: no answer"
    assert str(Refused("HTTP 400", status=400, about=About("acme", "17"))) == "acme account 17: HTTP 400"
    assert str(FileError("a NUL byte", line=3)) == "line 3: a NUL byte"
    assert Misplaced.of(CALL, "it is b").message == "the answer is to another question: it is b"


def test_what_an_error_knows_comes_before_what_its_surroundings_know():
    failure = Failure.of(Unavailable("no answer", about=CALL), About("acme", "other"), stream="invoices")
    assert failure == Failure("no answer", "acme", "17", "invoices", call="GET https://acme.example/x")
    assert failure.remedy == RetryableError.remedy
    assert str(failure) == "acme account 17: GET https://acme.example/x: no answer"


def test_an_error_that_knows_nothing_is_named_by_its_surroundings():
    failure = Failure.of(Unavailable("acme account 3: GET x: odd words"), About("acme", "17"), stream="invoices")
    assert failure == Failure("acme account 3: GET x: odd words", "acme", "17", "invoices")


def test_a_period_is_its_own_accounts_whoever_was_asked():
    error = Unavailable("no answer", about=About("acme", "platform", "GET https://acme.example/x"))
    failure = Failure.of(error, About("acme", "17"), stream="acme_rows", period="2026", run="r1", more="; twice")
    assert str(failure) == (
        "acme_rows account 17 period 2026: run r1: acme account 17: GET https://acme.example/x: no answer; twice"
    )
    assert failure.without_stream is failure


def test_the_remedy_is_no_part_of_what_a_failure_is():
    assert Failure("x", remedy="a") == Failure("x", remedy="b")
    assert Failure("x", stream="a").without_stream == Failure("x", stream="b").without_stream


def test_no_fact_holds_a_secret():
    secret = "acme-secret-0123456789"
    redact.add(secret)
    failure = Failure(**{fact.name: f"{fact.name} {secret}" for fact in fields(Failure)})
    assert secret not in repr(failure.redacted())
