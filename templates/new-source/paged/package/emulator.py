"""Newvendor emulated on loopback. It knows nothing of the tap: write it from the vendor's documents.

python -m tap_billing_reports_newvendor.emulator [port]
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from tap_billing_reports_newvendor.serving import Reply, Request, serve_until_interrupted

KEY = "newvendor-emulator-key"
PAGE_SIZE = 2
ROWS_OF_A_DAY = 3


def refused(status: int, code: str) -> Reply:
    """An error in the vendor's own form."""
    return Reply({"error": {"code": code, "message": f"refused: {code}"}}, status)


def days(first: str, last: str) -> list[date]:
    """Each day from a first to a last one, both included."""
    start, end = date.fromisoformat(first), date.fromisoformat(last)
    return [start + timedelta(days=number) for number in range((end - start).days + 1)]


def page(request: Request, name: str, records: list[dict[str, Any]]) -> Reply:
    """One page of a list; `next` is the token of the following one."""
    start = int(request.query.get("page_token", 0))
    end = start + PAGE_SIZE
    return Reply({name: records[start:end], "next": str(end) if end < len(records) else None})


class Emulator:
    """The vendor's whole state.

    Attributes:
        read: the windows that were asked for, each a first and a last day.
        url: where it is served.
    """

    def __init__(self) -> None:
        self.read: list[tuple[str, str]] = []
        self.url = ""

    @staticmethod
    def rows(first: str, last: str) -> list[dict[str, Any]]:
        """The transactions of some days; amounts in minor units."""
        return [
            {"id": f"t{day:%Y%m%d}-{n}", "day": day.isoformat(), "currency": "EUR", "amount": 1005 + n}
            for day in days(first, last)
            for n in range(ROWS_OF_A_DAY)
        ]

    def answer(self, request: Request) -> Reply:
        if request.headers.get("authorization") != f"Bearer {KEY}":
            return refused(401, "wrong_key")
        if request.path != "/v1/transactions":
            return refused(404, "unknown_path")
        asked = request.query["from"], request.query["to"]
        if "page_token" not in request.query:
            self.read.append(asked)
        return page(request, "transactions", self.rows(*asked))


if __name__ == "__main__":
    serve_until_interrupted(Emulator().answer, KEY)
