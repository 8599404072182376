"""Whether a month may be closed: yes, no, or not checked, each with its reason."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from tap_billing_reports.views.sql import OwnOrders
from tests.views.rows import ACTIVITY, JUNE, MAY, ME, check, invoice, moved, named, paid_out, parcel, run
from tests.views.tables import D, answers, make, views

CLOSED = "select month, verdict, may_close, why_not, not_checked from billing.close_checklist order by month"


def stated(period, **amounts):
    return [
        {**ME, **period, "category": category, "net_amount": D(amount), "currency": "nok"}
        for category, amount in amounts.items()
    ]


def whole_may(place, *, without=()):
    """May with everything that can be checked, and nothing wrong; `without` names tables that are not loaded."""
    tables = {
        ACTIVITY: [moved(1, "charge", "125", invoice_id="in_1")],
        "invoices": [
            invoice(1, "paid", "125", paid_date=date(2026, 5, 6)),
            invoice(2, "open", "9", day=date(2026, 5, 1)),
        ],
        "stripe_payouts_itemized_3": [paid_out(1, "-50")],
        "stripe_payout_reconciliation_itemized_5": [named(1, 1, "charge", "50")],
        "stripe_balance_summary_1": stated(
            MAY, starting_balance="0", activity="125", payouts="-50", ending_balance="75"
        ),
        "report_runs": [run(1)],
        "reconciliations": [check(1)],
    }
    for table, rows in tables.items():
        if table not in without:
            make(place, table, rows)


def closed(place):
    views(place)
    ((month, *found),) = answers(place, CLOSED)
    assert month == date(2026, 5, 1)
    return found


def test_a_month_may_be_closed_when_all_was_checked_and_nothing_speaks_against_it(place):
    whole_may(place)
    assert closed(place) == ["yes", True, None, None]


def test_without_the_transactions_of_payouts_it_is_neither_yes_nor_no(place):
    whole_may(place, without=["stripe_payout_reconciliation_itemized_5"])
    verdict, may, why_not, not_checked = closed(place)
    assert (verdict, may, why_not) == ("not checked", None, None)
    assert not_checked.startswith(
        "payouts against their transactions: 1 (load the report payout_reconciliation.itemized"
    )


def test_each_thing_that_was_not_checked_is_said_with_the_remedy(place):
    whole_may(place, without=["stripe_balance_summary_1", "reconciliations", "stripe_payouts_itemized_3"])
    assert closed(place) == [
        "not checked", None, None,
        "the files (load the stream reconciliations); the balance (load the report balance.summary by month)",
    ]  # fmt: skip


def test_payouts_that_were_read_and_are_none_are_checked(place):
    """The run of the report says that it was read; without its table and without a run, nobody knows."""
    whole_may(place, without=["stripe_payouts_itemized_3", "stripe_balance_summary_1", "report_runs"])
    *_, not_checked = closed(place)
    assert not_checked == (
        "the balance (load the report balance.summary by month); the payouts of all its days (load the report "
        "payouts.itemized, and the stream report_runs, which tells that there were none)"
    )


def test_payouts_of_another_month_are_not_those_of_this_one(place):
    """The balance may say that none was paid out: a payout and its return add up to that, too."""
    whole_may(place, without=["stripe_payouts_itemized_3", "stripe_balance_summary_1", "report_runs"])
    balance = stated(MAY, starting_balance="0", activity="125", ending_balance="125")
    make(place, "stripe_balance_summary_1", balance)
    make(place, "stripe_payouts_itemized_3", [paid_out(1, "-50", period=JUNE, day="2026-06-03")])
    make(place, "report_runs", [run(1, report_type="balance.summary.1"), run(2, period=JUNE["period"])])
    views(place)
    verdict, may, why_not, not_checked = answers(place, CLOSED)[0][1:]
    assert (verdict, may, why_not) == ("not checked", None, None)
    assert "the payouts of all its days (load" in not_checked


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2026-05-01T07:00:00Z", "2026-06-01T07:00:00Z"), ("2026-04-30T11:00:00Z", "2026-05-31T11:00:00Z"),
        ("2026-05-01T10:00:00Z", "2026-06-01T10:00:00Z"),
    ],
    ids=["Los Angeles", "Apia", "Honolulu"],
)  # fmt: skip
def test_a_month_without_a_row_was_read_by_the_word_of_its_runs(place, start, end):
    """Nothing moved in May: neither its activity nor its payouts have a row, and all of it was read."""
    may = {"period": start, "window_end": end}
    make(place, ACTIVITY, [moved(1, "charge", "9", period=JUNE)])
    make(place, "stripe_balance_summary_1", stated(MAY, starting_balance="5", ending_balance="5"))
    activity = run(2, report_type="balance_change_from_activity.itemized.3", **may)
    make(place, "report_runs", [run(1, **may), activity])
    make(place, "reconciliations", [check(1), check(2)])
    views(place)
    assert answers(place, CLOSED)[0] == (date(2026, 5, 1), "yes", True, None, None)


def test_without_transactions_nothing_is_checked(place):
    whole_may(place, without=[ACTIVITY, "report_runs"])
    verdict, may, why_not, not_checked = closed(place)
    assert (verdict, may, why_not) == ("not checked", None, None)
    assert [part.partition(" (load ")[0] for part in not_checked.split("; ")] == [
        "what happened on its days", "balances against their transactions: 1", "invoices against their cash: 2",
    ]  # fmt: skip


def test_a_report_without_the_invoices_ids_accuses_no_invoice(place):
    whole_may(place, without=[ACTIVITY])
    make(place, ACTIVITY, [moved(1, "charge", "125")], invoice_id="text")
    _, _, why_not, not_checked = closed(place)
    assert why_not is None
    assert not_checked.startswith("invoices against their cash: 2 (load")
    assert answers(place, "select distinct verdict from billing.invoice_settlement") == [
        ("cannot be checked: no transaction of this account names an invoice (order the column invoice_id)",)
    ]


def test_a_payout_of_which_only_its_return_is_loaded_counts_in_the_month_of_its_return(place):
    """As when loading begins between the two: it has no day of its own, and must not be passed over."""
    whole_may(place, without=["stripe_balance_summary_1"])
    make(place, "stripe_payouts_itemized_3", [paid_out(9, "30", category="payout_reversal")], add=True)
    balance = stated(MAY, starting_balance="0", activity="125", payouts="-20", ending_balance="105")
    make(place, "stripe_balance_summary_1", balance)
    verdict, may, why_not, not_checked = closed(place)
    assert (verdict, may, why_not) == ("not checked", None, None)
    assert not_checked.startswith("payouts against their transactions: 1 ")


def test_what_speaks_against_a_month_is_said_whatever_else_was_not_checked(place):
    whole_may(place)
    add = [invoice(3, "paid", "50", day=date(2026, 6, 2), paid_date=date(2026, 6, 2))]
    for table, rows in {
        ACTIVITY: [moved(2, "charge", "9", period=JUNE)],
        "stripe_payouts_itemized_3": [paid_out(2, "-50", period=JUNE, day="2026-06-03")],
        "stripe_payout_reconciliation_itemized_5": [named(2, 2, "charge", "51")],
        "stripe_balance_summary_1": stated(JUNE, starting_balance="74", ending_balance="75"),
        "invoices": add,
        "report_runs": [run(2, period=JUNE["period"], status="pending"), run(3, period=JUNE["period"])],
        "reconciliations": [
            check(2, ok=False), check(2, ok=None, name="lines_tax"),
        ],
    }.items():  # fmt: skip
        make(place, table, rows, add=True)
    views(place)
    june = answers(place, CLOSED)[1]
    assert june[:3] == (date(2026, 6, 1), "no", False)
    assert june[3].split("; ") == [
        "reports that are not there yet: 1", "checks that failed: 1", "balances that do not add up: 1",
        "balances that do not follow the month before: 1", "payouts that do not tie: 1",
        "invoices whose status and cash differ: 1",
    ]  # fmt: skip
    assert june[4] == "reports without any check: 1 (see check_results)"


def test_a_report_that_failed_and_came_at_the_second_order_is_there(place):
    whole_may(place, without=["report_runs", "reconciliations"])
    runs = [run(1, status="failed"), run(2, report_name="report_1"), run(3, status="pending", origin="foreign")]
    make(place, "report_runs", runs)
    make(place, "reconciliations", [check(2)])
    assert closed(place) == ["yes", True, None, None]


def test_a_check_over_all_periods_speaks_against_each_month(place):
    whole_may(place, without=["reconciliations"])
    make(place, "reconciliations", [check(1), check(0, ok=False, name="still_listed", run_id=None)])
    assert closed(place) == ["no", False, "checks that failed: 1", None]


@pytest.mark.parametrize(
    ("looked_at", "verdict"),
    [
        ("2026-05-31 23:59:59+00", ["no", False, "checks that failed: 1", None]),
        # All of May is loaded, whatever came of later days.
        ("2026-06-01 00:00:00+00", ["yes", True, None, None]),
    ],
)
def test_old_data_speak_against_the_month_in_which_they_were_old(place, looked_at, verdict):
    whole_may(place, without=["reconciliations"])
    old = {**check(0, ok=False, name="freshness", run_id=None), "checked_at": looked_at}
    make(place, "reconciliations", [check(1), old])
    assert closed(place) == verdict


def test_shipments_without_an_order_count_once_there_are_orders(place):
    bring: dict[str, Any] = {"source": "bring", "account_id": "2000"}
    make(place, "bring_invoice_lines", [parcel(1, "S1", "Frakt", "100"), parcel(2, "S2", "Frakt", "80")])
    make(
        place,
        "invoices",
        [{**invoice(1, "open", "225", day=date(2026, 5, 1)), **bring, "invoice_id": number} for number in ("9", "10")],
    )
    make(place, "shop_orders", [{"order_id": "1", "tracking_number": "S1"}])
    make(place, "report_runs", [run(1, **bring, period="9")])
    make(place, "reconciliations", [check(1, **bring)])
    assert closed(place) == ["yes", True, None, None]
    views(place, orders=OwnOrders("billing.shop_orders", "order_id", "tracking_number"))
    ((_, *found),) = answers(place, CLOSED)
    assert found == [
        "no", False, "shipments without an order: 1",
        "shipments of invoices without specification: 1 (look at the invoice, or ask the vendor for the specification)",
    ]  # fmt: skip


def test_checks_are_listed_with_their_month_and_runs_without_any_too(place):
    make(place, "invoices", [invoice(1, "open", "9")])
    make(place, "report_runs", [run(1, period="in_1"), run(2), run(3, status="failed", error="no such account")])
    said = {"title": "The file has as many bytes as the vendor declares.", "reason": "shorter"}
    make(place, "reconciliations", [check(1, ok=False, **said), check(0, run_id=None)])
    views(place)
    found = answers(
        place,
        "select month, subject, title, outcome, reason from billing.check_results order by subject",
    )
    may = date(2026, 5, 1)
    assert found == [
        (None, "report 0", "file_bytes", "passed", None),
        (may, "report 1", said["title"], "failed", "shorter"),
        (may, f"report_2 {MAY['period']}", None, "not made", "no check of this report is loaded"),
        (
            may, f"report_3 {MAY['period']}", None, "not made", "the report is not there: failed: no such account",
        ),
    ]  # fmt: skip


def test_a_currency_in_which_nothing_moved_needs_no_transaction(place):
    whole_may(place)
    other = [{**row, "currency": "sek"} for row in stated(MAY, starting_balance="5", ending_balance="5")]
    make(place, "stripe_balance_summary_1", other, add=True)
    assert closed(place) == ["yes", True, None, None]


def test_a_balance_is_not_held_against_one_half_of_its_transactions(place):
    whole_may(place, without=["stripe_payouts_itemized_3"])
    *_, not_checked = closed(place)
    assert not_checked.startswith("balances against their transactions: 1 (load")


def begun(place, *, accounts):
    bring: dict[str, Any] = {"source": "bring", "account_id": "2000"}
    days = (date(2026, 5, 5), date(2026, 6, 3))
    make(place, "invoices", [{**invoice(n, "open", "9", day=day), **bring} for n, day in enumerate(days)])
    make(place, "reconciliations", [check(1, **bring, run_id=None)])
    if accounts:
        make(place, "accounts", [{**bring, "kind": "bring_customer", "invoices_from": accounts}])
    views(place)
    return [tuple(row[1:]) for row in answers(place, CLOSED)]


def test_of_the_month_in_which_invoices_begin_nobody_knows_whether_there_were_earlier_ones(place):
    """Where the stream `accounts` is not loaded, or was loaded before it had the day."""
    unknown = "invoices before 2026-05-05 (begin with an earlier start_date)"
    assert begun(place, accounts=None) == [("not checked", None, None, unknown), ("yes", True, None, None)]


def test_a_month_whose_days_were_all_asked_for_is_checked_whenever_its_first_invoice_came(place):
    assert begun(place, accounts=date(2026, 5, 1)) == [("yes", True, None, None)] * 2


@pytest.mark.parametrize(
    ("asked_from", "unknown_before"),
    [(date(2026, 5, 2), "2026-05-02"), (date(2026, 6, 1), "2026-05-05")],
    ids=["within the month", "moved ahead since, and what was loaded stays"],
)
def test_what_lies_before_the_first_day_that_was_asked_for_is_not_checked(place, asked_from, unknown_before):
    unknown = f"invoices before {unknown_before} (begin with an earlier start_date)"
    assert begun(place, accounts=asked_from) == [("not checked", None, None, unknown), ("yes", True, None, None)]


def test_a_check_belongs_to_the_month_of_its_reports_zone(place):
    """In New Zealand's summer a day begins at eleven of the day before in UTC; in Honolulu at ten of the same."""
    make(place, "report_runs", [run(1, period="2026-10-31T11:00:00Z"), run(2, period="2026-10-31T10:00:00Z")])
    make(place, "reconciliations", [check(1), check(2)])
    views(place)
    found = answers(place, "select subject, month from billing.check_results order by subject")
    assert found == [("report 1", date(2026, 11, 1)), ("report 2", date(2026, 10, 1))]


def test_a_check_of_an_invoice_that_is_billed_to_another_account_has_its_month_and_its_run(place):
    """The run stands under the account that was asked; nothing is left over there as if no check was made."""
    billed: dict[str, Any] = {"source": "bring", "account_id": "2000"}
    asked = {"source": "bring", "account_id": "PARCELS-2000"}
    make(place, "invoices", [{**invoice(1, "open", "9"), **billed, "requested_account_id": "PARCELS-2000"}])
    make(place, "report_runs", [run(1, **asked, period="in_1")])
    make(place, "reconciliations", [check(1, ok=False, **billed)])
    views(place)
    found = answers(place, "select account_id, month, outcome, report_name, run_status from billing.check_results")
    assert found == [("2000", date(2026, 5, 1), "failed", "report_1", "succeeded")]
