"""Vipps MobilePay: every entry of every closed day once, what is not closed later, and the books that agree."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date, timedelta
from decimal import Decimal

import pytest

from tap_billing_reports.sandbox.vipps.signin import CLIENT_SECRET, SIGNATURE, SUBSCRIPTION_KEY
from tap_billing_reports.singer.console.progress import HEARTBEAT_SECONDS
from tests.fakes import SandboxClock
from tests.vendors.vipps.emulated import NOW

DAILY, WEEKLY = "302321", "302977"
STREAMS = ("vipps_funds", "vipps_fees")
DAY_PATH = f"/report/v2/ledgers/{DAILY}/funds/dates/2026-11-16"
PROBLEM = {"Content-Type": "application/problem+json"}


def held(found):
    """What a warehouse has: the rows by key, and their sums."""
    return {
        stream: {
            "rows": len(found.of(stream)),
            "sums": {
                column: str(sum((Decimal(row[column]) for row in found.of(stream)), Decimal()))
                for column in ("amount", "balance_before", "balance_after")
            },
        }
        for stream in STREAMS
    }


def booked(vipps, config=None):
    totals = vipps.control.totals(config or vipps.config())
    return {stream: totals[stream]["vipps"] for stream in STREAMS}


def verdicts(found, check):
    return Counter(record["ok"] for record in found.of("reconciliations") if record["check"] == check)


def test_every_entry_of_every_closed_day_arrives_once(vipps):
    found = vipps.run()
    assert found.status == 0, found.log
    assert held(found) == booked(vipps)
    assert [account["account_id"] for account in found.of("accounts")] == [DAILY, WEEKLY, "410077", "510023"]
    again = vipps.run(state=found.state)
    assert (again.status, held(again)["vipps_funds"]["rows"]) == (0, 0)
    assert not any(DAILY in entry["path"] for entry in vipps.asked("/dates/"))


def test_the_books_agree(vipps):
    found = vipps.run()
    for check in ("balance_chain", "fees_retained", "windows_contiguous"):
        assert set(verdicts(found, check)) == {True}
    goes_on = verdicts(found, "balance_goes_on")
    assert goes_on[True] > 40
    assert goes_on[None] == 8, "the first day of each ledger and side has none before it"


def test_days_that_are_not_closed_come_when_they_are(vipps):
    first = vipps.run()
    assert f"left: vipps_funds account {WEEKLY}: 4 periods" in first.log
    vipps.control.clock.set(NOW + timedelta(days=3))
    second = vipps.run(state=first.state)
    assert second.status == 0, second.log
    both = {stream: first.of(stream) + second.of(stream) for stream in STREAMS}
    assert {stream: len(rows) for stream, rows in both.items()} == {s: t["rows"] for s, t in booked(vipps).items()}
    assert len({(row["account_id"], row["period"], row["row_number"]) for row in both["vipps_funds"]}) == len(
        both["vipps_funds"]
    )


@pytest.mark.parametrize("how", ["404", "tryLater"])
def test_either_word_for_not_closed_is_no_failure(vipps, how):
    vipps.control.options["vipps_unclosed"] = how
    found = vipps.run(vipps.config("2026-11-16"))
    assert found.status == 0, found.log
    assert not any(row["account_id"] == WEEKLY for stream in STREAMS for row in found.of(stream))
    assert f"left: vipps_fees account {WEEKLY}: 4 periods" in found.log


def test_a_ledger_of_others_is_not_a_day_that_is_not_closed(vipps):
    body = {"title": "No such ledgerId", "status": 404, "detail": "No such ledgerId"}
    vipps.control.fault({"status": 404, "headers": PROBLEM, "body": body}, {"path": f"{DAILY}/funds"})
    found = vipps.run()
    assert found.status == 1
    assert "No such ledgerId" in found.log
    assert not any(row["account_id"] == DAILY for row in found.of("vipps_funds"))


@pytest.mark.parametrize("size", [1, 7, 1_000])
def test_pages_of_any_size_are_one_day(vipps, size):
    config = vipps.config("2026-11-18")
    vipps.control.options["vipps_page_size"] = size
    found = vipps.run(config)
    assert (found.status, held(found)) == (0, booked(vipps, config))


def test_a_page_that_fails_takes_its_day_along_and_the_next_sync_has_it(vipps):
    vipps.control.options["vipps_page_size"] = 7
    vipps.control.fault({"status": 400, "headers": PROBLEM, "body": {"title": "no"}}, {"path": DAY_PATH}, skip=1)
    first = vipps.run()
    assert first.status == 1
    assert not any(row["ledger_date"] == "2026-11-16" for row in first.of("vipps_funds") if row["account_id"] == DAILY)
    vipps.control.clear_faults()
    second = vipps.run(state=first.state)
    assert second.status == 0, second.log
    rows = {stream: len(first.of(stream) + second.of(stream)) for stream in STREAMS}
    assert rows == {stream: total["rows"] for stream, total in booked(vipps).items()}


def test_another_days_entries_are_never_taken_for_those_of_this_one(vipps):
    vipps.control.fault(
        {"alter": {"from": '"ledgerDate":"2026-11-16"', "to": '"ledgerDate":"2026-10-16"'}}, {"path": DAY_PATH}
    )
    found = vipps.run()
    assert found.status == 1
    assert "its ledgerDate is 2026-10-16, and 2026-11-16 was asked" in found.log
    assert not any(row["ledger_date"] == "2026-10-16" for row in found.of("vipps_funds"))


def test_entries_that_are_null_are_no_empty_day(vipps):
    vipps.control.fault({"alter": {"pattern": r'"items":\[.*?\]', "to": '"items":null'}}, {"path": DAY_PATH})
    found = vipps.run()
    assert found.status == 1
    assert "the answer's items is null, and no list" in found.log


@pytest.mark.parametrize(
    ("ledger", "day", "page", "closed"),
    [(DAILY, "2026-11-16", 0, True), (DAILY, "2026-11-16", 1, True), (WEEKLY, "2026-11-19", 0, False)],
    ids=["a closed day", "its second page", "a day that is not closed"],
)
def test_a_day_that_has_lost_its_flag_is_not_taken_for_closed(vipps, ledger, day, page, closed):
    vipps.control.options.update({"vipps_unclosed": "tryLater", "vipps_page_size": 7})
    path = f"/report/v2/ledgers/{ledger}/funds/dates/{day}"
    vipps.control.fault({"alter": {"pattern": r',"tryLater":(true|false)', "to": ""}}, {"path": path}, skip=page)
    found = vipps.run(vipps.config(day))
    assert found.status == 1
    assert "does not say at tryLater whether its data are all there" in found.log
    assert not [row for row in found.of("vipps_funds") if (row["account_id"], row["ledger_date"]) == (ledger, day)]
    vipps.control.clear_faults()
    again = vipps.run(vipps.config(day), state=found.state)
    assert again.status == 0, again.log
    read = [row for row in again.of("vipps_funds") if (row["account_id"], row["ledger_date"]) == (ledger, day)]
    assert bool(read) == closed


@pytest.mark.parametrize("name", ["amount", "balanceAfter", "entryType"])
def test_a_first_day_without_what_its_checks_read_is_refused(vipps, name):
    vipps.control.fault({"alter": {"from": f'"{name}"', "to": '"renamed"'}}, {"path": DAY_PATH})
    config = vipps.config("2026-11-16", end_date="2026-11-17")
    found = vipps.run(config)
    assert found.status == 1
    assert f"the column '{name}' is missing" in found.log
    assert "2026-11-15T23:00:00Z" not in found.state["bookmarks"]["vipps_funds"]["ledger"][0].get("through", "")
    allowed = vipps.run({**config, "allow_missing_columns": {"vipps_funds": [name]}})
    assert f"the column '{name}' is missing" not in allowed.log


def test_amounts_beyond_any_sum_of_money_are_refused(vipps):
    digits = {"pattern": '"amount":(-?[0-9]+)', "to": '"amount":\\g<1>' + "0" * 1_000}
    vipps.control.fault({"alter": digits}, {"path": DAY_PATH})
    found = vipps.run(vipps.config("2026-11-16", end_date="2026-11-17"))
    assert found.status == 1
    assert "its amounts cannot be added up exactly" in found.log


def test_tokens_that_end_in_the_middle_are_asked_for_anew(vipps):
    vipps.control.options["vipps_token_calls"] = 5
    found = vipps.run()
    assert (found.status, held(found)) == (0, booked(vipps))
    assert vipps.control.counters()["events"]["sign_in"] > 5


def test_a_bare_404_of_a_renewal_is_no_day_that_is_not_closed(vipps):
    vipps.control.options["vipps_token_calls"] = 5
    vipps.control.fault({"status": 404, "body": ""}, {"path": "^/accesstoken/get$"}, skip=1)
    found = vipps.run(vipps.config("2026-11-18"))
    assert found.status == 1
    assert "the sign-in failed: HTTP 404" in found.log
    assert f"account {DAILY}: period 2026-11-18" not in found.log.partition("left: ")[2]


@pytest.mark.parametrize("name", ["vipps_client_secret", "vipps_subscription_key"])
def test_wrong_keys_are_told_as_the_sign_ins_failure(vipps, name):
    found = vipps.run(vipps.config(**{name: "not-the-right-one"}))
    assert found.status == 1
    assert "sign-in" in found.log
    assert "not-the-right-one" not in found.log


def test_no_secret_is_in_messages_log_or_state(vipps):
    found = vipps.run()
    said = found.log + json.dumps(found.state) + json.dumps([*found.records])
    assert not [secret for secret in (CLIENT_SECRET, SUBSCRIPTION_KEY, SIGNATURE) if secret in said]


def test_what_the_description_does_not_have_is_read_all_the_same(vipps):
    found = vipps.run(vipps.config("2026-10-05", end_date="2026-10-08"))
    days = {row["ledger_date"]: row for row in found.of("vipps_funds") if row["account_id"] == DAILY}
    assert [days[f"2026-10-0{n}"]["entry_type"] for n in (5, 6, 7)] == [
        "scheduled-for-payout",
        "payout-scheduled",
        "payout-scheduled",
    ]
    assert days["2026-10-07"]["product"] == "number"
    assert days["2026-10-05"].get("product") is None


@pytest.mark.parametrize(
    ("changed", "check"),
    [
        (
            {
                "pattern": '"balanceAfter":[0-9]+,"recipientHandle":"api',
                "to": '"balanceAfter":1,"recipientHandle":"api',
            },
            "balance_chain",
        ),
        ({"pattern": '"entryType":"fees-retained"', "to": '"entryType":"fees-returned"'}, "fees_retained"),
    ],
)
def test_books_that_do_not_agree_are_found(vipps, changed, check):
    vipps.control.fault({"alter": changed}, {"path": DAY_PATH})
    found = vipps.run(vipps.config(on_mismatch="warn"))
    assert verdicts(found, check)[False] == 1
    assert check in found.log


def test_a_balance_that_does_not_go_on_from_the_day_before_is_found(vipps):
    # One entry taken away at the end of a day: the day agrees with itself, and not with the next one.
    vipps.control.totals(vipps.config())
    days = vipps.control.vendor("vipps").books._books[DAILY].days
    day = date(2026, 11, 16)
    days[day]["funds"] = days[day]["funds"][:-1]
    found = vipps.run(vipps.config(on_mismatch="warn"))
    assert verdicts(found, "balance_chain")[False] == 0
    assert verdicts(found, "balance_goes_on")[False] == 1


def test_days_need_no_order_so_none_is_left_for_max_new_runs(vipps):
    """`max_new_runs` counts orders alone."""
    found = vipps.run(vipps.config(max_new_runs=1))
    assert found.status == 0, found.log
    assert held(found) == booked(vipps)
    assert "max_new_runs" not in found.log


def test_days_that_need_no_order_have_no_line_each(vipps, caplog):
    caplog.set_level("DEBUG", logger="tap-billing-reports")
    vipps.control.options["vipps_unclosed"] = "404"
    found = vipps.run()
    told = Counter(tuple(line.split()[:2]) for line in found.log.splitlines() if " event=" in line)
    days = len(found.of("report_runs"))
    assert days > 20
    steps = {("DEBUG", f"event={step}"): days for step in ("fetched", "collected", "emitted", "done")}
    assert told.items() >= steps.items()
    assert {level for level, _ in told} == {"DEBUG"}


def test_a_long_reading_says_once_a_minute_how_far_it_is(vipps, caplog):
    """Each answer takes two seconds of the vendors' clock, which is the tap's."""
    caplog.set_level("INFO", logger="tap-billing-reports")
    moved = []

    class Slow(SandboxClock):
        def monotonic(self):
            moved.append(len(vipps.control.requests()))
            return 2.0 * moved[-1]

    vipps.clock = Slow(vipps.control)
    found = vipps.run()
    beats = [line for line in found.log.splitlines() if line.startswith("INFO event=")]
    assert 1 < len(beats) <= 2 * moved[-1] / HEARTBEAT_SECONDS
    assert all(line.startswith("INFO event=progress pending=") for line in beats)
