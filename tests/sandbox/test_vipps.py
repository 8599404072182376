"""The emulated Vipps MobilePay: how it is asked, and the identities of its books."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
import requests

from tap_billing_reports.sandbox.core import Sandbox
from tap_billing_reports.sandbox.emulation import SERVED, available, hosts
from tap_billing_reports.sandbox.vipps.books import TOPICS
from tap_billing_reports.sandbox.vipps.ledgers import LEDGERS
from tap_billing_reports.sandbox.vipps.signin import SIGNATURE
from tests.waiting import HANG_SECONDS

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=timezone.utc)  # a Friday
TODAY = NOW.date()
DAILY, WEEKLY, DANISH, GROSS = (ledger.id for ledger in LEDGERS)
PAYOUTS = {"scheduled-for-payout", "payout-scheduled"}


class Vipps:
    """A client of the emulator that does what its description says, and no more."""

    def __init__(self, sandbox, session):
        self.sandbox, self.control, self.session = sandbox, sandbox.control, session
        settings = sandbox.settings("2026-09-01")
        self.base = settings["vipps_api_url"]
        self.keys = {
            "client_id": settings["vipps_client_id"],
            "client_secret": settings["vipps_client_secret"],
            "Ocp-Apim-Subscription-Key": settings["vipps_subscription_key"],
        }
        self.token = None

    def sign_in(self, path="/accesstoken/get", **keys):
        return self.session.post(self.base + path, headers={**self.keys, **keys}, timeout=HANG_SECONDS)

    def get(self, path, headers=None, **query):
        if self.token is None:
            self.token = self.sign_in().json()["access_token"]
        signed = {
            "Authorization": f"Bearer {self.token}",
            "Ocp-Apim-Subscription-Key": self.keys["Ocp-Apim-Subscription-Key"],
        }
        given = {**signed, **(headers or {})}
        return self.session.get(self.base + path, params=query, headers=given, timeout=HANG_SECONDS)

    def page(self, ledger, topic, day, **query):
        return self.get(f"/report/v2/ledgers/{ledger}/{topic}/dates/{day}", **query)

    def day(self, ledger, topic, day):
        """All entries of a closed day."""
        entries: list[dict[str, Any]] = []
        cursor: dict[str, str] = {}
        while True:
            body = self.page(ledger, topic, day, **cursor).json()
            assert not body["tryLater"]
            assert ("cursor" in body) is body["hasMore"]
            entries += body["items"]
            if not body["hasMore"]:
                return entries
            cursor = {"cursor": body["cursor"]}


@pytest.fixture(scope="module")
def served():
    with Sandbox(now=NOW, seed=7, vendors=("vipps",)) as sandbox, requests.Session() as session:
        session.trust_env = False
        yield sandbox, session


@pytest.fixture
def vipps(served):
    sandbox, session = served
    sandbox.control.reset(at=NOW)
    return Vipps(sandbox, session)


@pytest.fixture(scope="module")
def history(served):
    """Ledger and topic -> day -> its entries, of the last closed weeks."""
    sandbox, session = served
    sandbox.control.reset(at=NOW)
    vipps = Vipps(sandbox, session)
    days = [date(2026, 10, 5) + timedelta(days=n) for n in range(42)]
    return {
        (ledger.id, topic): {day: vipps.day(ledger.id, topic, day) for day in days}
        for ledger in LEDGERS
        for topic in TOPICS
    }


@pytest.mark.parametrize("path", ["/accesstoken/get", "/accessToken/get"])
def test_a_token_comes_with_its_life_as_text(vipps, path):
    told = vipps.sign_in(path).json()
    assert (told["token_type"], told["expires_in"]) == ("Bearer", "3600")
    assert told["expires_on"] == str(int(NOW.timestamp()) + 3_600)
    assert told["access_token"].count(".") == 2
    vipps.token = told["access_token"]
    assert vipps.get("/settlement/v1/ledgers").status_code == 200


def test_a_token_is_asked_for_by_post_alone(vipps):
    assert vipps.get("/accesstoken/get").status_code == 405


@pytest.mark.parametrize("name", ["client_id", "client_secret", "Ocp-Apim-Subscription-Key"])
def test_wrong_keys_get_no_token(vipps, name):
    answer = vipps.sign_in(**{name: "wrong"})
    assert (answer.status_code, set(answer.json())) == (401, {"code", "message"})
    assert "sign_in" not in vipps.control.counters()["events"]


@pytest.mark.parametrize("headers", [{"Authorization": "Bearer x"}, {"Ocp-Apim-Subscription-Key": "x"}])
def test_calls_need_a_token_and_the_subscription(vipps, headers):
    answer = vipps.get(f"/report/v2/ledgers/{DAILY}/funds/dates/2026-11-02", headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "Unauthorized")
    answer = vipps.get("/settlement/v1/ledgers", headers)
    assert (answer.status_code, answer.headers["Content-Type"]) == (401, "application/problem+json")


def test_a_token_ends_with_its_life(vipps):
    assert vipps.get("/settlement/v1/ledgers").status_code == 200
    vipps.control.advance(3_600)
    assert vipps.get("/settlement/v1/ledgers").status_code == 401
    vipps.token = None
    assert vipps.get("/settlement/v1/ledgers").status_code == 200
    assert vipps.control.counters()["events"]["sign_in"] == 2


def test_a_token_can_end_in_the_middle_of_its_life(vipps):
    vipps.control.options["vipps_token_calls"] = 2
    assert [vipps.get("/settlement/v1/ledgers").status_code for _ in range(3)] == [200, 200, 401]
    vipps.token = None
    assert vipps.get("/settlement/v1/ledgers").status_code == 200


def test_the_log_knows_a_token_and_does_not_hold_it(vipps):
    vipps.get("/settlement/v1/ledgers", stray=SIGNATURE)
    (_, asked) = vipps.control.requests()
    assert [found["name"] for found in asked["secrets"]] == ["vipps:1", "vipps:2", "vipps:2"]
    assert SIGNATURE not in str(vipps.control.requests())


def test_ledgers_come_by_cursor(vipps):
    first = vipps.get("/settlement/v1/ledgers").json()
    last = vipps.get("/settlement/v1/ledgers", cursor=first["cursor"]).json()
    assert [one["ledgerId"] for one in first["items"] + last["items"]] == [DAILY, WEEKLY, DANISH, GROSS]
    assert (len(first["items"]), last["cursor"]) == (3, "")
    assert [one["currency"] for one in first["items"] + last["items"]] == ["NOK", "NOK", "DKK", "EUR"]
    (one,) = vipps.get("/settlement/v1/ledgers", settlesForRecipientHandles="api:330012").json()["items"]
    assert one["ledgerId"] == GROSS


def test_balances_chain_from_entry_to_entry_and_from_day_to_day(history):
    for days in history.values():
        entries = [entry for found in days.values() for entry in found]
        assert all(entry["balanceBefore"] + entry["amount"] == entry["balanceAfter"] for entry in entries)
        assert all(one["balanceAfter"] == following["balanceBefore"] for one, following in pairwise(entries))
        assert len(entries) > 60


def test_retained_fees_are_opposite_on_both_sides_with_one_reference(history):
    seen = 0
    for ledger in LEDGERS:
        for day, funds in history[ledger.id, "funds"].items():
            sides = [
                [
                    (entry["pspReference"], sign * entry["amount"])
                    for entry in found
                    if entry["entryType"] == "fees-retained"
                ]
                for sign, found in ((1, funds), (-1, history[ledger.id, "fees"][day]))
            ]
            assert sides[0] == sides[1]
            seen += len(sides[0])
    assert seen > 100
    assert not any(e["entryType"] == "fees-retained" for found in history[GROSS, "funds"].values() for e in found)
    invoiced = [e for found in history[GROSS, "fees"].values() for e in found if e["entryType"] == "fees-invoiced"]
    assert [(entry["ledgerDate"], entry["balanceAfter"]) for entry in invoiced] == [("2026-10-31", 0)]


def test_several_fees_share_a_reference_and_some_stand_on_the_next_day(history):
    captured = {e["pspReference"]: day for day, found in history[DAILY, "funds"].items() for e in found}
    fees = [e for found in history[DAILY, "fees"].values() for e in found if e["entryType"] == "capture-fee"]
    assert {2} == set(Counter(e["pspReference"] for e in fees).values())
    late = {date.fromisoformat(e["ledgerDate"]) - captured.get(e["pspReference"], TODAY) for e in fees}
    assert {timedelta(0), timedelta(days=1)} <= late


def test_a_payout_empties_the_funds_at_the_end_of_its_day(history):
    for ledger in LEDGERS:
        days = history[ledger.id, "funds"]
        paid = [found[-1] for found in days.values() if found and found[-1]["entryType"] in PAYOUTS]
        assert {entry["balanceAfter"] for entry in paid} == {0}
        inside = [e for found in days.values() for e in found[:-1]]
        assert not any(e["entryType"] in PAYOUTS for e in inside)
        weekdays = {date.fromisoformat(entry["ledgerDate"]).weekday() for entry in paid}
        assert weekdays == ({6} if ledger.weekly else set(range(7)))


def test_there_is_an_entry_of_every_kind(history):
    kinds: dict[str, set[str]] = {topic: set() for topic in TOPICS}
    for (_, topic), days in history.items():
        kinds[topic] |= {entry["entryType"] for found in days.values() for entry in found}
    assert kinds["fees"] == {"capture-fee", "fees-retained", "fees-invoiced", "correction"}
    disputes = {"retained-disputed-capture", "returned-disputed-capture"}
    assert kinds["funds"] >= {"capture", "refund", "fees-retained", "correction", "payout-aborted", *disputes, *PAYOUTS}


def test_funds_below_zero_keep_days_open_until_a_top_up(vipps):
    # The concert is cancelled 60 days before the clock's start; the top-up comes four days later.
    cancelled = (NOW - timedelta(days=60)).date()
    vipps.control.clock.set(NOW - timedelta(days=57))
    assert vipps.page(DANISH, "funds", cancelled - timedelta(days=1)).status_code == 200
    assert vipps.page(DANISH, "funds", cancelled).status_code == 404
    vipps.control.clock.set(NOW)
    vipps.token = None
    (entry,) = [e for e in vipps.day(DANISH, "funds", cancelled + timedelta(days=4)) if e["entryType"] == "top-up"]
    assert entry["balanceBefore"] < 0


def test_times_have_microseconds_and_offsets_of_three_forms(history):
    forms = {DAILY: r"Z", WEEKLY: r"\+0[12]:00", DANISH: r"\+0[12]00", GROSS: r"Z"}
    for (ledger, _), days in history.items():
        for found in days.values():
            for entry in found:
                assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}" + forms[ledger], entry["time"])
    assert any(not e["time"].split(".")[1].startswith("000000") for e in history[DAILY, "funds"][date(2026, 11, 2)])


def test_a_ledger_date_may_begin_at_four(history):
    hours = {
        e["time"][11:13]
        for found in history[WEEKLY, "funds"].values()
        for e in found
        if e["time"][:10] > e["ledgerDate"]
    }
    assert hours <= {"00", "01", "02", "03", "04"}
    assert "04" in hours


def test_what_an_entry_does_not_have_is_null_or_left_out(history):
    def blank(ledger):
        (entry,) = [e for e in history[ledger, "funds"][date(2026, 11, 1)] if e["entryType"] in PAYOUTS]
        return entry

    assert (blank(DAILY)["recipientHandle"], blank(DAILY)["reference"]) == (None, None)
    assert "recipientHandle" not in blank(DANISH)
    assert blank(DANISH)["reference"].startswith("02")


def test_a_newer_word_and_a_newer_field_since_some_day(history, vipps):
    words: dict[bool, set[str]] = defaultdict(set)
    for day, found in history[DAILY, "funds"].items():
        words[day >= date(2026, 10, 6)] |= {e["entryType"] for e in found if e["entryType"] in PAYOUTS}
        assert {"product" in e for e in found} == {day >= date(2026, 10, 6)}
    assert words == {False: {"scheduled-for-payout"}, True: {"payout-scheduled"}}
    vipps.control.options["vipps_documented_only"] = True
    entry = vipps.day(DAILY, "funds", date(2026, 11, 2))[-1]
    assert (entry["entryType"], "product" in entry) == ("scheduled-for-payout", False)
    assert "salesUnits" not in vipps.get("/settlement/v1/ledgers").json()["items"][0]


def test_more_entries_than_an_answer_holds_go_on_by_cursor(vipps):
    day = (NOW - timedelta(days=40)).date()
    first = vipps.page(DAILY, "funds", day).json()
    assert (len(first["items"]), first["hasMore"]) == (1_000, True)
    assert len(vipps.day(DAILY, "funds", day)) > 1_050
    wrong = vipps.page(DAILY, "fees", day, cursor=first["cursor"])
    assert (wrong.status_code, wrong.headers["Content-Type"]) == (400, "application/problem+json")
    assert vipps.page(DAILY, "fees", day, cursor="never given").status_code == 400


def test_a_full_page_may_be_followed_by_an_empty_one(vipps):
    whole = vipps.day(DAILY, "funds", "2026-11-02")
    vipps.control.options["vipps_page_size"] = len(whole)
    first = vipps.page(DAILY, "funds", "2026-11-02").json()
    assert first["hasMore"]
    second = vipps.page(DAILY, "funds", "2026-11-02", cursor=first["cursor"]).json()
    assert second == {"hasMore": False, "tryLater": False, "items": []}
    vipps.control.options["vipps_page_size"] = 7
    assert vipps.day(DAILY, "funds", "2026-11-02") == whole


def test_a_day_without_entries_is_closed_and_empty(history):
    empty = [day for day, found in history[WEEKLY, "funds"].items() if not found]
    assert empty
    assert all(not history[WEEKLY, "fees"][day] for day in empty)


def test_days_that_are_not_closed_say_so_in_two_ways(vipps):
    body = vipps.page(WEEKLY, "funds", "2026-11-16").json()
    assert (body["tryLater"], body["hasMore"]) == (True, False)
    assert vipps.page(DAILY, "funds", TODAY).json()["items"], "what there is so far, which is no report"
    assert vipps.page(DAILY, "funds", TODAY).json()["tryLater"]
    assert vipps.page(GROSS, "funds", TODAY).status_code == 404
    assert not vipps.page(WEEKLY, "funds", "2026-11-15").json()["tryLater"]
    vipps.control.options["vipps_unclosed"] = "404"
    assert vipps.page(DAILY, "funds", TODAY).status_code == 404
    vipps.control.options["vipps_unclosed"] = "tryLater"
    assert vipps.page(GROSS, "fees", TODAY + timedelta(days=9)).json()["items"] == []


def test_a_day_is_closed_some_while_after_its_end(vipps):
    # Oslo's 20 November ends at 23:00 UTC.
    vipps.control.clock.set(datetime(2026, 11, 21, 1, 29, tzinfo=timezone.utc))
    assert vipps.page(DAILY, "funds", TODAY).json()["tryLater"]
    vipps.control.clock.set(datetime(2026, 11, 21, 1, 30, tzinfo=timezone.utc))
    assert not vipps.page(DAILY, "funds", TODAY).json()["tryLater"]


def test_a_day_once_closed_never_changes(vipps):
    before = {topic: vipps.day(DAILY, topic, "2026-11-19") for topic in TOPICS}
    for _ in range(3):
        vipps.control.next_day()
    vipps.token = None
    assert {topic: vipps.day(DAILY, topic, "2026-11-19") for topic in TOPICS} == before
    assert vipps.day(DAILY, "funds", "2026-11-20")[0]["balanceBefore"] == before["funds"][-1]["balanceAfter"]


@pytest.mark.parametrize(
    ("path", "status", "title"),
    [
        ("/report/v2/ledgers/1/funds/dates/2026-11-02", 404, "No such ledgerId"),
        (f"/report/v2/ledgers/{DAILY}/payouts/dates/2026-11-02", 400, "Bad Request"),
        (f"/report/v2/ledgers/{DAILY}/funds/dates/2026-11-31", 400, "Bad Request"),
    ],
)
def test_problems_are_told_as_problem_json(vipps, path, status, title):
    answer = vipps.get(path)
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/problem+json")
    assert (answer.json()["status"], answer.json()["title"], answer.json()["instance"]) == (status, title, path)


def test_headers_of_the_system_are_short(vipps):
    fits, long = "x" * 30, "x" * 31
    assert vipps.get("/settlement/v1/ledgers", {"Vipps-System-Name": fits}).status_code == 200
    assert vipps.get("/settlement/v1/ledgers", {"Vipps-System-Plugin-Version": long}).status_code == 400


def test_its_own_failures_have_a_form_of_their_own(vipps):
    vipps.control.options["vipps_server_error"] = f"{WEEKLY}/fees"
    assert set(vipps.page(WEEKLY, "fees", "2026-11-02").json()) == {"errorCode", "errorMessage", "contextId"}
    assert vipps.page(WEEKLY, "fees", "2026-11-02").status_code == 500
    assert vipps.page(WEEKLY, "funds", "2026-11-02").status_code == 200


def test_totals_are_the_closed_days_in_major_units(vipps):
    settings = vipps.sandbox.settings("2026-11-12")
    totals = vipps.control.totals(settings)
    assert totals["accounts"]["vipps"]["rows"] == 4
    closed = vipps.control.vendor("vipps").books.closed_through
    assert closed(LEDGERS[1]) < closed(LEDGERS[0])
    for topic in TOPICS:
        entries = [
            entry
            for ledger in LEDGERS
            for n in range((closed(ledger) - date(2026, 11, 11)).days)
            for entry in vipps.day(ledger.id, topic, date(2026, 11, 12) + timedelta(days=n))
        ]
        found = totals[f"vipps_{topic}"]["vipps"]
        assert found["rows"] == len(entries)
        columns = {"amount": "amount", "balance_before": "balanceBefore", "balance_after": "balanceAfter"}
        assert {c: Decimal(found["sums"][c]) * 100 for c in columns} == {
            c: sum(entry[name] for entry in entries) for c, name in columns.items()
        }
    days = sum((closed(ledger) - date(2026, 11, 11)).days for ledger in LEDGERS)
    assert totals["report_runs"]["vipps"]["rows"] == totals["report_files"]["vipps"]["rows"] == 2 * days
    named = vipps.control.totals({**settings, "vipps_reports": [{"report_type": "fees", "name": "costs"}]})
    assert named["report_runs"]["vipps"]["rows"] == days
    assert {"vipps_costs"} == {stream for stream in named if stream.startswith("vipps_")}


def test_books_depend_on_the_seed_alone():
    def books(seed):
        with Sandbox(now=NOW, seed=seed, vendors=("vipps",)) as sandbox:
            found = sandbox.control.vendor("vipps").books
            return [found.entries(ledger, "funds", date(2026, 11, 2)) for ledger in LEDGERS]

    assert books(1) == books(1) != books(2)


def test_a_sandbox_that_is_asked_for_no_vendor_has_those_that_the_tap_reads():
    assert set(hosts(available(SERVED))) == {"control", "foreign", "stripe_api", "stripe_files", "bring", "brp"}
