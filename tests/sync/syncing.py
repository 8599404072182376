"""Whole syncs into a warehouse, and the same through messages."""

from __future__ import annotations

import io
import json
import random
from typing import IO, TYPE_CHECKING, Any

from tap_billing_reports.singer.tap import TapBillingReports
from tap_billing_reports.singer.writer import BufferedWriter
from tap_billing_reports.sync.job import Job, run
from tap_billing_reports.warehouse.columns import OWN_TABLES
from tests.warehouse.places import loading

if TYPE_CHECKING:
    from pathlib import Path

    from tests.warehouse.places import Place

REPORTS = [
    {"report_type": "balance_change_from_activity.itemized.3", "window": "week", "timezone": "America/Los_Angeles"},
    {"report_type": "payouts.itemized.3", "window": "month"},
]


class Lines(BufferedWriter):
    """Keeps what a tap prints."""

    def __init__(self) -> None:
        super().__init__()
        self.data = bytearray()

    def _put(self, data: bytes | bytearray) -> None:  # type: ignore[override]
        self.data += data


def settings_in(folder: Path, sandbox: Any, **settings: Any) -> str:
    """A settings file for the emulated vendors."""
    path = folder / "config.json"
    narrow = {"start_date": "2026-11-02", "bring_customers": ["20000770011"], "stripe_reports": REPORTS}
    given = {**sandbox.settings(), **narrow, **settings}
    path.write_text(json.dumps(given))
    return str(path)


def sync(place: Place, config: str, **options: Any) -> int:
    """`billing-reports sync`, in this process."""
    random.seed(1)  # polls come at the same times
    return run(Job((config,), place.url, **options))


def messages(config: str, state: str | None, catalog: IO[str] | None = None) -> bytes:
    """What the tap prints."""
    random.seed(1)
    given = None if state is None else io.StringIO(state)
    lines = Lines()
    tap = TapBillingReports.opened((config,), state=given, catalog=catalog, writer=lines)
    assert tap.run() == 0
    lines.flush()
    return bytes(lines.data)


def load(place: Place, data: bytes) -> str:
    """What `target-billing-reports` does with it; the last STATE."""
    one = loading(place)
    one.loader.block(data)
    one.loader.finish()
    one.database.close()
    return one.states[-1]


def contents(place: Place) -> dict[str, Any]:
    """All tables, with the types and cells of all columns that streams fill."""
    types = place.all_types(name for name in place.tables() if name not in OWN_TABLES)
    return dict(zip(types, zip(types.values(), place.all_rows(types), strict=True), strict=True))
