"""The contents of the report files, and that reports about the same books agree."""

from __future__ import annotations

import csv
import io
from collections import Counter, defaultdict
from decimal import Decimal
from typing import Any

import pytest

from tap_billing_reports.declare.catalogue import catalogue
from tap_billing_reports.sandbox.stripe.accounts import ACCOUNTS, CONNECTED, LARGE_AMOUNTS
from tap_billing_reports.sandbox.stripe.catalogue import not_offered, report_types
from tests.sandbox.stripe_calls import RUNS, at

ITEMIZED = "balance_change_from_activity.itemized.3"
AUTUMN = {"interval_start": at(2026, 10, 1), "interval_end": at(2026, 11, 20)}
FORTNIGHT = {"interval_start": at(2026, 10, 1), "interval_end": at(2026, 10, 15)}


def rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


def test_every_type_gives_a_file_with_its_columns(calls, sandbox):
    sandbox.control.options["stripe_concurrent_runs"] = 1000
    payouts = {
        owner: rows(calls.file("payouts.itemized.3", headers, **FORTNIGHT))[0]["payout_id"]
        for owner, headers in ((None, {}), (CONNECTED[0].id, {"Stripe-Account": CONNECTED[0].id}))
    }
    for name, kind in report_types().items():
        given: dict[str, Any] = {key: value for key, value in FORTNIGHT.items() if key in kind.required}
        if "payout" in kind.required:
            owner = CONNECTED[0].id if "connected_account" in kind.required else None
            given |= {"payout": payouts[owner]} | ({"connected_account": owner} if owner else {})
        content = calls.file(name, **given)
        assert content.partition(b"\n")[0].decode() == ",".join(f'"{column}"' for column in kind.default_columns)
        assert content.count(b"\n") > 1, name
        widths = {len(line) for line in csv.reader(io.StringIO(content.decode(), newline=""))}
        assert widths == {len(kind.default_columns)}, name


def test_summary_and_itemized_agree(calls):
    for itemized, summary in (
        (ITEMIZED, "balance_change_from_activity.summary.1"),
        ("payouts.itemized.3", "payouts.summary.1"),
        ("payout_reconciliation.itemized.5", "payout_reconciliation.summary.1"),
    ):
        groups: dict[tuple[str, str], list[Decimal]] = defaultdict(lambda: [Decimal()] * 4)
        for row in rows(calls.file(itemized, **AUTUMN)):
            group = groups[row["reporting_category"], row["currency"]]
            added = (Decimal(1), Decimal(row["gross"]), Decimal(row["fee"]), Decimal(row["net"]))
            groups[row["reporting_category"], row["currency"]] = [a + b for a, b in zip(group, added, strict=True)]
        summed = {
            (row["reporting_category"], row["currency"]): [
                Decimal(row[name]) for name in ("count", "gross", "fee", "net")
            ]
            for row in rows(calls.file(summary, **AUTUMN))
        }
        assert summed
        assert dict(groups) == summed


def test_the_balance_adds_up(calls):
    lines = rows(calls.file("balance.summary.1", **AUTUMN))
    assert lines
    for currency in {row["currency"] for row in lines}:
        *parts, end = [Decimal(row["net_amount"]) for row in lines if row["currency"] == currency]
        assert sum(parts) == end


def test_a_balance_has_the_four_categories_and_texts_of_the_vendors_page(calls):
    """docs.stripe.com/reports/report-types/balance; CData quotes it in its help on BalanceSummaryReport."""
    november = {"interval_start": at(2026, 10, 31, 23), "interval_end": at(2026, 11, 12, 23)}
    lines = rows(calls.file("balance.summary.1", **november, timezone="Europe/Oslo"))
    told = [(row["category"], row["description"]) for row in lines]
    of_one = [
        ("starting_balance", "Starting balance (2026-11-01)"),
        ("activity", "Activity"),
        ("payouts", "Less payouts"),
        ("ending_balance", "Ending balance (2026-11-12)"),
    ]
    assert told == of_one * len({row["currency"] for row in lines})
    itemized = rows(calls.file(ITEMIZED, **november, currency="nok"))
    paid_out = rows(calls.file("payouts.itemized.3", **november, currency="nok"))
    nok = {row["category"]: Decimal(row["net_amount"]) for row in lines if row["currency"] == "nok"}
    assert nok["activity"] == sum(Decimal(row["net"]) for row in itemized)
    assert nok["payouts"] == sum(Decimal(row["net"]) for row in paid_out) < 0


