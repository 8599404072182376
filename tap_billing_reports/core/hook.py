"""A command of the user's that is told something on its stdin, and what became of it."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from tap_billing_reports.core.redaction import redact, sentence

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# A mail or a message to a chat takes seconds; a scheduler that has asked a sync to end kills it after a minute or so.
HOOK_SECONDS: Final = 30.0
LAST_BYTES: Final = 4096  # of what the command has printed
LAST_LETTERS: Final = 300


def tell(
    words: Sequence[str], text: str, environment: Mapping[str, str], *, seconds: float = HOOK_SECONDS
) -> str | None:
    """Run the command with the text on its stdin, without a shell; what it and its children print goes nowhere.

    Args:
        words: the program and its arguments.
        text: for its stdin.
        environment: all that it gets of one.
        seconds: after these it is ended, with all that it has started.

    Returns:
        What went wrong in one line, with the last that it printed and without its arguments; None if nothing did.
    """
    program = redact(words[0])
    with tempfile.TemporaryFile() as printed, tempfile.TemporaryFile() as given:
        given.write(text.encode())
        given.seek(0)
        try:
            process = subprocess.Popen(  # noqa: S603 - it is the user's own
                list(words),
                stdin=given,
                stdout=printed,
                stderr=subprocess.STDOUT,
                env=dict(environment),
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or type(error).__name__
            return f"the command {program} could not be started: {reason}"
        try:
            status = process.wait(seconds)
            said = f"ended with exit status {status}"
        except subprocess.TimeoutExpired:
            status, said = _ended(process), f"was ended after {seconds:.0f} seconds"
        except BaseException:  # a signal: nothing of it may outlive the sync
            _ended(process)
            raise
        if not status:
            return None
        printed.seek(max(0, printed.seek(0, os.SEEK_END) - LAST_BYTES))
        last = " ".join(printed.read().decode("utf-8", "replace").split())[-LAST_LETTERS:]
    return sentence(f"the command {program} {said}" + (f": {last}" if last else ""))


def _ended(process: subprocess.Popen[bytes]) -> int:
    """End a command that runs, with all that it has started: they are a group of their own. Its exit status."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    return process.wait()
