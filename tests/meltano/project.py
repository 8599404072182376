"""A copy of the project that Meltano may change."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from scripts import venvs
from scripts.demo import meltano
from scripts.demo.meltano import EXTRACTOR, Meltano
from tests.typed import some
from tests.waiting import HANG_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator

LOADER = "target-jsonl"
NEEDED = (
    "meltano.yml", "pyproject.toml", "README.md", "LICENSE", "constraints.txt",
    "tap_billing_reports", "schemas", "dbt", "templates",
)  # fmt: skip
NOW = datetime.now(timezone.utc)


@pytest.fixture(scope="session")
def forking_meltano():
    """A warm Meltano for all tests of a worker."""
    venvs.provide(venvs.ENVIRONMENTS["meltano"])
    with warm(venvs.ROOT) as server:
        yield server


@pytest.fixture
def started_once(forking_meltano, monkeypatch):
    """The verbs' Meltano without its start, which is most of what a command of its costs."""

    def status_of(command, log, *, cwd, env):
        program, *arguments = command
        assert program == str(venvs.ENVIRONMENTS["meltano"].path / "bin" / "meltano")
        status, *said = asked(forking_meltano, cwd, env, arguments, said_in=log.parent)
        with log.open("a") as output:
            output.writelines(said)
        return status

    monkeypatch.setattr(meltano, "status_of", status_of)


@contextmanager
def warm(root: Path) -> Iterator[subprocess.Popen[str]]:
    """A Meltano that is imported once and forks for each command."""
    python = venvs.ENVIRONMENTS["meltano"].path / "bin" / "python"
    program = Path(__file__).with_name("warm.py")
    with subprocess.Popen(
        [str(python), str(program)], cwd=root, text=True, env={**os.environ, "NO_COLOR": "1"},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True,
    ) as server:  # fmt: skip
        try:
            yield server
            some(server.stdin).close()
            server.wait(HANG_SECONDS)
        finally:
            # Whatever is left of it and of its forks; after a good end nothing is.
            with suppress(ProcessLookupError):
                os.killpg(server.pid, signal.SIGKILL)


def asked(server, folder: Path, environment, arguments, said_in: Path | None = None) -> tuple[int, str, str]:
    """Has the warm Meltano run a command in a folder: (exit status, stdout, stderr), which pass through `said_in`."""
    out, err = ((said_in or folder) / name for name in ("said.out", "said.err"))
    command = {
        "arguments": [*arguments],
        "environment": environment,
        "folder": str(folder),
        "out": str(out),
        "err": str(err),
    }
    some(server.stdin).write(f"{json.dumps(command)}\n")
    some(server.stdin).flush()
    told = some(server.stdout)
    assert select.select([told], [], [], HANG_SECONDS)[0], f"Meltano hangs: {arguments}"
    status = int(told.readline())
    said = out.read_text(), err.read_text()
    for path in (out, err):
        path.unlink()
    return status, *said


def called(server, folder: Path, environment, arguments, *, expect=0) -> tuple[str, str]:
    """The same; its exit status has to be the expected one: (stdout, stderr)."""
    status, *said = asked(server, folder, environment, arguments)
    assert status == expect, f"{arguments}: {said[0][-2000:]}\n{said[1][-4000:]}"
    return said[0], said[1]


@dataclass
class Project:
    """A Meltano project; `call` runs a command of Meltano's there."""

    root: Path
    settings: dict[str, Any]
    server: subprocess.Popen[str]
    variables: dict[str, str] = field(default_factory=dict)

    def call(self, *arguments, expect=0, environment="dev", **variables):
        """What the command printed, (stdout, stderr); its exit status has to be the expected one."""
        base = Meltano(self.root, self.root, "duckdb:none.duckdb", self.settings).environment()
        env = base | {"TARGET_JSONL_DESTINATION_PATH": str(self.output)} | self.variables | variables
        options = ["--env-file", os.devnull, *([f"--environment={environment}"] if environment else [])]
        return called(self.server, self.root, env, [*options, *arguments], expect=expect)

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
