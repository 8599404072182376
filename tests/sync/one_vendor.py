"""Settings of the emulated Stripe alone, for tests of commands."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from tap_billing_reports.sandbox.core import Sandbox

ROWS = "stripe_payouts_itemized_3"
REPORTS = [{"report_type": "payouts.itemized.3", "window": "week"}]


def settings_of_stripe(folder: Path, sandbox: Sandbox, **changes: Any) -> str:
    """Writes a settings file of one vendor; its path."""
    given = {name: value for name, value in sandbox.settings().items() if name.startswith("stripe_")}
    narrow = {"start_date": "2026-11-02", "stripe_reports": REPORTS, "stripe_connected_accounts": []}
    path = folder / "config.json"
    path.write_text(json.dumps({**given, **narrow, **changes}))
    return str(path)
