"""The demo's data as messages: two syncs of the tap against the emulated vendors, a day between them."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from scripts.demo.processes import status_of
from scripts.demo.sandbox import running_sandbox
from scripts.demo.settings import FEWER_REPORTS, demo_settings
from scripts.targets import edge_cases
from scripts.targets.truth import read_messages
from scripts.totals import compare
from scripts.venvs import ROOT
from tap_billing_reports.sandbox.emulation import SERVED

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from scripts.targets.truth import Told
    from scripts.totals import Totals

# Read again in the second sync: with a column that nobody knew, and fewer rows than before, so that the
# tap has to mark the surplus ones as deleted.
CORRECTED = "balance_change_from_activity.itemized.3"
LARGE_AMOUNTS = "acct_sandbox_large"
"""The emulated account with amounts of twenty digits, which the demo leaves out."""
NEW_COLUMN = "loyalty_tier"
CHANGES = {
    "stripe_extra_columns": {"Loyalty tier": "gull, 7 % årsrabatt"},
    "stripe_run_rules": [{"match": {"report_type": CORRECTED}, "do": {"drop_rows": 60}}],
}


@dataclass(frozen=True)
class Captured:
    """Message files: the two syncs, and the first of them once more with `decimals_as` = number."""

    first: Path
    second: Path
    numbers: Path
    control_totals: int
    """Control totals of the vendors that the messages were held against; all were equal."""


def capture(folder: Path) -> Captured:
    """Runs the tap and holds what it said against the vendors' control totals.

    Raises:
        RuntimeError: a sync failed, or a control total differs.
    """
    files = {name: folder / f"{name}.jsonl" for name in ("first", "second", "numbers")}
    with running_sandbox(folder, vendors=SERVED) as sandbox:
        today = datetime.now(timezone.utc).date()
        settings = demo_settings(sandbox.settings, today=today, reports=FEWER_REPORTS)
        settings["stripe_connected_accounts"].append(LARGE_AMOUNTS)
        _sync(settings, files["first"])
        first = read_messages([files["first"]])
        equal = _equal(sandbox.totals(settings), first)
        _sync({**settings, "decimals_as": "number"}, files["numbers"])
        sandbox.next_day()
        sandbox.switch(CHANGES)
        _sync(settings, files["second"], "--state", _written(files["second"].with_suffix(".state.json"), first.state))
        both = read_messages([files["first"], files["second"]])
        # The vendor's totals know nothing of the rows that were dropped.
        corrected = {name for name, stream in both.streams.items() if NEW_COLUMN in stream.columns}
        equal += _equal({name: sums for name, sums in sandbox.totals(settings).items() if name not in corrected}, both)
    with files["first"].open("a", encoding="utf-8") as file:
        file.writelines(edge_cases.messages())
        # Targets keep what the last STATE says once everything before it is stored.
        file.write(json.dumps({"type": "STATE", "value": first.state}) + "\n")
    return Captured(**files, control_totals=equal)


def _sync(settings: Mapping[str, Any], output: Path, *words: str) -> None:
    config = _written(output.with_suffix(".config.json"), settings)
    command = [sys.executable, "-m", "tap_billing_reports", "--config", config, *words]
    log = output.with_suffix(".log")
    if status := status_of(command, log, cwd=ROOT, said=output):
        raise RuntimeError(f"the tap ended with exit status {status}; see {log}")


def _written(path: Path, content: Any) -> str:
    path.write_text(json.dumps(content))
    return str(path)


def _equal(totals: Totals, told: Told) -> int:
    """How many control totals are equal; raises RuntimeError unless all are."""
    lines = compare(totals, told.tables())
    different = [line for line in lines if not line.equal]
    if different:
        raise RuntimeError(f"the tap's own messages differ from the vendors' totals: {different[:3]}")
    return len(lines)
