"""What the sandbox has no switch for: an output that fails, and the ways in which a 404 is no proof of absence."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from tap_billing_reports.sandbox.disturb import LOGIN_PAGE
from tests.typed import writer_of

if TYPE_CHECKING:
    from tap_billing_reports.singer.tap import TapBillingReports


def _stripe_404(hint: str = "") -> dict[str, Any]:
    error = {
        "code": "resource_missing",
        "doc_url": "https://stripe.com/docs/error-codes/resource-missing",
        "message": f"No such object: 'injected'{hint}",
        "param": "id",
        "type": "invalid_request_error",
    }
    return {"status": 404, "body": {"error": error}}


_PAGE = {
    "status": 404,
    "headers": {"Content-Type": "text/html; charset=utf-8"},
    "body": LOGIN_PAGE.decode().replace("Log in", "404 Not Found"),
}
_BARE = {"status": 404, "body": ""}
# Both modes of a Stripe account share its id, so a key of the other one is refused nowhere else.
_OTHER_MODE = _stripe_404("; a similar object exists in live mode, but a test mode key was used to make this request.")
_BRP = {"errors": [{"code": 1001, "message": "Not found", "debuginfo": "field=id"}]}
# Form -> vendor -> a rule of the sandbox. A form that a vendor does not have is not among its own.
NOT_THERE: dict[str, dict[str, dict[str, Any]]] = {
    "404 as a proxy's page": dict.fromkeys(("stripe", "bring", "brp"), _PAGE),
    "404 without a body": dict.fromkeys(("stripe", "bring", "brp"), _BARE),
    "404 of the other mode": {"stripe": _OTHER_MODE},
    "404 in the vendor's words": {
        "stripe": _stripe_404(),
        "bring": {"status": 404, "body": "Not Found"},
        "brp": {"status": 404, "body": _BRP},
    },
}


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
