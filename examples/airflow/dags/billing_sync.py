"""`billing-reports sync` of one vendor's settings as a process, which is told its settings without a file of them.

Needs neither Airflow nor the tap in this interpreter: the command lives in an environment of its own.
"""

from __future__ import annotations

import json
import logging
import shlex
import shutil
import subprocess
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

GRACE_SECONDS = 60.0
# A source of your own needs its name here.
SOURCES = ("bring", "brp", "klarna", "stripe", "vipps")

logger = logging.getLogger(__name__)


class SyncError(RuntimeError):
    """A sync has failed; what it had loaded before is in the warehouse, and its STATE with it."""


def of_source(settings: Mapping[str, Any], source: str) -> dict[str, Any]:
    """The settings without those of the other sources; empty when this source is not configured."""
    others = tuple(f"{name}_" for name in SOURCES if name != source)
    left = {name: value for name, value in settings.items() if not name.startswith(others)}
    return left if any(name.startswith(f"{source}_") for name in left) else {}


def configured(settings: Mapping[str, Any]) -> list[str]:
    """The sources that the settings name."""
    return [source for source in SOURCES if of_source(settings, source)]


class Handed(ExitStack):
    """Files for one child process that stand in no folder.

    Settings hold credentials. These are gone with the last process that holds them, however that one ends.
    """

    def __init__(self) -> None:
        super().__init__()
        self.descriptors: list[int] = []
        """What the child inherits."""

    def file(self, text: str) -> str:
        """The path by which the child reads the text."""
        file = self.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 - this is a stack
        file.write(text.encode())
        file.seek(0)
        self.descriptors.append(file.fileno())
        return f"/dev/fd/{file.fileno()}"


@dataclass
class Sync:
    """One sync; `stop` may be called from a signal's handler.

    Attributes:
        command: such as `/opt/billing/bin/billing-reports sync`, with options of its own.
        job: under which the warehouse keeps its STATE.
    """

    command: str
    job: str
    _process: subprocess.Popen[bytes] | None = None

    def run(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Load what is new: how many rows of each stream.

        Raises:
            SyncError: it names what failed, a line each. A retry goes on where the STATE in the warehouse ends.
        """
        with Handed() as handed, tempfile.TemporaryDirectory() as folder:
            summary = Path(folder) / "summary.json"
            options = ["--config", handed.file(json.dumps(dict(settings))), "--job", self.job]
            command = [*shlex.split(self.command), *options, "--summary", str(summary)]
            # If this process is killed outright, its sync must not go on: a retry would find the warehouse locked.
            setpriv = shutil.which("setpriv")
            bound = [setpriv, "--pdeathsig", "TERM", *command] if setpriv else command
            self._process = process = subprocess.Popen(bound, pass_fds=handed.descriptors)
            try:
                status = process.wait()
            finally:
                self.stop()
                _wait_or_kill(process)
            told = json.loads(summary.read_text()) if summary.exists() else {}
        if status:
            raise SyncError("\n".join([f"{self.job}: the sync ended with exit status {status}", *_failures(told)]))
        loaded: dict[str, Any] = told.get("loaded", {})
        return loaded

    def stop(self) -> None:
        """Ask it to end: it commits what it has, with the STATE behind that."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()


def _failures(summary: Mapping[str, Any]) -> Iterator[str]:
    for failure in summary.get("failures", ()):
        account = f" account {failure['account']}" if failure.get("account") else ""
        yield f"{failure.get('source') or 'the sync'}{account}: {failure['said']}"


def _wait_or_kill(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        logger.warning("process %s has not ended within %.0f s and is killed", process.pid, GRACE_SECONDS)
        process.kill()
        process.wait()
