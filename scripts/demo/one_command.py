"""`billing-reports sync` as the demo runs it: the whole job in one command, into a file of its own."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scripts.demo.processes import status_of

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class OneCommand:
    """One sync without Meltano and without a state file."""

    root: Path
    folder: Path
    """Settings and logs are written here."""
    database: Path
    """The DuckDB file."""
    settings: Mapping[str, Any]

    def run(self, log: str) -> int:
        """The exit status; -1 if it did not end in time."""
        path = self.folder / "one-command.json"
        path.write_text(json.dumps(dict(self.settings)))
        command = [
            str(Path(sys.executable).parent / "billing-reports"), "sync",
            "--config", str(path), "--into", f"duckdb:{self.database}",
        ]  # fmt: skip
        return status_of(command, self.folder / log, cwd=self.root, env=os.environ)