def test_every_catalogued_type_is_offered_or_said_not_to_be():
    offered, missing = set(report_types()), not_offered()
    assert offered | set(missing) == set(catalogue("stripe")["report_types"])
    assert not offered & set(missing)
    assert all(missing.values())


def test_payouts_without_their_ids(calls):
    """Of this version it is known that it leaves them out, and no more."""
    five, six = (f"payout_reconciliation.itemized.{version}" for version in (5, 6))
    assert "automatic_payout_id" not in report_types()[six].columns
    found = rows(calls.file(six, **AUTUMN))
    wanted = [{**row} for row in rows(calls.file(five, **AUTUMN))]
    for row in wanted:
        del row["automatic_payout_id"]
    assert found == wanted


def test_a_payout_pays_what_it_reconciles(calls):
    payouts = rows(calls.file("payouts.itemized.3", **AUTUMN, reporting_category="payout"))[:6]
    assert len(payouts) == 6
    for payout in payouts:
        paid = rows(calls.file("payout_reconciliation.by_id.itemized.4", payout=payout["payout_id"]))
        assert sum(Decimal(row["net"]) for row in paid) == -Decimal(payout["net"])
        assert {row["automatic_payout_id"] for row in paid} == {payout["payout_id"]}


def test_amounts_have_the_decimals_of_their_currency(calls):
    places = defaultdict(set)
    texts = []
    for row in rows(calls.file(ITEMIZED, **AUTUMN)):
        places[row["currency"]].add(len(row["gross"].partition(".")[2]))
        texts.append(row["gross"])
    assert places == {"usd": {2}, "eur": {2}, "nok": {2}, "sek": {2}, "jpy": {0}, "kwd": {3}}
    assert any(text.startswith("-") for text in texts)


def test_an_account_of_its_own_has_amounts_of_twenty_digits(calls):
    lengths = {
        account: max(len(row["gross"]) for row in rows(calls.file(ITEMIZED, {"Stripe-Account": account}, **AUTUMN)))
        for account in ACCOUNTS
    }
    assert lengths.pop(LARGE_AMOUNTS.id) == len("123456789012345678.90")
    assert max(lengths.values()) < 10


def test_cells_that_break_naive_readers(calls):
    content = calls.file(ITEMIZED, **AUTUMN, columns=["description", "charge_id", "is_link"])
    found = rows(content)
    descriptions = {row["description"] for row in found}
    assert {"Order 7\nExpress delivery", 'Gift card "Summer"', "007", " padded "} <= descriptions
    assert content.count(b"\n") > len(found) + 1
    assert any(row["charge_id"] == "" for row in found)
    assert {row["is_link"] for row in found} == {"true", "false", ""}


def test_identical_lines_occur_where_they_do_in_life(calls):
    for kind in (
        "all_fees.balance_transaction_created.itemized.2",
        "activity.itemized.2",
        "tax.transactions.itemized.2",
    ):
        lines = Counter(tuple(row.items()) for row in rows(calls.file(kind, **AUTUMN)))
        assert max(lines.values()) >= 2, kind


def test_times_are_in_the_zone_of_the_run_and_utc_columns_are_not(calls):
    night = {"interval_start": at(2026, 10, 25), "interval_end": at(2026, 10, 26)}
    columns = ["created", "created_utc"]
    pairs = [
        (row["created_utc"], row["created"])
        for row in rows(calls.file(ITEMIZED, **night, timezone="Europe/Oslo", columns=columns))
    ]
    assert ("2026-10-25 00:15:00", "2026-10-25 02:15:00") in pairs
    assert ("2026-10-25 01:15:00", "2026-10-25 02:15:00") in pairs  # the hour that comes twice
    plain = rows(calls.file(ITEMIZED, **night, columns=columns))
    assert all(row["created"] == row["created_utc"] for row in plain)
    assert len(plain) == len(pairs)


