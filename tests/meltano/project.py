"""A copy of the project that Meltano may change."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from scripts import venvs
from scripts.demo.meltano import EXTRACTOR, Meltano
from tests.waiting import HANG_SECONDS

if TYPE_CHECKING:
    from pathlib import Path

LOADER = "target-jsonl"
NEEDED = ("meltano.yml", "pyproject.toml", "README.md", "LICENSE", "constraints.txt", "tap_billing_reports", "schemas")
NOW = datetime.now(timezone.utc)


@dataclass
class Project:
    """A Meltano project; `call` runs a command of Meltano's there."""

    root: Path
    settings: dict[str, Any]
    variables: dict[str, str] = field(default_factory=dict)

    def call(self, *arguments, expect=0, environment="dev", **variables):
        """What the command printed, (stdout, stderr); its exit status has to be the expected one."""
        base = Meltano(
            self.root, self.root, self.root / "none.duckdb", self.root / "meltano.db", self.settings
        ).environment()
        env = base | {"TARGET_JSONL_DESTINATION_PATH": str(self.output)} | self.variables | variables
        program = venvs.ENVIRONMENTS["meltano"].path / "bin" / "meltano"
        command = [str(program), "--env-file", os.devnull, *([f"--environment={environment}"] if environment else [])]
        ran = subprocess.run(
            [*command, *arguments], cwd=self.root, env=env, capture_output=True, text=True,
            timeout=HANG_SECONDS, check=False,
        )  # fmt: skip
        assert ran.returncode == expect, f"{arguments}: {ran.stdout[-2000:]}\n{ran.stderr[-4000:]}"
        return ran.stdout, ran.stderr

    @property
    def output(self):
        return self.root / "output"

    def run(self, *options, **more):
        return self.call("run", *options, EXTRACTOR, LOADER, **more)

    def loaded(self, stream):
        """Records that the loader has appended so far."""
        path = self.output / f"{stream}.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def state(self, state_id):
        """What Meltano keeps under this id."""
        said, _ = self.call("state", "get", state_id, environment=None)
        return json.loads(said)
