"""Newvendor's declaration against its emulator, through the installed tap's own command."""

from __future__ import annotations

from decimal import Decimal
from importlib.metadata import entry_points
from typing import Any

from tap_billing_reports_newvendor.emulator import KEY, Emulator
from tap_billing_reports_newvendor.source import SOURCE

STREAM = "newvendor_payout_rows"


def test_the_tap_finds_the_source_and_it_has_no_problems() -> None:
    (entry,) = entry_points(group="tap_billing_reports.sources", name="newvendor")
    assert entry.load() is SOURCE
    settings = {setting.name: setting.default for setting in SOURCE.settings}
    assert SOURCE.problems(settings | {"newvendor_api_key": KEY}) == []


def test_each_payout_is_read_once_and_every_row_arrives(vendor: Emulator, sync: Any) -> None:
    first = sync()
    assert first.status == 0, first.log
    read = list(vendor.read)
    assert len(read) == len(set(read)) > 0
    expected = [row for payout in read for row in vendor.rows(payout)]
    rows = first.records[STREAM]
    assert sorted(row["id"] for row in rows) == sorted(row["id"] for row in expected)
    assert sum(Decimal(row["amount"]) for row in rows) * 100 == sum(row["amount"] for row in expected)
    second = sync(first.state)
    assert (second.status, second.records[STREAM], vendor.read) == (0, [], read)


def test_a_refused_key_is_told_and_not_shown(sync: Any) -> None:
    found = sync(newvendor_api_key="some-other-key")
    assert found.status == 1
    # The code is read from where it stands: a body that is not understood would be shown whole.
    assert "(wrong_key: refused" in found.log
    assert "some-other-key" not in found.log
