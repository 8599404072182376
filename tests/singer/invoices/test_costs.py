"""What is known of one invoice is found at the same cost, however much is known of others."""

from __future__ import annotations

from tap_billing_reports.singer.invoices.duplicates import Duplicates
from tap_billing_reports.singer.invoices.reader import Brief
from tap_billing_reports.singer.invoices.shared_numbers import SharedNumbers
from tests.reports.steps import steps

FEW, MANY = 100, 5_000


def brief(number, amount="1.00"):
    return Brief.of({"account_id": "1", "invoice_id": str(number), "total_amount": amount})


def of_shared_numbers(count):
    bookmark = {"shared_numbers": [["bring", "1", str(number), "NO", None] for number in range(count)]}
    shared = SharedNumbers(lambda: bookmark)
    assert shared.get("bring", "1", "none") is None
    found = steps(lambda: shared.get("bring", "1", str(count - 1)))
    listed = [{"source": "bring", "account_id": "1", "invoice_id": "new", "invoice_date": day} for day in ("1", "2")]
    shared.rename([{**one, "issuer": issuer} for one, issuer in zip(listed, ("NO", "SE"), strict=True)], "issuer")
    assert len(bookmark["shared_numbers"]) == count + 1
    assert shared.get("bring", "1", "new") == ("bring", "1", "new", "NO", None), "what is new is known at once"
    return found


def test_a_shared_number_is_found_at_the_same_cost_however_many_there_are():
    assert of_shared_numbers(MANY) == of_shared_numbers(FEW)


def of_duplicates(count):
    """What it takes to see which invoices of one account differ, where so many of two others do."""
    seen = Duplicates()
    for number in range(count):
        assert seen.is_new("bring", "a", brief(number))
        assert not seen.is_new("bring", "b", brief(number, "2.00"))
    assert seen.is_new("bring", "c", brief("one"))
    assert not seen.is_new("bring", "a", brief("one", "2.00"))
    found = steps(lambda: seen.differing("bring", "c"))
    assert seen.differing("bring", "c") == ["one"]
    assert seen.differing("bring", "a") == [*map(str, range(count)), "one"]
    assert seen.differing("bring", "d") == []
    return found


def test_what_differs_of_one_account_costs_the_same_however_much_does_of_others():
    assert of_duplicates(MANY) == of_duplicates(FEW)
