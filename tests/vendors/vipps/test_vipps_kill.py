"""A sync of Vipps MobilePay is killed after its sign-in, a renewal, ledgers, days and their pages: nothing is lost."""

from __future__ import annotations

import pytest

from tests.vendors.kills import WAYS, Killed
from tests.vendors.vipps.emulated import NOW


@pytest.mark.parametrize("way", WAYS)
def test_killed_after_a_call(vipps, tmp_path, way):
    stores, keeps_state = WAYS[way]
    config = vipps.config("2026-11-18", end_date="2026-11-19")
    killed = Killed(vipps.sandbox, config, NOW, tmp_path, vipps_token_calls=6, vipps_page_size=20)
    assert killed.try_all(stores=stores, keeps_state=keeps_state) > 2
