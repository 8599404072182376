"""Changes to a tap in a process of its own, given as `prepare` to `tests.killing.sync`.

Apart from the tests: that process imports this module, and nothing of what only a test needs.
"""

from __future__ import annotations

import signal
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tap_billing_reports.http.transport import Transport
from tap_billing_reports.reports.files.prefetch import Ahead
from tests.waiting import until

if TYPE_CHECKING:
    from tap_billing_reports.singer.tap import TapBillingReports


@dataclass(frozen=True)
class Telling:
    """Lets the tap write a letter into a file for each signal that it has heeded."""

    path: str

    def __call__(self, tap: TapBillingReports) -> None:
        def heed(signum: int, frame: Any) -> None:
            try:
                tap._handle_termination(signum, frame)
            finally:
                with Path(self.path).open("a", encoding="ascii") as file:
                    file.write("x")

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, heed)


def impatient_for_orders(_tap: TapBillingReports) -> None:
    """Gives the answer to an order, and nothing else, little time."""
    send = Transport._send

    def sending(self: Transport, request: Any, about: str) -> Any:
        patient = self._limits
        if "/generate/" in request.url:
            self._limits = replace(patient, read_seconds=0.5)
        try:
            return send(self, request, about)
        finally:
            self._limits = patient

    Transport._send = sending  # type: ignore[method-assign]


@dataclass(frozen=True)
class FetchingAhead:
    """Temporary files below a folder; a mark beside it once a file is fetched ahead.

    Attributes:
        rows: the part of the output that stands for rows. Time passes with each.
        held: rows go out no further once a file is fetched ahead.
    """

    folder: str
    rows: bytes
    held: bool

    def __call__(self, tap: TapBillingReports) -> None:
        tempfile.tempdir = self.folder
        mark, begin = Path(self.folder).with_name("begun"), Ahead.begin
        write = tap.message_writer.write_lines

        def marked(ahead: Ahead, *args: Any, **more: Any) -> None:
            mark.touch()
            begin(ahead, *args, **more)
            # Between two writes: within one a termination would wait for its end.
            until(lambda: not self.held)

        def slowly(lines: bytes, **more: Any) -> None:
            if self.rows in lines:
                # By then another run is found ready.
                tap.clock.sleep(2)
            write(lines, **more)

        Ahead.begin = marked  # type: ignore[method-assign]
        tap.message_writer.write_lines = slowly
