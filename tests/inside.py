"""Changes to a tap in a process of its own, given as `prepare` to `tests.killing.sync`.

Apart from the tests: that process imports this module, and nothing of what only a test needs.
"""

from __future__ import annotations

import signal
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from urllib3.connection import HTTPConnection

from tap_billing_reports.http.transport import Transport
from tap_billing_reports.reports.files.prefetch import Ahead
from tests.typed import writer_of
from tests.waiting import until

if TYPE_CHECKING:
    from requests import Request, Response

    from tap_billing_reports.core.about import About
    from tap_billing_reports.singer.tap import TapBillingReports

# In the URL of each order that the tests strike.
ORDER = "/MASTER-SPECIFIED_INVOICE.json"


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


def impatient_for_orders(tap: TapBillingReports) -> None:
    """Gives the answer to an order, and nothing else, little time from when a signal has been heeded.

    Before that, it does not begin to wait: however late the vendor's signal comes, it comes first.
    """
    send, get_response = Transport._send, HTTPConnection.getresponse
    heeded: list[int] = []
    orders: list[str] = []

    def heed(signum: int, frame: Any) -> None:
        try:
            tap._handle_termination(signum, frame)
        finally:
            heeded.append(signum)

    def sending(self: Transport, request: Request, about: About) -> Response:
        patient = self._limits
        if ORDER in request.url:
            self._limits = replace(patient, read_seconds=0.5)
            orders.append(request.url)
        try:
            return send(self, request, about)
        finally:
            self._limits = patient
            orders.clear()

    def answer(self: HTTPConnection) -> Any:
        if orders:
            until(lambda: heeded)
        return get_response(self)

    signal.signal(signal.SIGTERM, heed)
    Transport._send = sending  # type: ignore[method-assign]
    HTTPConnection.getresponse = answer  # type: ignore[method-assign]


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
        writer = writer_of(tap)
        write = writer.write_lines

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

        Ahead.begin = marked  # type: ignore[assignment, method-assign] # takes whatever it is given
        writer.write_lines = slowly  # type: ignore[method-assign]
