"""A sync of Klarna is killed after lists, transactions and both files of a payout: nothing is lost or doubled."""

from __future__ import annotations

import pytest

from tests.vendors.kills import WAYS, Killed
from tests.vendors.klarna.emulated import NOW


@pytest.mark.parametrize("way", WAYS)
def test_killed_after_a_call(klarna, tmp_path, way):
    stores, keeps_state = WAYS[way]
    killed = Killed(klarna.sandbox, klarna.config("2026-11-17"), NOW, tmp_path)
    assert killed.try_all(stores=stores, keeps_state=keeps_state) > 1
