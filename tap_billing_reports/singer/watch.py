"""Tells how a sync ended to where people look: a file, and a command of theirs."""

from __future__ import annotations

import json
import logging
import time
from contextlib import contextmanager, nullcontext
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from tap_billing_reports.config.environment import callers_environment
from tap_billing_reports.core.dates import utc_text
from tap_billing_reports.core.errors import BillingError, ConfigError
from tap_billing_reports.core.failure import Failure
from tap_billing_reports.core.hook import tell
from tap_billing_reports.core.json_files import write_whole
from tap_billing_reports.core.redaction import sentence
from tap_billing_reports.singer.outcome import Summary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from tap_billing_reports.singer.console.progress import Progress

logger = logging.getLogger("tap-billing-reports")


class Watched(Protocol):
    """The tap of one sync, as far as its end is told."""

    @property
    def config(self) -> Mapping[str, Any]:
        """The settings, with defaults."""

    @property
    def summary(self) -> Summary:
        """What the closing lines tell."""

    @property
    def progress(self) -> Progress:
        """Knows where the periods ended."""

    def uninterrupted(self) -> AbstractContextManager[None]:
        """A signal that ends the sync waits until this is left."""


class Watch:
    """One run of a command that syncs.

    Args:
        command: its name.
        path: of the summary's file, None for none.
        settings: asked for the settings as they were given where the tap could not be made of them; none are validated.

    Attributes:
        facts: what the command adds to the summary.
    """

    def __init__(
        self, command: str, path: str | None, settings: Callable[[], Mapping[str, Any]] = dict, **facts: Any
    ) -> None:
        self.facts: dict[str, Any] = facts
        self._command = command
        self._path = None if path is None else Path(path)
        self._settings = settings
        self._tap: Watched | None = None
        self._started_at, self._started = datetime.now(timezone.utc), time.monotonic()

    def check(self) -> None:
        """Refuse a file that could not be written at the end.

        Raises:
            ConfigError: its folder is not there.
        """
        if self._path is not None and not self._path.absolute().parent.is_dir():
            raise ConfigError(sentence(f"--summary: the folder of {self._path} is not there: make it first"))

    @contextmanager
    def over(self, tap: Watched | None = None) -> Iterator[Watch]:
        """What ends the block before its own end is told, and goes on its way."""
        self._tap = tap
        try:
            yield self
        except SystemExit as error:
            self.ended(_status(error.code))
            raise
        except BillingError as error:
            self.ended(1, [Failure.of(error)])
            raise
        except BaseException as error:
            # The name alone: what else the exception says may be anything. A sync that had begun has said so.
            told = self._tap is not None and self._tap.summary.failures
            self.ended(1, [] if told else [Failure(f"ended early by {type(error).__name__}")])
            raise

    def sees(self, tap: Watched) -> None:
        """The tap is there now: what it remembers of the sync goes into the summary."""
        self._tap = tap

    def ended(self, status: int, failures: Iterable[Failure] = ()) -> None:
        """Write the file, then run the command; what goes wrong with them is logged and changes nothing else.

        Args:
            status: the exit status that the process will have.
            failures: that the sync itself has not remembered.
        """
        tap = self._tap
        with nullcontext() if tap is None else tap.uninterrupted():
            text = json.dumps(self._object(status, failures), ensure_ascii=False) + "\n"
            if self._path is not None:
                try:
                    write_whole(self._path, text)
                except OSError as error:
                    logger.error("%s", sentence(f"--summary: {self._path} cannot be written: {error.strerror}"))  # noqa: TRY400 - a line for a person
        settings = self._settings() if tap is None else tap.config
        words = settings.get("on_finish")
        if isinstance(words, list) and words and all(isinstance(word, str) and word for word in words):
            trouble = tell(words, text, callers_environment())
            if trouble is not None:
                logger.error("%s", sentence(f"setting on_finish: {trouble}; the sync is what it is"))

    def _object(self, status: int, failures: Iterable[Failure]) -> dict[str, Any]:
        from tap_billing_reports.singer.console.summary_file import summary_object  # noqa: PLC0415 - only for a sync

        tap = self._tap
        summary = Summary() if tap is None else tap.summary
        for failure in failures:
            summary.failed(failure.redacted())
        facts = {
            "command": self._command,
            "exit_status": status,
            "started_at": utc_text(self._started_at.replace(microsecond=0)),
            "finished_at": utc_text(datetime.now(timezone.utc).replace(microsecond=0)),
            "seconds": round(time.monotonic() - self._started, 1),
            **self.facts,
        }
        return summary_object(facts, summary, None if tap is None else tap.progress.board)


def _status(code: object) -> int:
    """The exit status that a process has by what it was ended with."""
    if isinstance(code, int):
        return code
    return 0 if code is None else 1