def test_columns_come_as_asked_with_metadata(calls):
    columns = ["net", "payment_metadata[order_id]", "currency"]
    content = calls.file(ITEMIZED, **AUTUMN, columns=columns)
    assert content.partition(b"\n")[0] == b'"net","payment_metadata[order_id]","currency"'
    assert {len(row["payment_metadata[order_id]"]) for row in rows(content)} == {0, 6}


def test_filters(calls):
    found = rows(calls.file(ITEMIZED, **AUTUMN, currency="KWD", reporting_category="charge"))
    assert {(row["currency"], row["reporting_category"]) for row in found} == {("kwd", "charge")}
    comma = rows(calls.file(ITEMIZED, **AUTUMN, currency="usd", decimal_separator=","))
    assert all("," in row["net"] for row in comma)


def test_intervals_are_half_open_and_gapless(calls):
    whole = {row["balance_transaction_id"] for row in rows(calls.file(ITEMIZED, **AUTUMN))}
    edge = at(2026, 11, 1, 1, 15)  # a charge is created in this very second
    before = rows(calls.file(ITEMIZED, interval_start=AUTUMN["interval_start"], interval_end=edge))
    after = rows(calls.file(ITEMIZED, interval_start=edge, interval_end=AUTUMN["interval_end"]))
    ids = [row["balance_transaction_id"] for row in before + after]
    assert len(ids) == len(set(ids))
    assert set(ids) == whole
    assert after[0]["created"] == "2026-11-01 01:15:00"


def test_a_connected_account_read_from_both_sides(calls):
    own = rows(calls.file(ITEMIZED, {"Stripe-Account": CONNECTED[1].id}, **AUTUMN))
    seen = rows(calls.file(f"connected_account_{ITEMIZED}", **AUTUMN, connected_account=CONNECTED[1].id))
    every = rows(calls.file(f"connected_account_{ITEMIZED}", **AUTUMN))
    ids = [row["balance_transaction_id"] for row in own]
    assert [row["balance_transaction_id"] for row in seen] == ids
    assert {row["connected_account"] for row in every} == {account.id for account in CONNECTED}
    assert not set(ids) & {row["balance_transaction_id"] for row in rows(calls.file(ITEMIZED, **AUTUMN))}


def test_the_same_order_gives_the_same_bytes(calls, sandbox):
    first = calls.file(ITEMIZED, **AUTUMN)
    sandbox.control.next_day()
    assert calls.file(ITEMIZED, **AUTUMN) == first


@pytest.mark.parametrize(
    ("options", "check"),
    [
        ({"stripe_csv_crlf": True}, lambda plain, odd: odd.count(b"\r\n") == len(rows(plain)) + 1),
        ({"stripe_csv_bom": True}, lambda plain, odd: odd == b"\xef\xbb\xbf" + plain),
        ({"stripe_rows_multiplier": 100}, lambda plain, odd: rows(odd) == rows(plain) * 100),
        ({"stripe_drop_rows": 2}, lambda plain, odd: rows(odd) == rows(plain)[:-2]),
        ({"stripe_extra_columns": {"mood": "fine"}}, lambda _plain, odd: rows(odd)[0]["mood"] == "fine"),
    ],
)
def test_switches_of_the_file(calls, sandbox, options, check):
    plain = calls.file("payouts.summary.1", **AUTUMN)
    sandbox.control.options.update(options)
    assert check(plain, calls.file("payouts.summary.1", **AUTUMN))


def test_runs_keep_the_switches_they_were_ordered_with(calls, sandbox):
    run = calls.order("payouts.summary.1", **AUTUMN).json()["id"]
    sandbox.control.options["stripe_csv_bom"] = True
    sandbox.control.advance(1)
    file = calls.get(f"{RUNS}/{run}").json()["result"]["id"]
    assert not calls.get(f"/v1/files/{file}/contents", host="stripe_files").content.startswith(b"\xef")
