"""The accounting identities of the emulated Stripe, for every account, currency and window.

A report that broke one of them could not be told from a tap that loses rows.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tap_billing_reports.sandbox.stripe.accounts import ACCOUNTS
from tap_billing_reports.sandbox.stripe.money import CURRENCIES
from tests.sandbox.stripe_books import ACTIVITY, NOW, PAYOUTS, SETTLED, UNSETTLED, Amounts, Books, summary

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ITEMIZED = (ACTIVITY, PAYOUTS, SETTLED, UNSETTLED)
ZONES = ("UTC", "Europe/Oslo", "America/Los_Angeles")
WINDOWS = (*itertools.product(("month", "week"), ZONES), ("day", "America/Los_Angeles"))


def nets(rows: Iterable[Mapping[str, Any]]) -> Amounts:
    """Currency -> sum of the net amounts."""
    sums: dict[str, int] = defaultdict(int)
    for row in rows:
        sums[row["currency"]] += row["net"]
    return sums


def amounts(balances: Amounts) -> frozenset[tuple[str, int]]:
    """The balances that are not zero: a currency without money need not be named."""
    return frozenset((currency, net) for currency, net in balances.items() if net)


@pytest.fixture(scope="module")
def books() -> Books:
    return Books(7)


@pytest.fixture(params=sorted(ACCOUNTS))
def account(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("seed", [7, 20261120])
def test_opening_and_activity_less_payouts_is_ending_which_is_what_is_not_settled(account, seed):
    """In windows that chain. The money of failed payouts is unsettled until a later payout takes it out."""
    books, seen = Books(seed), set()
    for unit, zone in WINDOWS:
        windows = books.windows(unit, zone)
        assert len(windows) >= 7
        before = None
        for window in windows:
            starting, ending = books.balances(account, window)
            assert before in {None, amounts(starting)}, (window, "the balance of the window before goes on")
            before = amounts(ending)
            activity, payouts, unsettled = (
                nets(books.rows(account, summary(kind), window)) for kind in (ACTIVITY, PAYOUTS, UNSETTLED)
            )
            for currency in CURRENCIES:
                moved = activity.get(currency, 0) + payouts.get(currency, 0)
                assert starting.get(currency, 0) + moved == ending.get(currency, 0), (window, currency)
                assert unsettled.get(currency, 0) == ending.get(currency, 0), (window, currency)
                seen.add(currency)
    assert seen == set(CURRENCIES)


@pytest.mark.parametrize("kind", ITEMIZED)
def test_gross_less_fee_is_net_in_every_row(books, account, kind):
    rows = books.rows(account, kind, books.whole)
    summed = books.rows(account, summary(kind), books.whole)
    assert rows
    for row in rows + summed:
        assert row["gross"] - row["fee"] == row["net"]


@pytest.mark.parametrize("kind", ITEMIZED)
def test_summaries_are_the_sums_of_the_rows(books, account, kind):
    for window in books.windows("month", "Europe/Oslo"):
        groups: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
        for row in books.rows(account, kind, window):
            added = (1, row["gross"], row["fee"], row["net"])
            key = row["reporting_category"], row["currency"]
            groups[key] = [one + other for one, other in zip(groups[key], added, strict=True)]
        summed = {
            (row["reporting_category"], row["currency"]): [row[name] for name in ("count", "gross", "fee", "net")]
            for row in books.rows(account, summary(kind), window)
        }
        assert summed == groups


def test_a_fee_is_its_parts_and_the_tax_withheld(books, account):
    rows = books.rows(account, ACTIVITY, books.whole)
    assert all(row["fee"] == row["fee_net_of_withheld_tax"] + row["withheld_tax"] for row in rows)
    assert any(0 < row["withheld_tax"] < row["fee"] for row in rows)
    billed = -sum(row["gross"] for row in rows if row["reporting_category"] in {"fee", "tax"})
    parts = books.rows(account, "all_fees.balance_transaction_created.itemized.2", books.whole)
    assert sum(row["amount"] + row["tax"] for row in parts) == sum(row["fee"] for row in rows) + billed
    components = books.rows(account, "activity.itemized.2", books.whole)
    assert sum(row["amount"] for row in components) == sum(row["net"] for row in rows)


def test_a_payout_is_its_transactions(books, account):
    payouts = [row for row in books.rows(account, PAYOUTS, books.whole) if row["reporting_category"] == "payout"]
    assert len(payouts) > 50
    settled = defaultdict(list)
    for row in books.rows(account, SETTLED, books.whole):
        settled[row["automatic_payout_id"]].append(row)
    for payout in payouts:
        rows = settled.pop(payout["payout_id"])
        assert {row["currency"] for row in rows} == {payout["currency"]}
        assert sum(row["net"] for row in rows) == -payout["net"]
        assert books.rows(account, "payout_reconciliation.by_id.itemized.4", payout=payout["payout_id"]) == rows
    assert not settled, "nothing is settled by a payout that nobody lists"


def test_what_comes_back_is_settled_by_a_later_payout_or_not_yet(books, account):
    listed = books.rows(account, PAYOUTS, books.whole)
    ended = {row["payout_id"]: row["payout_status"] for row in listed}
    back = {row["balance_transaction_id"]: row for row in listed if row["reporting_category"] == "payout_reversal"}
    assert {ended[row["payout_id"]] for row in back.values()} == {"failed", "canceled"}
    assert {row["payout_id"] for row in back.values()} == {name for name, status in ended.items() if status != "paid"}
    settled = [row for row in books.rows(account, SETTLED, books.whole) if row["balance_transaction_id"] in back]
    for row in settled:
        assert row["automatic_payout_effective_at"] > back[row["balance_transaction_id"]]["effective_at"]
        assert row["automatic_payout_id"] != row["source_id"]
    unsettled = books.rows(account, UNSETTLED, books.whole)
    still = {row["balance_transaction_id"] for row in unsettled if row["balance_transaction_id"] in back}
    assert {row["balance_transaction_id"] for row in settled} | still == back.keys()
    assert settled


def test_an_invoice_and_the_charge_that_paid_it_are_one(books, account):
    rows = books.rows(account, ACTIVITY, (int((NOW - timedelta(days=220)).timestamp()), books.whole[1]))
    charges = {
        row["invoice_id"]: row for row in rows if row.get("invoice_id") and row["reporting_category"] == "charge"
    }
    invoices = {invoice.id: invoice for invoice in books.vendor.books[account].newest_first()}
    paid = {name for name, one in invoices.items() if one.status == "paid" and one.amount_due > 0}
    assert {name for name in paid if invoices[name].paid_at < books.whole[1]} == charges.keys()
    assert charges
    for name, charge in charges.items():
        invoice = invoices[name]
        assert (charge["gross"], charge["currency"]) == (invoice.total, invoice.currency)
        assert (charge["customer_id"], charge["customer_email"]) == (invoice.customer.id, invoice.customer.email)
        assert (charge["invoice_number"], charge["subscription_id"]) == (invoice.number, invoice.subscription)
        assert charge["created"].timestamp() == invoice.paid_at
    assert {row.get("invoice_id") for row in rows} - {None} == charges.keys(), "refunds and disputes are of these, too"


def test_what_goes_back_is_part_of_a_charge(books, account):
    rows = books.rows(account, ACTIVITY, (int((NOW - timedelta(days=220)).timestamp()), books.whole[1]))
    of_charges: dict[str, dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        if row.get("charge_id"):
            of_charges[row["charge_id"]][row["reporting_category"]].append(row)
    seen: set[str] = set()
    for found in of_charges.values():
        (charge,) = found.pop("charge")
        seen |= found.keys()
        back = -sum(row["gross"] for kind in found.values() for row in kind)
        assert 0 <= back <= charge["gross"]
        for row in itertools.chain(*found.values()):
            assert row["created"] > charge["created"] == row["charge_created"]
            for same in ("currency", "customer_id", "payment_intent_id", "invoice_id", "card_brand"):
                assert row[same] == charge[same]
    assert {"refund", "dispute", "dispute_reversal"} <= seen


def test_the_tax_of_an_invoices_payment_is_the_invoices(books, account):
    invoices = {f"ch_{one.id[3:]}": one for one in books.vendor.books[account].newest_first()}
    ids = {row["balance_transaction_id"]: row.get("charge_id") for row in books.rows(account, ACTIVITY, books.whole)}
    taxes: dict[str, int] = defaultdict(int)
    for row in books.rows(account, "tax.transactions.itemized.2", books.whole):
        assert row["subtotal"] == row["taxable_amount"] + row["non_taxable_amount"]
        charge = ids[row["id"].replace("taxtxn_", "txn_")]
        if row["type"] == "sale" and charge in invoices:
            taxes[charge] += row["tax_amount"]
    assert taxes
    assert dict(taxes) == {charge: invoices[charge].tax for charge in taxes}


def test_days_that_go_by_leave_the_past_as_it_was():
    books = Books(7)
    kinds = (ACTIVITY, PAYOUTS, SETTLED, UNSETTLED)

    def past() -> list[Any]:
        return [books.rows(account, summary(kind), books.whole) for account in ACCOUNTS for kind in kinds]

    before = past()
    for _ in range(12):
        books.clock.advance(86_400)
        books.vendor.next_day()
    assert past() == before
    assert books.rows("acct_sandbox", PAYOUTS, (books.whole[1], books.whole[1] + 12 * 86_400))
