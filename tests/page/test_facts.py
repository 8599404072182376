"""Each figure of the page is what the rows of the warehouse add up to; what was not checked is never in order."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tap_billing_reports.core.errors import ConfigError
from tap_billing_reports.page.html import page
from tap_billing_reports.page.read import opened
from tap_billing_reports.page.values import Light, Mark, Money
from tap_billing_reports.sandbox.stripe.accounts import PLATFORM
from tap_billing_reports.views.sql import OwnOrders
from tap_billing_reports.warehouse.address import address_of
from tap_billing_reports.warehouse.errors import LoadError
from tests.page.reading import ME, period, read
from tests.views.tables import D, answers, make, views


def nok(text):
    return Money(D(text), "NOK")


def by_key(found):
    return {answer.key: answer for answer in found.answers}


def table(answer, caption):
    (found,) = [table for table in answer.tables if table.caption == caption]
    return found


def test_every_question_is_asked_in_its_order(asked):
    found = asked.found
    assert found.month == asked.months[0]
    assert list(by_key(found)) == ["close", "ties", "overdue", "way", "fees", "freight", "tax"]
    assert not found.is_invented


def test_the_page_opens_with_money(asked):
    money = asked.found.money
    assert money.caption == f"{asked.months[0]:%B %Y} in money"
    assert dict(zip(money.heads, money.rows[0], strict=True)) == {
        "Currency": "NOK", "Charged": nok("1234567.89"), "Refunded, disputed": nok("0"), "Payment fees": nok("30"),
        "Paid out to the bank": nok("140"), "Balance at the end": nok("1234402.89"),
        "Freight, without tax": nok("2400"), "Owed to you, overdue today": nok("7.5"),
    }  # fmt: skip
    assert money.count == 1
    # The same from the tables themselves.
    sums = {
        "Charged": "select sum(gross) from billing.stripe_balance_change_from_activity_itemized_3 "
        f"where reporting_category = 'charge' and period_start = '{asked.months[0]}'",
        "Paid out to the bank": "select -sum(gross) from billing.stripe_payouts_itemized_3",
        "Freight, without tax": "select sum(net_amount) from billing.invoices where source = 'bring'",
    }
    for head, sql in sums.items():
        assert answers(asked.place, sql) == [(money.rows[0][money.heads.index(head)].amount,)]


def test_may_the_month_be_closed(asked):
    close = by_key(asked.found)["close"]
    assert close.light is Light.LOOK
    assert close.said.startswith("Not yet: 1 of 3 accounts cannot be closed for ")
    assert close.said.endswith(" Of 2 more, not all was checked.")
    rows = table(close, "By account").rows
    assert [row[:3] for row in rows] == [
        ("Stripe", "acct_1", Mark(Light.LOOK, "no")), ("Bring", "2000", Mark(Light.UNCHECKED, "not checked")),
        ("BRP", "1", Mark(Light.UNCHECKED, "not checked")),
    ]  # fmt: skip
    assert rows[0][3] == "checks that failed: 1; payouts that do not tie: 1"
    assert rows[1][3:] == (None, "the files (load the stream reconciliations)")


def test_what_does_not_tie(asked):
    ties = by_key(asked.found)["ties"]
    assert ties.light is Light.LOOK
    assert ties.said == "1 payout and 1 check do not tie."
    (off,) = table(ties, "Payouts that are not the sum of their transactions").rows
    assert off[1:6] == ("po_off", asked.months[0], nok("50"), nok("49"), nok("-1"))
    (failed,) = table(ties, "Checks of files and lists that failed").rows
    assert failed == ("Stripe", "acct_1", "payouts", "As many rows.", D("3"), D("2"), "a row is missing")
    unmade = table(ties, "Single checks that could not be made, and why")
    assert unmade.rows == (("Stripe", "As many bytes.", "nobody says it", 1),)
    assert unmade.is_aside


def test_what_is_owed_to_you_is_apart_from_what_you_owe(asked):
    overdue = by_key(asked.found)["overdue"]
    assert overdue.light is Light.LOOK
    assert overdue.said == (
        "Owed to you, overdue: 7.50 NOK (1 invoice). To be paid by you, overdue: 2\u202f900.00 NOK (29 invoices)."
    )
    late = table(overdue, "Overdue, longest first")
    assert (late.count, len(late.rows), late.rows[0][4]) == (30, 25, 40)
    ages = table(overdue, "Open by vendor, currency and age")
    assert ages.heads == (
        "Side", "Vendor", "Not due", "1 to 30 days", "31 to 60 days", "61 to 90 days", "Over 90 days", "No due date",
        "Open", "Of it uncollectible",
    )  # fmt: skip
    assert ages.rows == (
        ("owed to you", "BRP", None, None, nok("7.5"), None, None, None, nok("7.5"), None),
        ("to be paid by you", "Bring", nok("100"), nok("2900"), None, None, None, None, nok("3000"), None),
    )


def test_void_drafts_and_settled_ones_of_whatever_word_count_nowhere(asked):
    """Bring's closed and Stripe's paid are the same: settled."""
    found = by_key(asked.found)
    numbers = {row[2] for row in table(found["overdue"], "Overdue, longest first").rows}
    assert numbers.isdisjoint({"void", "draft", "paid", "closed"})
    (brp,) = [row for row in table(found["tax"], "By month").rows if row[1] == "BRP"]
    # late, paid and closed; not the draft and the void one
    assert brp[4:] == ("25 %", 3, nok("24"), nok("6"), nok("30"))


def test_how_charges_became_money(asked):
    (flow,) = by_key(asked.found)["way"].flows
    assert [(bar.label, bar.money.amount) for bar in flow.bars] == [
        ("Charges", 149), ("Refunds", -10), ("Not explained", 1), ("Paid out", 140),
    ]  # fmt: skip
    # Each bar begins where the one before has ended.
    assert [round(bar.start, 3) for bar in flow.bars] == [0, round(139 / 149, 3), round(139 / 149, 3), 0]
    assert [round(bar.share, 3) for bar in flow.bars] == [1, round(10 / 149, 3), round(1 / 149, 3), round(140 / 149, 3)]


def test_what_fees_cost(asked):
    fees = by_key(asked.found)["fees"]
    assert fees.said == "30.00 NOK (0.00 % of charges)."
    assert table(fees, "By currency").rows == (
        (nok("30"), nok("10"), nok("20"), nok("0.5"), nok("1234567.89"), "0.00 %"),
    )


def test_what_freight_cost(asked):
    last, before, _ = asked.months
    freight = by_key(asked.found)["freight"]
    assert freight.light is Light.NONE
    assert freight.said == "2\u202f400.00 NOK without tax."
    rows = table(freight, "By currency and month, without tax").rows
    assert rows == (
        (
            f"{last:%B %Y}", nok("2400"), nok("100"), nok("0"), nok("7.125"), nok("0"), nok("0"), nok("2292.875"), 1,
            nok("107.13"),
        ),
        (f"{before:%B %Y}", None, nok("40"), *[nok("0")] * 4, None, 1, nok("40")),
    )  # fmt: skip
    (by_month,) = freight.flows
    assert [(bar.label, bar.money) for bar in by_month.bars] == [(f"{last:%b %Y}", nok("2400"))]


def test_which_tax_is_on_the_invoices(asked):
    rows = table(by_key(asked.found)["tax"], "By month").rows
    bring = (f"{asked.months[0]:%B %Y}", "Bring", "2000", "invoice", "25 %", 30)
    assert rows[0] == (*bring, nok("2400"), nok("600"), nok("3000"))


def test_shipments_without_an_order_are_named(fill, place, months):
    make(place, "shop_orders", [{"order_id": "1", "tracking_number": "S0"}])
    fill(orders=OwnOrders("billing.shop_orders", "order_id", "tracking_number"))
    found = by_key(read(place))
    freight = found["freight"]
    assert freight.light is Light.LOOK
    assert (
        " Of all months that are loaded: 1 shipment has no order. 28 invoices without specification name no shipment"
        in freight.said
    )
    astray = table(freight, "Shipments without an order")
    assert astray.heads == ("Account", "Shipment", "Invoice", "Invoiced", "Freight")
    assert astray.rows == (("2000", "S1", "1", months[0], nok("107.125")),)
    bring = next(row for row in table(found["close"], "By account").rows if row[0] == "Bring")
    assert bring[2:4] == (Mark(Light.LOOK, "no"), "shipments without an order: 1")


def test_freight_is_in_order_only_if_every_shipment_could_be_held_against_an_order(fill, place):
    orders = [{"order_id": str(n), "tracking_number": f"S{n}"} for n in range(2)]
    make(place, "shop_orders", orders)
    fill(orders=OwnOrders("billing.shop_orders", "order_id", "tracking_number"))
    assert by_key(read(place))["freight"].light is Light.UNCHECKED
    database = place.open()
    database._run("delete from billing.invoices where source = 'bring' and invoice_id not in ('0', '1')")
    database._commit()
    database.close()
    freight = by_key(read(place))["freight"]
    assert freight.light is Light.GOOD
    assert freight.said.endswith(" Every shipment has its order.")


def payouts_alone(place, months, **tables):
    last, _, present = months
    paid = {
        **ME, **period(last, present), "currency": "nok", "fee": D("0"), "reporting_category": "payout",
        "payout_status": "paid", "payout_type": "bank_account", "payout_id": "po_1", "gross": D("-9"), "net": D("-9"),
        "balance_transaction_id": "a", "effective_at": f"{last} 09:00:00+00",
    }  # fmt: skip
    make(place, "stripe_payouts_itemized_3", [paid])
    make(
        place, "invoices",
        [{
            **ME, "invoice_id": "1", "invoice_number": "1", "type": "invoice", "status": "paid", "currency": "NOK",
            "invoice_date": last, "total_amount": D("9"), "is_settled": True,
        }],
    )  # fmt: skip
    for name, rows in tables.items():
        make(place, name, rows)
    views(place)


def test_payouts_that_nobody_could_check_are_not_in_order(place, months):
    payouts_alone(place, months)
    found = by_key(read(place))
    for key in ("close", "ties"):
        assert found[key].light is Light.UNCHECKED, key
    assert found["close"].said.startswith("It was not fully checked: nothing speaks against closing ")
    assert found["ties"].said.startswith("Nothing could be checked yet. Not all of ")
    unchecked = table(found["ties"], f"What could not be checked in {months[0]:%B %Y}")
    assert "payouts against their transactions: 1 (load the report payout_reconciliation" in unchecked.rows[0][2]
    assert found["overdue"].light is Light.GOOD
    assert found["overdue"].said == "Nothing is overdue."


def test_an_open_invoice_without_a_due_date_is_neither_overdue_nor_in_order(place, months):
    payouts_alone(place, months)
    database = place.open()
    database._run("update billing.invoices set status = 'open', is_settled = false")
    database._commit()
    database.close()
    overdue = by_key(read(place))["overdue"]
    assert overdue.light is Light.UNCHECKED
    assert overdue.said == (
        "Nothing is overdue. 1 open invoice has no due date. "
        "Stripe does not say what remains of an invoice: its total counts."
    )


def test_what_nobody_expects_to_get_is_told_apart(place, months):
    (today,) = answers(place, "select current_date")[0]
    owed = {
        **ME, "type": "invoice", "currency": "NOK", "invoice_date": months[0], "due_date": today - timedelta(days=5),
        "is_settled": False,
    }  # fmt: skip
    rows = [
        {**owed, "invoice_id": number, "invoice_number": number, "status": status, "total_amount": D(total)}
        for number, status, total in [("a", "open", "7"), ("b", "uncollectible", "2"), ("c", "uncollectible", "3")]
    ]
    make(place, "invoices", rows)
    views(place)
    overdue = by_key(read(place))["overdue"]
    ages = table(overdue, "Open by vendor, currency and age")
    assert [(row[3], *row[-2:]) for row in ages.rows] == [(nok("12"), nok("12"), nok("5"))]
    late = table(overdue, "Overdue, longest first")
    assert {row[2]: row[-2:] for row in late.rows} == {"a": (None, None), "b": (None, "yes"), "c": (None, "yes")}


def test_a_transaction_that_no_payout_names_stands_beside_the_payout_that_lacks_it(place, months):
    last, before, present = months
    moved = {**ME, **period(last, present), "currency": "nok", "reporting_category": "charge", "fee": D("0")}
    make(
        place, "stripe_balance_change_from_activity_itemized_3",
        [
            {**moved, "balance_transaction_id": name, "gross": D(net), "net": D(net), "created": f"{day} 10:00:00+00"}
            # Two are older than the newest one of the payout; the last one is on its way.
            for name, net, day in [
                ("in", "40", last), ("lost", "7", before), ("lost too", "2", before), ("next", "9", present),
            ]
        ],
    )  # fmt: skip
    named = {**ME, "currency": "nok", "fee": D("0"), "reporting_category": "charge", "automatic_payout_id": "po_1"}
    reconciled = [{**named, "balance_transaction_id": "in", "gross": D("40"), "net": D("40")}]
    paid = {
        **ME, **period(last, present), "currency": "nok", "fee": D("0"), "reporting_category": "payout",
        "payout_status": "paid", "payout_type": "bank_account", "payout_id": "po_1", "gross": D("-49"),
        "net": D("-49"), "balance_transaction_id": "a", "effective_at": f"{present} 09:00:00+00",
    }  # fmt: skip
    make(place, "stripe_payout_reconciliation_itemized_5", reconciled)
    make(place, "stripe_payouts_itemized_3", [paid])
    views(place)
    (off,) = table(by_key(read(place))["ties"], "Payouts that are not the sum of their transactions").rows
    assert off[4:7] == (nok("40"), nok("-9"), "2 transactions: 9.00 NOK")
    ties = {**reconciled[0], "balance_transaction_id": "other", "gross": D("9"), "net": D("9")}
    make(place, "stripe_payout_reconciliation_itemized_5", [ties], add=True)
    assert answers(
        place, "select ties, unassigned_transactions, unassigned_net from billing.payout_reconciliation"
    ) == [(True, None, None)]


def test_what_was_checked_whole_is_in_order(place, months):
    last, _, present = months
    mine = {**ME, **period(last, present), "currency": "nok"}
    payouts_alone(
        place, months,
        stripe_balance_change_from_activity_itemized_3=[{
            **mine, "balance_transaction_id": "t", "reporting_category": "charge", "gross": D("9"), "fee": D("0"),
            "net": D("9"), "created": f"{last} 10:00:00+00", "invoice_id": "1",
        }],
        stripe_payout_reconciliation_itemized_5=[{
            **ME, "currency": "nok", "automatic_payout_id": "po_1", "reporting_category": "charge", "gross": D("9"),
            "fee": D("0"), "net": D("9"),
        }],
        stripe_balance_summary_1=[
            {**mine, "category": category, "net_amount": D(amount)}
            for category, amount in [
                ("starting_balance", "0"), ("activity", "9"), ("payouts", "-9"), ("ending_balance", "0"),
            ]
        ],
        reconciliations=[{**ME, "subject": "invoices", '"check"': "unique_ids", "ok": True}],
    )  # fmt: skip
    found = by_key(read(place))
    assert {key: answer.light for key, answer in found.items() if answer.light is not Light.NONE} == {
        "close": Light.GOOD, "ties": Light.GOOD, "overdue": Light.GOOD,
    }  # fmt: skip
    assert found["close"].said.startswith("Yes: everything of 1 account was checked")
    assert found["ties"].said == (
        "Everything that was checked ties: 1 payout, 1 balance, 1 invoice and 1 check of files and lists."
    )


def test_the_emulated_vendors_are_known_by_their_account(place, months):
    last, *_ = months
    make(place, "invoices", [{"source": "stripe", "account_id": PLATFORM.id, "invoice_date": last}])
    views(place)
    assert read(place).is_invented


def test_a_ledger_and_an_invoice_of_fees_count_where_they_belong(place, months):
    last, *_ = months
    ledger = {"source": "vipps", "account_id": "302321", "currency": "nok", "ledger_date": last}
    moves = [("capture", "100", "0"), ("refund", "-30", "100"), ("payout-scheduled", "-70", "70")]
    make(
        place, "vipps_funds",
        [
            {
                **ledger, "row_number": number, "psp_reference": str(number), "entry_type": kind, "amount": D(amount),
                "balance_before": D(before), "balance_after": D(before) + D(amount),
            }
            for number, (kind, amount, before) in enumerate(moves)
        ],
    )  # fmt: skip
    # It is no payout that a bank has seen.
    fees = {"source": "klarna", "account_id": "K1", "currency_code": "NOK", "merchant_settlement_type": "GROSS_FEE"}
    owed = {"payment_reference": "A", "payout_date": f"{last} 07:00:00+00", "totals_settlement_amount": D("-5")}
    make(place, "klarna_payouts", [{**fees, **owed}])
    views(place)
    money = read(place).money
    assert dict(zip(money.heads, money.rows[0], strict=True)) == {
        "Currency": "NOK", "Charged": nok("100"), "Refunded, disputed": nok("-30"), "Payment fees": nok("0"),
        "Paid out to the bank": nok("70"), "Balance at the end": nok("0"),
    }  # fmt: skip
    (flow,) = by_key(read(place))["way"].flows
    assert flow.title == "NOK: 1 payout"


def test_a_vendor_that_is_not_there_leaves_no_box(place):
    views(place)
    found = read(place)
    assert found.answers == ()
    assert found.money is None
    assert "holds nothing yet" in page(found)


def test_a_warehouse_without_views_is_refused_with_the_remedy(place):
    make(place, "invoices", [{"source": "bring"}])
    with (
        pytest.raises(ConfigError, match=r"lacks the views .*billing-reports views"),
        opened(address_of(place.url), "billing"),
    ):
        pass


def test_what_the_warehouse_refuses_is_told_without_words_on_loading(place):
    views(place)
    with opened(address_of(place.url), "billing") as reading, pytest.raises(LoadError) as caught:
        reading.rows("select nothing from {schema}.open_items")
    assert "the warehouse refused" in str(caught.value)
    assert "was loaded" not in str(caught.value)


def test_a_file_that_is_not_there_is_not_made(tmp_path):
    path = tmp_path / "none.duckdb"
    with pytest.raises(ConfigError, match="no such file"), opened(address_of(f"duckdb:{path}"), "billing"):
        pass
    assert not path.exists()
