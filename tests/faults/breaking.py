"""What the sandbox has no switch for: an output that fails."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from tests.typed import writer_of

if TYPE_CHECKING:
    from tap_billing_reports.singer.tap import TapBillingReports


def break_output(
    tap: TapBillingReports, number: int, *, torn: bool, once_it_holds: bytes = b"", after: int = 0
) -> None:
    """Let stdout fail with this errno for good, from the write on that holds the text.

    Args:
        torn: half of that write is taken first, which may end within a line.
        after: so many such writes go well.
    """
    writer = writer_of(tap)
    write, seen, failed = writer._put, [0], [False]

    def put(data: bytes | bytearray) -> None:
        if not failed[0] and once_it_holds in data:
            seen[0] += 1
            failed[0] = seen[0] > after
            if failed[0] and torn:
                sys.stdout.buffer.write(data[: len(data) // 2])
        if failed[0]:
            raise OSError(number, os.strerror(number))
        write(data)

    writer._put = put  # type: ignore[method-assign]
