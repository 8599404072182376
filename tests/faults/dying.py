"""Ways for a sync's own process to end: given to it before it runs, so that each hits the same point every time."""

from __future__ import annotations

import os
import random
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tap_billing_reports.tap import TapBillingReports


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
    signal.pause()


def steady(tap: TapBillingReports) -> None:
    """The points are the same every time: a STATE whenever one may go out, output and jitter not by the clock."""
    import tap_billing_reports.streams.session as session_module

    random.seed(1)
    session_module.STATE_SECONDS = 0.0
    tap.message_writer.max_age = float("inf")


@dataclass(frozen=True)
class AtState:
    """Dies just before the STATE of this number (from 0) is written, or just after."""

    number: int
    after: bool

    def __call__(self, tap: TapBillingReports) -> None:
        steady(tap)
        writer, count = tap.message_writer, [0]
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

        writer.write_message = write_message


@dataclass(frozen=True)
class WithinWrite:
    """Dies when half of this write to stdout (from 0) has gone out, which is most likely within a line."""

    number: int

    def __call__(self, tap: TapBillingReports) -> None:
        steady(tap)
        writer, count = tap.message_writer, [0]
        write = writer._put

        def put(data: bytes | bytearray) -> None:
            if count[0] == self.number:
                sys.stdout.buffer.write(data[: max(1, len(data) // 2)])
                sys.stdout.buffer.flush()
                _die()
            count[0] += 1
            write(data)

        writer._put = put


@dataclass(frozen=True)
class WithinDownload:
    """Dies when half of the first piece of this file (from 0) is on disk."""

    number: int

    def __call__(self, tap: TapBillingReports) -> None:
        import tap_billing_reports.http as http_module

        steady(tap)
        write, count = http_module._write, [0]

        def writing(to: Any, first: bytes, rest: Any, about: str) -> Any:
            if count[0] == self.number:
                to.write(first[: len(first) // 2])
                to.flush()
                _die()
            count[0] += 1
            return write(to, first, rest, about)

        http_module._write = writing


@dataclass(frozen=True)
class Steady:
    """Dies nowhere, and tells how often it wrote to stdout: one byte each in that file."""

    tell: str

    def __call__(self, tap: TapBillingReports) -> None:
        steady(tap)
        writer = tap.message_writer
        write = writer._put

        def put(data: bytes | bytearray) -> None:
            with Path(self.tell).open("ab") as file:
                file.write(b".")
            write(data)

        writer._put = put
