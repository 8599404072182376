"""Three syncs of the emulated Vipps MobilePay, a day apart, always the same: their STATEs are kept for later versions.

`python -m tests.vendors.vipps.ledger_syncs FOLDER` writes down what the present code makes of them, into a new folder.
"""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tap_billing_reports.sandbox.core import Sandbox
from tests.singer.whole_syncs import text
from tests.vendors.vipps.emulated import NOW, Vipps

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.running import Result

FROM = "2026-11-15"


def synced(vipps: Vipps, state: Any = None, *, first: int = 1) -> Iterator[Result]:
    """The syncs from number `first` on, each from the STATE of the one before."""
    for number in range(first, 4):
        vipps.control.freeze()
        vipps.control.clock.set(NOW + timedelta(days=number - 1))
        found = vipps.run(vipps.config(FROM), state=state)
        assert found.status == 0, found.log
        state = found.state
        yield found


def main(folder: Path) -> None:
    folder.mkdir(parents=True)
    with Sandbox(NOW, seed=7, vendors=("vipps",)) as sandbox:
        sandbox.control.reset(at=NOW)
        for number, found in enumerate(synced(Vipps(sandbox)), 1):
            (folder / f"state-{number}.json").write_text(text(found.state))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
