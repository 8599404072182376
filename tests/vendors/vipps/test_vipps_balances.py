"""Vipps MobilePay's balances go on from sync to sync: STATE has those of the days that were read."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from tap_billing_reports.sandbox.vipps.ledgers import LEDGERS
from tests.singer.whole_syncs import text
from tests.vendors.vipps.emulated import NOW
from tests.vendors.vipps.ledger_syncs import FROM, synced

WRITTEN = Path(__file__).parents[2] / "singer" / "written" / "2026-11-29-ledgers"
DAILY = LEDGERS[0].id


def stated(number):
    return (WRITTEN / f"state-{number}.json").read_text()


def verdicts(found):
    """Day and verdict of the checks of the daily ledger's funds, in the order of days."""
    return sorted(
        (record["subject"].split()[1][:10], record["ok"])
        for record in found.of("reconciliations")
        if record["check"] == "balance_goes_on"
        and record["account_id"] == DAILY
        and record["subject"].startswith("funds")
    )


def test_the_first_day_of_a_sync_is_held_to_the_last_one_of_the_sync_before(vipps):
    first, second, third = synced(vipps)
    assert verdicts(first) == [("2026-11-14", None), *((f"2026-11-{day}", True) for day in range(15, 19))]
    assert [verdicts(found) for found in (second, third)] == [[("2026-11-19", True)], [("2026-11-20", True)]]
    # What is written is what was written.
    assert [text(found.state) for found in (first, second, third)] == [stated(number) for number in (1, 2, 3)]


@pytest.mark.parametrize("knows_balances", [True, False])
def test_a_state_of_before_is_gone_on_with(vipps, knows_balances):
    state: Any = json.loads(stated(1))
    if not knows_balances:  # as earlier versions have written it
        for bookmark in state["bookmarks"].values():
            for entry in bookmark.get("ledger", ()):
                entry.pop("balances", None)
    second, third = synced(vipps, state, first=2)
    assert verdicts(second) == [("2026-11-19", True if knows_balances else None)]
    assert verdicts(third) == [("2026-11-20", True)]
    if knows_balances:
        assert text(third.state) == stated(3)


def test_an_entry_that_is_lost_between_two_syncs_is_found(vipps):
    vipps.control.clock.set(NOW + timedelta(days=1))
    day = vipps.control.vendor("vipps").books
    entries = day.entries(LEDGERS[0], "funds", date(2026, 11, 20))
    day._books[DAILY].days[date(2026, 11, 20)]["funds"] = entries[1:]
    found = vipps.run(vipps.config(FROM, on_mismatch="warn"), state=json.loads(stated(1)))
    assert verdicts(found) == [("2026-11-19", False)]
    assert "balance_goes_on" in found.log


def test_what_came_of_a_days_balance_goes_out_before_the_state_that_has_it(vipps):
    found = vipps.run(vipps.config(FROM))
    told: set[str] = set()
    seen = 0
    for kind, stream, value in found.messages:
        if kind == "RECORD" and stream == "reconciliations":
            if value["check"] == "balance_goes_on" and value["account_id"] == DAILY:
                told.update({value["subject"]} if value["subject"].startswith("funds") else ())
        elif kind == "STATE":
            ledger = value["bookmarks"].get("vipps_funds", {}).get("ledger", ())
            spans = [span for entry in ledger if entry["account"] == DAILY for span in entry.get("balances", ())]
            for span in spans:
                days = (date.fromisoformat(span["end"][:10]) - date.fromisoformat(span["start"][:10])).days
                held = {subject for subject in told if span["start"] < subject.split()[1] < span["end"]}
                assert len(held) == days - 1
                seen = max(seen, days)
    assert seen == 5
