"""The tap, piped into the target: one shard, with its STATE kept as soon as the target passes it on.

Needs neither Airflow nor the tap in this interpreter: both commands live in environments of their own.
"""

from __future__ import annotations

import json
import logging
import shlex
import shutil
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from billing_shards import Shard, States, listed, schema_messages, selecting

if TYPE_CHECKING:
    from collections.abc import Mapping

GRACE_SECONDS = 60.0

logger = logging.getLogger(__name__)


class PipeError(RuntimeError):
    """The tap or the target has failed; its own output has said why."""


@dataclass(frozen=True)
class Commands:
    """How both programs are called, and the target's settings file.

    Attributes:
        tap: such as `/opt/tap/bin/tap-billing-reports`.
        target: such as `/opt/target/bin/target-postgres --config /etc/target.json`.
    """

    tap: str
    target: str

    def tap_command(self, *arguments: str) -> list[str]:
        return [*shlex.split(self.tap), *arguments]

    def target_command(self) -> list[str]:
        return shlex.split(self.target)


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


class Pipe:
    """Tap and target at work for one shard; `stop` may be called from a signal's handler."""

    def __init__(self, commands: Commands, states: States) -> None:
        self._commands = commands
        self._states = states
        self._tap: subprocess.Popen[bytes] | None = None

    def sync(self, shard: Shard, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Read one shard and load it. {"source", "account_id", "seconds", "states"}: how often a STATE came back.

        Raises:
            PipeError: one of the two failed. What the target has stored is in the STATE: a retry goes on there.
        """
        began = time.monotonic()
        state = self._states.load(shard)
        with Handed() as handed:
            arguments = ["--config", handed.file(json.dumps(dict(settings)))]
            if state is not None:
                arguments += ["--state", handed.file(state)]
            states = self._run(shard, self._commands.tap_command(*arguments), handed)
        return {**shard.facts, "seconds": round(time.monotonic() - began, 1), "states": states}

    def stop(self) -> None:
        """Ask the tap to end: it sends a last STATE, and the target stores what it has been given."""
        if self._tap is not None and self._tap.poll() is None:
            self._tap.terminate()

    def _run(self, shard: Shard, command: list[str], handed: Handed) -> int:
        # If this process is killed outright, its tap must not read on: a retry would find the account locked.
        setpriv = shutil.which("setpriv")
        bound = [setpriv, "--pdeathsig", "TERM", *command] if setpriv else command
        self._tap = tap = subprocess.Popen(bound, stdout=subprocess.PIPE, pass_fds=handed.descriptors)
        try:
            with (
                subprocess.Popen(self._commands.target_command(), stdin=tap.stdout, stdout=subprocess.PIPE) as target,
                ThreadPoolExecutor(1) as keeper,
            ):
                assert tap.stdout is not None
                assert target.stdout is not None
                tap.stdout.close()
                kept = keeper.submit(self._keep, shard, target.stdout)
                try:
                    states = kept.result()
                except BaseException:
                    self.stop()
                    _wait_or_kill(target)
                    raise
        finally:
            self.stop()
            _wait_or_kill(tap)
        if tap.returncode or target.returncode:
            raise PipeError(
                f"{shard.name}: the tap ended with exit status {tap.returncode}, the target with {target.returncode}"
            )
        return states

    def _keep(self, shard: Shard, lines: IO[bytes]) -> int:
        """Each STATE at once: what the target passes on is stored, and the next one may be minutes away."""
        count = 0
        for line in lines:
            if line.strip():
                self._states.save(shard, line.decode())
                count += 1
        return count


def prepare(commands: Commands, settings: Mapping[str, Any]) -> int:
    """Have the target make every table; how many. Nothing is asked of a vendor.

    Raises:
        PipeError: one of the two failed.
    """
    catalog = _discovered(commands, settings)
    _load(commands, schema_messages(catalog))
    return len(catalog["streams"])


def list_shards(commands: Commands, settings: Mapping[str, Any]) -> list[Shard]:
    """Read the stream `accounts`, load it, and make a shard of each account.

    Raises:
        PipeError: the accounts cannot be listed, or not be loaded.
    """
    chosen = selecting(_discovered(commands, settings), "accounts")
    messages = _output(commands, settings, catalog=chosen)
    _load(commands, messages)
    return listed(messages.splitlines())


def _discovered(commands: Commands, settings: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(_output(commands, settings, "--discover"))
    return found


def _output(
    commands: Commands, settings: Mapping[str, Any], *options: str, catalog: Mapping[str, Any] | None = None
) -> bytes:
    with Handed() as handed:
        arguments = ["--config", handed.file(json.dumps(dict(settings))), *options]
        if catalog is not None:
            arguments += ["--catalog", handed.file(json.dumps(dict(catalog)))]
        command = commands.tap_command(*arguments)
        ended = subprocess.run(command, stdout=subprocess.PIPE, pass_fds=handed.descriptors, check=False)
    if ended.returncode:
        raise PipeError(f"the tap ended with exit status {ended.returncode}")
    return ended.stdout


def _load(commands: Commands, messages: bytes) -> None:
    ended = subprocess.run(commands.target_command(), input=messages, stdout=subprocess.PIPE, check=False)
    if ended.returncode:
        raise PipeError(f"the target ended with exit status {ended.returncode}")


def _wait_or_kill(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        logger.warning("process %s has not ended within %.0f s and is killed", process.pid, GRACE_SECONDS)
        process.kill()
        process.wait()
