"""BRP's emulator at a fixed day, and syncs against it in this process."""

from __future__ import annotations

import json
from datetime import datetime, timezone

from tests.fakes import SandboxClock
from tests.running import run_tap

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=timezone.utc)


class Brp:
    """One emulated BRP with two companies, and the tap that reads it."""

    def __init__(self, box):
        self.box = box
        self.control = box.control

    def settings(self, **more):
        return {**self.box.settings(start_date="2020-01-01"), **more}

    def sync(self, state=None, **more):
        return run_tap(self.settings(**more), state=state, clock=SandboxClock(self.control))

    def totals(self, **more):
        """The vendor's own sums, before anything was serialised."""
        return self.control.totals(self.settings(**more))

    def asked(self, path="invoices"):
        """The queries of the requests for a list, in order."""
        return [r["query"] for r in self.control.requests() if r["path"].rpartition("/")[2].partition(".")[0] == path]

    def answer(self, body, **match):
        """The next request that matches is answered with this JSON."""
        do = {"status": 200, "headers": {"Content-Type": "application/json"}, "body": json.dumps(body)}
        self.control.fault(do, match, times=1)


def invoice(number, **facts):
    """An invoice as BRP writes it in JSON."""
    return {
        "id": number,
        "number": str(number),
        "prefix": "F",
        "orderid": 1,
        "orderedby": "Homer Simpson",
        "orderedbycustomerid": 101,
        "totalamount": 17000,
        "rest": 17000,
        "invoicedate": "2026-10-01",
        "duedate": "2026-10-11",
        "payeddate": "",
        "state": {"number": 7, "value": "Sent"},
        "reminderamount": 0,
        "company": {"id": 1, "name": "Acme INC."},
        **facts,
    }
