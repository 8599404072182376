"""Newvendor's declaration against its emulator, through the installed tap's own command."""

from __future__ import annotations

from decimal import Decimal
from importlib.metadata import entry_points
from typing import Any

import pytest

from tap_billing_reports_newvendor.emulator import KEY, Emulator
from tap_billing_reports_newvendor.source import SOURCE, run_of

STREAM = "newvendor_settlements"


def test_the_tap_finds_the_source_and_it_has_no_problems() -> None:
    (entry,) = entry_points(group="tap_billing_reports.sources", name="newvendor")
    assert entry.load() is SOURCE
    settings = {setting.name: setting.default for setting in SOURCE.settings}
    assert SOURCE.problems(settings | {"newvendor_api_key": KEY}) == []


def test_each_window_is_ordered_once_and_every_line_arrives(vendor: Emulator, sync: Any) -> None:
    first = sync()
    assert first.status == 0, first.log
    orders = list(vendor.orders)
    assert orders
    lines = [line.split(",") for order in orders for line in vendor.lines(order)]
    rows = first.records[STREAM]
    assert sorted(row["entry_id"] for row in rows) == sorted(line[0] for line in lines)
    assert sum(Decimal(row["gross"]) for row in rows) == sum(Decimal(line[3]) for line in lines)
    second = sync(first.state)
    assert (second.status, second.records[STREAM], vendor.orders) == (0, [], orders)


def test_an_unknown_state_is_an_error_and_not_pending() -> None:
    with pytest.raises(KeyError):
        run_of({"id": "run1", "state": "paused"})


def test_a_refused_key_is_told_and_not_shown(sync: Any) -> None:
    found = sync(newvendor_api_key="some-other-key")
    assert found.status == 1
    # The code is read from where it stands: a body that is not understood would be shown whole.
    assert "(wrong_key: refused" in found.log
    assert "some-other-key" not in found.log
