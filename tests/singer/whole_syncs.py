"""Two syncs of all vendors, always the same: their STATEs and journals are kept from one version to the next.

`python -m tests.singer.whole_syncs FOLDER` writes down what the present code makes of them, into a new folder: what
earlier versions have written stays as it is.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tap_billing_reports.sandbox.core import Sandbox
from tests.fakes import SandboxClock
from tests.running import Result, run_tap, selecting

if TYPE_CHECKING:
    from collections.abc import Mapping

START = datetime(2026, 11, 18, 6, 0, tzinfo=timezone.utc)
OLD_NUMBER = "PARCELS_NORWAY-00012770011"  # its invoices are billed to another number
ACTIVITY = "balance_change_from_activity"
REPORTS = (
    {"report_type": "payouts.itemized.3", "window": "month", "name": "payouts", "columns": ["payout_id", "net"]},
    {"report_type": f"{ACTIVITY}.itemized.3", "window": "week", "name": "activity"},
    {"report_type": f"{ACTIVITY}.summary.1", "window": "week", "name": "activity_summary"},
    {"report_type": "balance.summary.1", "window": "all", "name": "to_date"},
    {"report_type": "balance.summary.2", "window": "month", "include_partial": True, "name": "partial"},
    {
        "report_type": "payout_reconciliation.by_id.itemized.4",
        "payouts": ["po_none", "po_00uFaQNf5o4fTinxH3xkbGqL", "po_0h5MHX5I0J9VVuHCbVX7EMvo"],
        "name": "by_payout",
    },
)
VOLUME = {
    "report_type": "PARCELS-ECONOMY_AND_STATISTICS",
    "window": "month",
    "name": "volume",
    "lookback_days": 40,
    "keep_xlsx": True,
}
BAD_FILE = "1100042"
"""The invoice whose file cannot be read, until the faults end."""


class WholeSyncs:
    """All vendors, at a clock that stands still but for the waits of the tap.

    Args:
        folder: the `storage_url`.
    """

    def __init__(self, box: Sandbox, folder: Path) -> None:
        self.box = box
        self.folder = folder
        self.state: Mapping[str, Any] | None = None

    def settings(self) -> dict[str, Any]:
        return {
            **self.box.settings(start_date="2026-10-05"),
            "storage_url": str(self.folder),
            "run_deadline_minutes": 3,
            "max_new_runs": 4,
            "stripe_reports": list(REPORTS),
            "stripe_connected_accounts": [],
            "bring_customers": [OLD_NUMBER, "20000770022"],
            "bring_invoice_documents": True,
            "bring_reports": [VOLUME],
        }

    def begin(self) -> list[Result]:
        """The two syncs: runs fail or take long, a file is no good; the second has fewer streams."""
        control = self.box.control
        control.reset(at=START)
        # Polls are spread by chance.
        random.seed(1)
        rules = [
            {"match": {"report_type": "balance.summary.1"}, "do": {"seconds": 80_000}},
            {"match": {"report_type": f"{ACTIVITY}.summary"}, "times": 3, "do": {"fail": "out of memory"}},
        ]
        control.options.update(stripe_run_seconds=20, bring_run_seconds=45, stripe_run_rules=rules)
        bad = {"alter": {"pattern": rf"(?s)<InvoiceNumber>{BAD_FILE}.*", "to": ""}}
        control.fault(bad, {"vendor": "bring", "path": r"/report/[^/]*\.xml$"})
        first = self.sync()
        control.next_day()
        control.options.update(bring_run_seconds=80_000)
        second = self.sync(without=("report_runs", "stripe_partial"))
        control.next_day()
        control.clear_faults()
        control.options.update(bring_run_seconds=45, stripe_run_rules=[])
        return [first, second]

    def sync(self, *, without: tuple[str, ...] = ()) -> Result:
        """One sync, which goes on from the STATE of the one before."""
        config, catalog = self.settings(), None
        if without:
            names = [entry["tap_stream_id"] for entry in selecting(config)["streams"]]
            catalog = selecting(config, *(name for name in names if name not in without))
        result = run_tap(config, self.state, catalog, SandboxClock(self.box.control))
        self.state = result.state
        return result


def text(value: Any) -> str:
    """JSON as a file of it is kept: the order of keys is part of it."""
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


def journal(folder: Path) -> dict[str, Any]:
    """All notes below a `storage_url`: path -> note."""
    paths = sorted((folder / "journal").rglob("*.json"))
    return {path.relative_to(folder).as_posix(): json.loads(path.read_bytes()) for path in paths}


def main(folder: Path) -> None:
    folder.mkdir(parents=True)
    with Sandbox(START) as box, tempfile.TemporaryDirectory() as storage:
        syncs = WholeSyncs(box, Path(storage))
        results = syncs.begin()
        for number, result in enumerate(results, 1):
            (folder / f"state-{number}.json").write_text(text(result.state))
        (folder / "journal.json").write_text(text(journal(Path(storage))))
        (folder / "state-3.json").write_text(text(syncs.sync().state))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
