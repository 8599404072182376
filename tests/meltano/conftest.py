"""A copy of the project that Meltano may change, and emulated vendors for it to read."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from scripts import venvs
from scripts.demo.meltano import EXTRACTOR, Meltano
from tap_billing_reports.sandbox.core import Sandbox
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


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox(now=NOW - timedelta(days=1), vendors=("stripe", "brp")) as box:
        yield box


@pytest.fixture(scope="module")
def project(sandbox, tmp_path_factory):
    """The project's copy with the extractor and the loader installed; nothing has been read yet."""
    venvs.provide(venvs.ENVIRONMENTS["meltano"])
    root = tmp_path_factory.mktemp("project")
    for name in NEEDED:
        source = venvs.ROOT / name
        if source.is_dir():
            shutil.copytree(source, root / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, root / name)
    (root / "output").mkdir()
    settings = sandbox.settings((NOW - timedelta(days=40)).date().isoformat()) | {
        "stripe_connected_accounts": [],
        "stripe_reports": [{"report_type": "balance_change_from_activity.summary.1", "window": "month"}],
    }
    made = Project(root, settings)
    made.call("install", EXTRACTOR)
    # This loader pins versions of its own, which are not the project's.
    made.call("install", LOADER, UV_CONSTRAINT=os.devnull, PIP_CONSTRAINT=os.devnull)
    return made
