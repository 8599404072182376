"""Vipps MobilePay's ledgers and Klarna's payouts in the views, on rows small enough to add up by hand."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from itertools import pairwise

import pytest

from tests.views.tables import D, answers, make, views

LEDGER = {"source": "vipps", "account_id": "302321", "currency": "nok"}
MERCHANT = {"source": "klarna", "account_id": "K1", "currency_code": "SEK"}
PAYOUTS = (
    "select payout_id, status, effective_date, paid_amount, transactions, charges, refunds, disputes, other, fees, "
    "difference, ties, is_returned from billing.payout_reconciliation order by effective_date, payout_id"
)
BOOKED = (
    "select category, account, sum(debit - credit) from billing.journal_lines "
    "group by category, account order by category"
)


def entries(day, *moves, opening="0", names=()):
    """Entries of a ledger day, each with the balance that the one before left."""
    rows, balance = [], D(opening)
    for number, (kind, amount) in enumerate(moves, start=1):
        before, balance = balance, balance + D(amount)
        rows.append(
            {
                **LEDGER, "ledger_date": date(2026, 5, day), "row_number": number, "entry_type": kind,
                "psp_reference": dict(names).get(kind, f"{day}.{number}"), "reference": None, "amount": D(amount),
                "balance_before": before, "balance_after": balance,
            }
        )  # fmt: skip
    return rows


def paid(reference, settlement, *, kind="NET", day=20, **totals):
    stated = {f"totals_{name}_amount": D(amount) for name, amount in totals.items()}
    return {
        **MERCHANT, "payment_reference": reference, "payout_date": datetime(2026, 5, day, 23, 30, tzinfo=timezone.utc),
        "merchant_settlement_type": kind, "totals_settlement_amount": settlement and D(settlement), **stated,
    }  # fmt: skip


def made_of(reference, *rows):
    return [
        {
            **MERCHANT, "payment_reference": reference, "row_number": number, "type": kind, "amount": D(amount),
            "vat_amount": D(vat) if vat else None, "capture_date": datetime(2026, 5, 1, tzinfo=timezone.utc),
        }
        for number, (kind, amount, vat) in enumerate(rows, start=1)
    ]  # fmt: skip


def unbalanced(place):
    return answers(
        place,
        "select booking_id from billing.journal_lines group by source, account_id, booking_id, currency "
        "having sum(debit) <> sum(credit)",
    )


def test_the_balance_of_a_ledger_goes_on_from_month_to_month(place):
    may = [
        *entries(
            30, ("capture", "100"), ("refund", "-10"), ("fees-retained", "-2"), ("retained-disputed-capture", "-5"),
            opening="7",
        ),
        *entries(31, ("capture", "40"), ("payout-scheduled", "-90"), ("correction", "1"), opening="90"),
    ]  # fmt: skip
    june = [{**row, "ledger_date": date(2026, 6, 3)} for row in entries(3, ("capture", "5"), opening="41")]
    # A month later without an entry before it, and with a cent that nobody has booked.
    august = [{**row, "ledger_date": date(2026, 8, 3)} for row in entries(3, ("capture", "5"), opening="46.01")]
    make(place, "vipps_funds", [*may, *june, *august])
    views(place)
    asked = "select {} from billing.balance_rollforward order by month"
    assert answers(
        place, asked.format("month, period_end, opening_balance, ending_balance, ties, follows_previous")
    ) == [
        (date(2026, 5, 1), date(2026, 5, 31), D("7"), D("41"), True, None),
        (date(2026, 6, 1), date(2026, 6, 30), D("41"), D("46"), True, True),
        (date(2026, 8, 1), date(2026, 8, 31), D("46.01"), D("51.01"), True, False),
    ]
    moved = "charges, refunds, disputes, fees, other, payouts, difference, itemized_net, itemized_agrees, unsettled_net"
    assert answers(place, asked.format(moved))[0] == (
        D("140"), D("-10"), D("-5"), D("-2"), D("1"), D("-90"), D("0"), D("34"), True, None,
    )  # fmt: skip
    # A day of the middle is not there.
    database = place.open()
    database._run("delete from billing.vipps_funds where ledger_date = '2026-05-31' and row_number < 3")
    database._commit()
    database.close()
    off = "select month, difference from billing.balance_rollforward where not ties and not itemized_agrees"
    assert answers(place, off) == [(date(2026, 5, 1), D("50"))]


def test_a_payout_of_a_ledger_is_made_of_the_entries_since_the_one_before(place):
    make(
        place, "vipps_funds",
        [
            *entries(1, ("capture", "40"), ("scheduled-for-payout", "-40")),
            *entries(
                2, ("capture", "100"), ("refund", "-10"), ("retained-disputed-capture", "-5"), ("fees-retained", "-2"),
                ("payout-scheduled", "-83"), names={"payout-scheduled": "p2"},
            ),
            # What came back is paid again with what was sold since.
            *entries(
                4, ("payout-aborted", "83"), ("capture", "7"), ("payout-scheduled", "-90"),
                names={"payout-aborted": "p2"},
            ),
        ],
    )  # fmt: skip
    views(place)
    day = [date(2026, 5, n) for n in range(5)[1:]]
    none = D("0")
    assert answers(place, PAYOUTS) == [
        ("1.2", "scheduled-for-payout", day[0], D("40"), 1, D("40"), none, none, none, none, none, True, False),
        ("p2", "payout-aborted", day[1], D("83"), 4, D("100"), D("-10"), D("-5"), none, D("-2"), none, True, True),
        ("4.3", "payout-scheduled", day[3], D("90"), 2, D("7"), none, none, D("83"), none, none, True, False),
    ]


def test_a_day_that_is_missing_is_found_and_what_stays_in_the_ledger_is_carried_over(place):
    make(
        place, "vipps_funds",
        [
            *entries(1, ("capture", "40"), ("scheduled-for-payout", "-30")),
            *entries(2, ("capture", "5"), ("scheduled-for-payout", "-15"), opening="10"),
            # A day before this one is not loaded: 6 of what was paid are explained by nothing.
            *entries(4, ("capture", "1"), ("scheduled-for-payout", "-7"), opening="6"),
        ],
    )  # fmt: skip
    views(place)
    found = answers(
        place,
        "select paid_amount, transactions, other, difference, ties, verdict from billing.payout_reconciliation "
        "order by effective_date",
    )
    assert found == [
        (D("30"), 1, D("-10"), D("0"), True, "ties"),
        (D("15"), 1, D("10"), D("0"), True, "ties"),
        (
            D("7"),
            1,
            D("0"),
            D("-6"),
            False,
            "does not tie: its transactions add up to another amount than was paid out",
        ),
    ]


def test_what_a_ledger_held_before_the_first_loaded_day_cannot_be_checked(place):
    make(place, "vipps_funds", entries(1, ("capture", "40"), ("scheduled-for-payout", "-50"), opening="10"))
    views(place)
    ((ties, difference, verdict),) = answers(
        place, "select ties, difference, verdict from billing.payout_reconciliation"
    )
    assert (ties, difference) == (None, None)
    assert verdict == "cannot be checked: it began before the first day that is loaded"


def test_the_fees_of_a_ledger_are_booked_once_whether_they_are_retained_or_invoiced(place):
    make(place, "vipps_funds", entries(1, ("capture", "100"), ("fees-retained", "-2.75"), ("tip", "-1")))
    make(
        place, "vipps_fees",
        entries(
            1, ("capture-fee", "-2"), ("capture-fee", "-1"), ("correction", "0.25"), ("fees-retained", "2.75"),
            ("capture-fee", "-4"), ("fees-invoiced", "4"),
        ),
    )  # fmt: skip
    views(place)
    assert answers(place, BOOKED) == [
        ("balance", "1550", D("96.25")),
        ("charge", "3000", D("-100")),
        ("fee", "7770", D("6.75")),
        ("fees_invoiced", "2400", D("-4")),
        ("fees_retained", "7770", D("0")),
        ("tip", "2999", D("1")),
    ]
    assert unbalanced(place) == []
    assert answers(
        place,
        "select month, category, transactions, gross_amount, fee_amount, withheld_tax_amount, cost_amount, fee_percent "
        "from billing.processing_fees order by category",
    ) == [
        (date(2026, 5, 1), "charge", 1, D("100"), D("7"), None, D("7"), D("7")),
        (date(2026, 5, 1), "fee", 1, D("0.25"), D("0"), None, D("-0.25"), D("0")),
    ]


def test_a_payout_of_klarnas_is_held_against_its_transactions(place):
    make(
        place, "klarna_payouts",
        [
            paid("A", "85.5"), paid("B", "0", deposit="12.5"), paid("C", "9", repay="12.5"), paid("D", "5"),
            paid("E", "6"), paid("F", "7"), paid("G", None),
        ],
        totals_sale_amount="text",
    )  # fmt: skip
    sale = ("SALE", "10", None)
    make(
        place, "klarna_transactions",
        [
            *made_of(
                "A", ("SALE", "100", None), ("RETURN", "10", None), ("FEE", "4", "1"), ("FEE_REFUND", "0.4", "0.1"),
                ("REVERSAL", "2", None), ("REVERSAL_MERCHANT_PROTECTION", "1.5", None), ("CHARGE", "3", None),
                ("CORRECTION", "-0.5", None), ("COMMISSION", "2", None), ("CREDIT", "1", None),
                ("HOLDBACK", "1", None), ("RELEASE", "2", None),
            ),
            *made_of("B", ("RETURN", "12.5", None)),
            *made_of("C", ("SALE", "21.5", None)),
            *made_of("D", ("SALE", "5.01", None)),
            *made_of("E", ("SALE", "6", None), ("SOMETHING_NEW", "1", None)),
            *made_of("G", sale),
        ],
    )  # fmt: skip
    views(place)
    found = answers(
        place,
        "select payout_id, transactions, charges, refunds, disputes, other, fees, transactions_net, ties, verdict "
        "from billing.payout_reconciliation order by payout_id",
    )
    nothing = (D("0"),) * 3
    assert [row[:-1] for row in found] == [
        ("A", 12, D("100"), D("-10"), D("-0.5"), D("0.5"), D("-4.5"), D("85.5"), True),
        ("B", 1, D("0"), D("-12.5"), D("0"), D("12.5"), D("0"), D("0"), True),
        ("C", 1, D("21.5"), D("0"), D("0"), D("-12.5"), D("0"), D("9"), True),
        ("D", 1, D("5.01"), *nothing, D("0"), D("5.01"), False),
        ("E", 2, D("6"), *nothing, D("0"), D("6"), None),
        ("F", None, None, None, None, None, None, None, None),
        ("G", 1, D("10"), *nothing, D("0"), D("10"), None),
    ]
    assert [row[-1].partition(":")[0] for row in found] == ["ties"] * 3 + ["does not tie"] + ["cannot be checked"] * 3
    assert found[4][-1].endswith("it has transactions of a type that is not known")
    assert found[6][-1].endswith("the vendor does not say what was paid")
    assert answers(
        place,
        "select category, transactions, gross_amount, fee_amount, withheld_tax_amount, fee_without_tax_amount, "
        "cost_amount from billing.processing_fees where month = '2026-05-01' order by category",
    ) == [
        ("charge", 5, D("142.51"), D("4.5"), D("0.9"), D("3.6"), D("4.5")),
        ("fee", 2, D("-3.5"), D("0"), None, None, D("3.5")),
    ]


def test_klarnas_payouts_are_booked_by_their_totals_and_what_these_do_not_explain_is_for_the_hand(place):
    make(
        place, "klarna_payouts",
        [
            paid(
                "A", "84", sale="100", **{"return": "10"}, fee="4", tax="1", fee_refund="0.4", tax_refund="0.1",
                charge="3", holdback="1", release="2", deposit="0", repay="0.5", commission="1",
            ),
            # A merchant who is paid out gross gets an invoice of fees.
            paid("B", "-5", kind="GROSS_FEE", fee="4", tax="1"),
            paid("C", "1"),
        ],
    )  # fmt: skip
    views(place)
    assert answers(place, BOOKED) == [
        ("charge", "3000", D("-100")),
        ("commission", "2999", D("-1")),
        ("debt", "1550", D("0.5")),
        ("fee", "7770", D("3")),
        ("fees_invoiced", "2400", D("-5")),
        ("not_stated", "2999", D("-1")),
        ("payout", "1920", D("85")),
        ("processing_fee", "7770", D("7.6")),
        ("refund", "3000", D("10")),
        ("reserve", "1550", D("-1")),
        ("tax", "2711", D("1.9")),
    ]
    assert unbalanced(place) == []
    days = answers(place, "select distinct booking_date from billing.journal_lines where source = 'klarna'")
    assert days == [(date(2026, 5, 20),)]


def run_of(row, report_type, period, finished="2026-06-01 06:00:00+00"):
    return {
        "source": row["source"], "account_id": row["account_id"], "run_id": f"{report_type}.{period}",
        "report_type": report_type,
        "report_name": report_type, "period": period, "status": "succeeded", "origin": "fetched",
        "finished_at": finished, "window_end": None,
    }  # fmt: skip


def checked(run):
    return {
        "source": run["source"], "account_id": run["account_id"], "run_id": run["run_id"], "subject": "s",
        '"check"': "c", "ok": True,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("last", "finished", "expected"),
    [
        # Days without an entry have no row, but a run.
        (31, "2026-06-01 06:00:00+00", [("klarna", "yes", None), ("vipps", "yes", None)]),
        (30, "2026-05-31 23:00:00+00", [(one, "no", "not all of its days are loaded") for one in ("klarna", "vipps")]),
    ],
)
def test_a_month_may_be_closed_when_all_its_days_are_loaded(place, last, finished, expected):
    make(place, "vipps_funds", entries(2, ("capture", "40"), ("scheduled-for-payout", "-40")))
    make(place, "klarna_payouts", [paid("A", "85.5")])
    make(place, "klarna_transactions", made_of("A", ("SALE", "85.5", None)))
    nights = [datetime(2026, 4, 30, 22, tzinfo=timezone.utc) + timedelta(days=day) for day in range(last + 1)]
    runs = [
        run_of(LEDGER, "funds", f"{begin:%Y-%m-%dT%H:%M:%SZ}") | {"window_end": end} for begin, end in pairwise(nights)
    ]
    runs += [run_of(MERCHANT, "payouts", "2026-05-01T00:00:00Z", finished), run_of(MERCHANT, "transactions", "A")]
    make(place, "report_runs", runs, finished_at="timestamptz", window_end="timestamptz")
    make(place, "reconciliations", [checked(run) for run in runs])
    views(place)
    asked = "select source, verdict, coalesce(why_not, not_checked) from billing.close_checklist order by source"
    assert answers(place, asked) == expected
    # A payout's transactions count in its month.
    assert answers(place, "select month from billing.check_results where report_type = 'transactions'") == [
        (date(2026, 5, 1),)
    ]


def test_without_runs_nobody_knows_which_days_are_loaded(place):
    make(place, "vipps_funds", entries(2, ("capture", "40"), ("scheduled-for-payout", "-40")))
    views(place)
    assert answers(place, "select verdict, not_checked from billing.close_checklist") == [
        (
            "not checked",
            "what happened on its days (load the stream report_runs); the files (load the stream reconciliations)",
        )
    ]
