"""Ways for a sync's own process to end: given to it before it runs, so that each hits the same point every time."""

from __future__ import annotations

import io
import logging
import os
import random
import signal
import sys
import threading
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tap_billing_reports.core.clock import Clock
from tests.faults.bench import NAP_SECONDS
from tests.typed import writer_of

if TYPE_CHECKING:
    from datetime import datetime

    from tap_billing_reports.core.about import About
    from tap_billing_reports.singer.tap import TapBillingReports


class StillClock(Clock):
    """Time passes by waiting alone: what happens when does not depend on how fast the machine is.

    It oversleeps, so that several runs are ready at once and files are fetched ahead.
    """

    def __init__(self, start: datetime) -> None:
        self._start = start
        self._waited = 0.0

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._waited)

    def monotonic(self) -> float:
        return self._waited

    def sleep(self, seconds: float) -> None:
        self._waited += max(seconds, NAP_SECONDS)


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
    signal.pause()


def steady(tap: TapBillingReports) -> None:
    """The points are the same every time: a STATE whenever one may go out, nothing by the machine's clock."""
    from tap_billing_reports.singer.state_writer import Pace

    random.seed(1)
    Pace.allows = lambda self, *, at_once: True  # type: ignore[method-assign]
    tap.clock = StillClock(tap.clock.now())
    writer_of(tap).max_age = float("inf")


@dataclass(frozen=True)
class AtState:
    """Dies just before the STATE of this number (from 0) is written, or just after."""

    number: int
    after: bool

    def __call__(self, tap: TapBillingReports) -> None:
        steady(tap)
        writer, count = writer_of(tap), [0]
        write = writer.write_message

        def write_message(message: Any) -> None:
            is_it = message.type == "STATE" and count[0] == self.number
            count[0] += message.type == "STATE"
            if is_it and not self.after:
                _die()
            write(message)
            if is_it:
                writer.flush()
                _die()

        writer.write_message = write_message  # type: ignore[method-assign]


@dataclass(frozen=True)
class WithinWrite:
    """Dies when half of this write to stdout (from 0) has gone out, which is most likely within a line."""

    number: int

    def __call__(self, tap: TapBillingReports) -> None:
        steady(tap)
        writer, count = writer_of(tap), [0]
        write = writer._put

        def put(data: bytes | bytearray) -> None:
            if count[0] == self.number:
                sys.stdout.buffer.write(data[: max(1, len(data) // 2)])
                sys.stdout.buffer.flush()
                _die()
            count[0] += 1
            write(data)

        writer._put = put  # type: ignore[method-assign]


@dataclass(frozen=True)
class WithinDownload:
    """Dies when half of the first piece of this file (from 0) is on disk, whichever thread fetches it."""

    number: int

    def __call__(self, tap: TapBillingReports) -> None:
        from tap_billing_reports.http import received

        steady(tap)
        write, count = received.write, [0]

        def writing(to: Any, first: bytes, rest: Any, about: About) -> Any:
            if count[0] == self.number:
                to.write(first[: len(first) // 2])
                to.flush()
                _die()
            count[0] += 1
            return write(to, first, rest, about)

        received.write = writing


@dataclass(frozen=True)
class WithinLogLine:
    """Signals itself, in turn, while this write of the log (from 0) is within the stream's own buffer."""

    number: int
    signals: tuple[str, ...]

    def __call__(self, tap: TapBillingReports) -> None:
        steady(tap)
        (handler,) = (h for h in logging.getLogger().handlers if isinstance(h, logging.StreamHandler))
        struck = _Struck(handler.stream.fileno(), self.number, self.signals)
        # Line by line, as Python's own stderr.
        handler.setStream(io.TextIOWrapper(io.BufferedWriter(struck), line_buffering=True))


class _Struck(io.RawIOBase):
    def __init__(self, file: int, number: int, signals: tuple[str, ...]) -> None:
        self._file = file
        self._count = number
        self._signals = list(signals)

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        if self._count == 0:
            self._raise()
        self._count -= 1
        return os.write(self._file, data)

    def _raise(self) -> None:
        if self._signals:
            try:
                signal.raise_signal(signal.Signals[f"SIG{self._signals.pop(0)}"])
            finally:
                self._raise()


@dataclass(frozen=True)
class Steady:
    """Dies nowhere, and tells in that file, a letter each: `w`rites to stdout, `d`ownloads, those fetched `a`head."""

    tell: str

    def __call__(self, tap: TapBillingReports) -> None:
        from tap_billing_reports.http import received

        steady(tap)
        writer = writer_of(tap)
        put, write = writer._put, received.write

        def note(what: bytes) -> None:
            with Path(self.tell).open("ab") as file:
                file.write(what)

        def putting(data: bytes | bytearray) -> None:
            note(b"w")
            put(data)

        def writing(to: Any, first: bytes, rest: Any, about: About) -> Any:
            note(b"d" if threading.current_thread() is threading.main_thread() else b"a")
            return write(to, first, rest, about)

        writer._put = putting  # type: ignore[method-assign]
        received.write = writing
