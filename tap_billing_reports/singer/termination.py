"""How SIGTERM and SIGINT end a process: a mark and an exception at once, the last words when it is safe to speak.

Python runs a signal's handler between any two steps of the main thread: within a log line that holds the log's lock
and stderr's buffer, within a write to stdout, within a destructor. A handler that logged, wrote or took a lock there
would meet the very thing that it interrupted. So it does neither: it leaves a mark and raises SystemExit, which
leaves whatever was interrupted; what is being written or logged comes to its end before. STATE and the line that
tells of it go out at the end of `last_words`.
"""

from __future__ import annotations

import logging
import signal
import sys
import threading
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any

from singer_sdk import Tap

from tap_billing_reports.core.errors import BillingError
from tap_billing_reports.singer.writer import BufferedWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from types import FrameType

# What shells call the exit status of a process that a signal has ended, less the signal's number.
SIGNALLED = 128


class DeferredTermination(Tap):
    """A tap that SIGTERM and SIGINT end between two messages, as exit status 143 or 130.

    Attributes:
        terminated: the exit status, once such a signal has been heeded; None before.
    """

    terminated: int | None = None

    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:  # noqa: ARG002 - the SDK's signature
        """The handler. The first signal counts; what is being written is written to its end."""
        if self.terminated is not None:
            return
        if isinstance(self.message_writer, BufferedWriter):
            self.message_writer.when_idle(partial(self._terminate, signum))
        else:
            self._terminate(signum)

    def _terminate(self, signum: int) -> None:
        self.terminated = SIGNALLED + signum
        if isinstance(self.message_writer, BufferedWriter):
            self.message_writer.ended = self.terminated
            sys.unraisablehook = partial(_unless_terminating, sys.unraisablehook)
        raise SystemExit(self.terminated)

    def uninterrupted(self) -> AbstractContextManager[None]:
        """A termination waits until this is left; with another message writer it does not."""
        return self.message_writer.atomic() if isinstance(self.message_writer, BufferedWriter) else nullcontext()

    @contextmanager
    def last_words(self) -> Iterator[None]:
        """After a termination inside, the last STATE goes out and a line says so.

        Raises:
            SystemExit: there was one, whatever became of its exception.
        """
        try:
            with self._whole_lines():
                yield
        finally:
            if self.terminated is not None:
                self._speak(self.terminated)
                raise SystemExit(self.terminated) from None

    @contextmanager
    def _whole_lines(self) -> Iterator[None]:
        """Log lines are whole, and the log's locks are given back: the standard library takes them before its `try`."""
        if not isinstance(self.message_writer, BufferedWriter):
            yield
            return
        loggers = (logging.root, *logging.root.manager.loggerDict.values())
        handlers = {handler for logger in loggers if isinstance(logger, logging.Logger) for handler in logger.handlers}
        locks = {handler: handler.lock for handler in handlers if handler.lock is not None}
        for handler, lock in locks.items():
            handler.lock = _Unbroken(lock, self.message_writer)  # type: ignore[assignment] # it is used as one
        try:
            yield
        finally:
            for handler, lock in locks.items():
                handler.lock = lock

    def _speak(self, status: int) -> None:
        writer = self.message_writer if isinstance(self.message_writer, BufferedWriter) else None
        if writer is not None:
            writer.ended = None
        try:
            self._state_writer.write_state(self.state)
            said = "has gone out"
        except (OSError, ValueError, BillingError):
            # The target may be gone, too.
            said = "could not be delivered"
        if writer is not None:
            writer.ended = status
        name = signal.Signals(status - SIGNALLED).name
        self.logger.info("%s: this sync ends here; its last STATE %s", name, said)


class _Unbroken:
    """A lock of the log: while the main thread holds it, a termination waits."""

    def __init__(self, lock: Any, writer: BufferedWriter) -> None:
        self._lock = lock
        self._writer = writer
        self._main = threading.main_thread().ident

    def acquire(self) -> None:
        if threading.get_ident() == self._main:
            self._writer.hold()
        self._lock.acquire()

    def release(self) -> None:
        self._lock.release()
        if threading.get_ident() == self._main:
            self._writer.let_go()

    def __enter__(self) -> None:
        self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()

    def __getattr__(self, name: str) -> Any:
        # Python renews the lock after a fork.
        return getattr(self._lock, name)


def _unless_terminating(show: Callable[[Any], object], unraisable: sys.UnraisableHookArgs) -> None:
    if not isinstance(unraisable.exc_value, SystemExit):  # that one is raised again: see `BufferedWriter.heed`
        show(unraisable)
