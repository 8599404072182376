"""A copy of the project that Meltano may change."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import pytest

from scripts import venvs
from scripts.demo import meltano
from scripts.demo.meltano import EXTRACTOR, Meltano
from tests.forking import Forking, Program, forking
from tests.imported import MODULES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LOADER = "target-jsonl"
NEEDED = (
    "meltano.yml", "pyproject.toml", "README.md", "LICENSE", "constraints.txt",
    "tap_billing_reports", "schemas", "dbt", "templates",
)  # fmt: skip
NOW = datetime.now(timezone.utc)


MELTANO = Program("meltano", "meltano.cli:main")
# What it imports late, for every command.
LATE = ("alembic.command", "alembic.ddl.impl", "anyio._backends._asyncio", "mako.template", "sqlite3")


@pytest.fixture(scope="session")
def forking_meltano():
    """A warm Meltano for all tests of a worker."""
    environment = venvs.ENVIRONMENTS["meltano"]
    venvs.provide(environment)
    with forking("meltano.cli", *LATE, python=environment.python) as warm:
        yield warm


@pytest.fixture
def started_once(forking_meltano, monkeypatch):
    """The verbs' Meltano without its start, which is most of what a command of its costs."""

    def status_of(command, log, *, cwd, env):
        program, *arguments = command
        assert program == str(venvs.ENVIRONMENTS["meltano"].python.with_name("meltano"))
        done = forking_meltano.run(MELTANO, arguments, cwd, env)
        with log.open("a") as output:
            output.write(done.stdout + done.stderr)
        return done.returncode

    monkeypatch.setattr(meltano, "status_of", status_of)


@contextmanager
def forking_plugin(root: Path, kind: str, program: Program) -> Iterator[None]:
    """Lets an installed plugin's program fork from a warm process of its own interpreter, with what is installed there.

    Its start is that of any installed program, and most of what it costs; Meltano starts each plugin twice.
    """
    folder = root / ".meltano" / kind / program.name / "venv" / "bin"
    assert (folder / program.name).exists(), "Meltano has installed it"
    with forking(*MODULES, python=folder / "python") as warm:
        warm.put(program, folder)
        yield


def called(warm: Forking, folder: Path, environment, arguments, *, expect=0) -> tuple[str, str]:
    """Has the warm Meltano run a command, whose exit status has to be the expected one: (stdout, stderr)."""
    done = warm.run(MELTANO, arguments, folder, environment)
    assert done.returncode == expect, f"{arguments}: {done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    return done.stdout, done.stderr


@dataclass
class Project:
    """A Meltano project; `call` runs a command of Meltano's there."""

    root: Path
    settings: dict[str, Any]
    warm: Forking
    variables: dict[str, str] = field(default_factory=dict)

    def call(self, *arguments, expect=0, environment="dev", **variables):
        """What the command printed, (stdout, stderr); its exit status has to be the expected one."""
        base = Meltano(self.root, self.root, "duckdb:none.duckdb", self.settings).environment()
        env = base | {"TARGET_JSONL_DESTINATION_PATH": str(self.output)} | self.variables | variables
        options = ["--env-file", os.devnull, *([f"--environment={environment}"] if environment else [])]
        return called(self.warm, self.root, env, [*options, *arguments], expect=expect)

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
