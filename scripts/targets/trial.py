"""One target: installed, told everything, read back."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from scripts.demo.processes import status_of
from scripts.targets.capture import NEW_COLUMN
from scripts.targets.findings import STATE, Findings, examine
from scripts.targets.truth import read_messages
from scripts.venvs import InstallError, provide

if TYPE_CHECKING:
    from pathlib import Path

    from scripts.targets.capture import Captured
    from scripts.targets.loaders import Loader, Place
    from scripts.targets.postgres import Server

# Packages whose versions decide how values come through, beside those that are required.
TELLING = (
    "tap-billing-reports", "singer-sdk", "singer-python", "pipelinewise-singer-python", "duckdb", "pyarrow",
    "sqlalchemy", "psycopg",
)  # fmt: skip
_INSTALLED = (
    "import json; from importlib.metadata import distributions;"
    "print(json.dumps({one.metadata['Name'].lower(): one.version for one in distributions()}))"
)


@dataclass
class Trial:
    """What is known of a target after it was tried; `failure` says why there are no findings."""

    loader: Loader
    failure: str = ""
    versions: dict[str, str] = field(default_factory=dict)
    findings: Findings | None = None
    numbers: Findings | None = None
    """The same of the first sync with amounts as JSON numbers."""


class RefusedError(RuntimeError):
    """The target ended with another exit status than 0."""


def tried(loader: Loader, captured: Captured, folder: Path, server: Server) -> Trial:
    """Everything about one target; a failure is a finding too."""
    if loader.source and not _answers(loader.source):
        return Trial(loader, "was not tried: its repository could not be reached from here")
    try:
        provide(loader.environment)
    except InstallError:
        return Trial(loader, "does not install")
    trial = Trial(loader, versions=_versions(loader))
    try:
        trial.findings = _examined(loader, (captured.first, captured.second), loader.place(folder, "text", server))
        if not loader.is_variant:
            trial.numbers = _examined(loader, (captured.numbers,), loader.place(folder, "numbers", server))
    except RefusedError as error:
        trial.failure = f"does not run: {error}"
    return trial


def _examined(loader: Loader, syncs: tuple[Path, ...], place: Place) -> Findings:
    """What the target holds when it has been told these syncs."""
    states, seconds = [], []
    for messages in syncs:
        began = time.monotonic()
        states.append(load(loader, messages, place))
        seconds.append(round(time.monotonic() - began, 1))
    first = read_messages(syncs[:1])
    found = examine(read_messages(syncs), loader.read(place), first=first, new_column=NEW_COLUMN)
    for messages, state in zip(syncs, states, strict=True):
        found.count(STATE, right=state == read_messages([messages]).state)
    found.seconds = seconds
    return found


def _answers(repository: str) -> bool:
    """Whether git gets a word from this repository."""
    command = ["git", "ls-remote", "--quiet", "--exit-code", repository, "HEAD"]
    env = {**os.environ, "GIT_TERMINAL_PROMPT": "0"}
    try:
        return not subprocess.run(command, env=env, capture_output=True, timeout=60, check=False).returncode
    except subprocess.TimeoutExpired:
        return False


def load(loader: Loader, messages: Path, place: Place) -> Any:
    """Tell the target these messages; the last STATE that it let through.

    Raises:
        RefusedError: the target failed; the message is the last line that it said.
    """
    log, said = (place.folder.parent / f"{place.database}.{kind}" for kind in ("log", "states"))
    said.unlink(missing_ok=True)
    if status_of(loader.command(place), log, cwd=place.folder, said=said, told=messages):
        lines = log.read_text(errors="replace").strip().splitlines() or ["it said nothing"]
        raise RefusedError(lines[-1][:200])
    states = said.read_text().strip().splitlines()
    return json.loads(states[-1]) if states else None


def _versions(loader: Loader) -> dict[str, str]:
    """Versions of what was installed, as far as it decides how values come through."""
    command = [str(loader.environment.python), "-c", _INSTALLED]
    installed = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    named = {re.split("[=< ]", requirement)[0] for requirement in loader.requirements}
    return {name: installed[name] for name in sorted({*named, *TELLING} & installed.keys())}
