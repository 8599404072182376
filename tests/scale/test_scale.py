"""Many invoices, accounts and subjects: what is done and sent grows with them, and not with their square."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from benchmarks.bigbring import BigBring
from tap_billing_reports.reports import due, keys, per_invoice
from tap_billing_reports.reports.state import ledger as ledger_module
from tap_billing_reports.reports.state.entry import Entry
from tap_billing_reports.singer import state_writer
from tests.running import run_tap


class Counted:
    """One sync of a Bring in memory, and how many messages of each kind it sent."""

    def __init__(self, bring, **settings):
        self.bring = bring
        self.messages: Counter[tuple[str, str | None]] = Counter()
        self.result = run_tap(bring.config(**settings), clock=bring.clock, prepare=self._prepare)
        assert self.result.status == 0, self.result.log

    def _prepare(self, tap):
        self.bring.prepare(tap)
        self._tap = tap
        write = tap.message_writer.write_message

        def counted(message):
            self.messages[message.type, getattr(message, "stream", None)] += 1
            write(message)

        tap.message_writer.write_message = counted

    @property
    def states(self):
        return self.messages["STATE", None]

    @property
    def bytes(self):
        return self._tap._line_states.sent


@pytest.fixture
def no_allowance(monkeypatch):
    """STATE at once is for small syncs; these are to behave as big ones do."""
    monkeypatch.setattr(state_writer, "FREE_BYTES", 0)


def test_invoices_of_one_account_cost_no_state_and_no_schema():
    # Twenty a day, and ninety: of a busy day STATE holds as many letters, whatever its invoices.
    few, many = Counted(BigBring(1, 1200)), Counted(BigBring(1, 5400))
    assert len(many.result.of("invoices")) == 5400
    assert many.states == few.states
    assert many.bytes == few.bytes
    schemas = {stream: count for (kind, stream), count in many.messages.items() if kind == "SCHEMA"}
    assert schemas["invoices"] == 1
    assert set(schemas.values()) == {1}
    assert sum("invoicearchive" in path for path in many.bring.asked) == 1


def test_states_of_invoices_do_not_come_with_each_account():
    few, many = Counted(BigBring(10, 2)), Counted(BigBring(150, 2))
    assert len(many.result.of("invoices")) == 300
    assert many.states == few.states
    assert many.bytes < 16 * few.bytes


@pytest.mark.usefixtures("no_allowance")
def test_state_bytes_grow_with_the_accounts():
    for accounts in (40, 160):
        sync = Counted(BigBring(accounts, 1, specified=True))
        assert len(sync.result.of("report_files")) == accounts
        # Ten runs of twenty seconds at a time: two seconds an account, and so many bytes each.
        assert sync.bytes < accounts * 2.5 * state_writer.BYTES_A_SECOND + 10 * len(json.dumps(sync.result.state))


@pytest.mark.usefixtures("no_allowance")
def test_the_ledger_is_not_sent_after_every_run():
    """Two thousand due subjects take an hour; these three hundred ten minutes."""
    sync = Counted(BigBring(1, 300, specified=True))
    assert len(sync.result.of("report_files")) == 300
    seconds = sync.bring.clock.monotonic()
    assert seconds > 600
    # Eight streams and the begin and end of the sync have one each.
    assert sync.states <= seconds / 5 + 10
    assert sync.bytes <= seconds * state_writer.BYTES_A_SECOND * 1.1
    (entry,) = sync.result.state["bookmarks"]["bring_invoice_lines"]["ledger"]
    assert "subjects_due" not in entry
    assert "open" not in entry


def test_an_entry_is_made_anew_once_for_all_its_changes_since_the_last_state(monkeypatch):
    made: Counter[str] = Counter()
    as_state = Entry.as_state

    def counted(self):
        made[self.account] += 1
        return as_state(self)

    monkeypatch.setattr(Entry, "as_state", counted)
    bookmark: dict[str, Any] = {}
    ledger = ledger_module.Ledger(lambda: bookmark)
    accounts = [str(number) for number in range(100)]
    for account in accounts:
        with ledger.changing(account) as entry:
            entry.seen = "2026-01-01"
        ledger.write()
    assert set(made.values()) == {1}
    for day in range(1, 10):
        with ledger.changing("7") as entry:
            entry.seen = f"2026-01-0{day}"
    before = bookmark["ledger"]
    ledger.write()
    assert made["7"] == 2
    assert sum(made.values()) == 101
    assert [entry["account"] for entry in bookmark["ledger"]] == accounts
    assert bookmark["ledger"][7]["seen"] == "2026-01-09"
    assert before[7]["seen"] == "2026-01-01", "a STATE that was sent stays as it was"


def test_known_subjects_are_looked_through_once(monkeypatch):
    split: Counter[str] = Counter()
    split_key = keys.split_key

    def counted(key, account):
        split[key] += 1
        return split_key(key, account)

    for module in (ledger_module, due, per_invoice):
        monkeypatch.setattr(module, "split_key", counted)
    sync = Counted(BigBring(30, 2, specified=True))
    assert len(sync.result.of("bring_invoice_lines")) == 30 * 2 * 2
    # Once for its period, once as the account that its rows belong to, and at most once as known.
    assert max(split.values()) <= 6


def test_an_account_that_begins_again_has_all_its_subjects_due_again():
    bookmark: dict[str, Any] = {}
    ledger = ledger_module.Ledger(lambda: bookmark)
    for account in ("a", "b"):
        ledger.entry(account).subjects_done.add("2026-01-01", f"{account}1")
    assert ledger.subjects == {("a1", "a"), ("b1", "b")}
    ledger.begin_again("a")
    assert ledger.subjects == {("b1", "b")}
