"""Vendors of any size in memory, in the HTTP client's place, by a clock that only waits move."""

from __future__ import annotations

import hashlib
import json
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from benchmarks.bigbring import BigBring, WaitingClock
from tap_billing_reports.core.about import About
from tap_billing_reports.declare.client import HttpSourceClient
from tap_billing_reports.http.bodies import DEEPEST, Remarks
from tap_billing_reports.http.client import Download
from tap_billing_reports.http.responses import Answer
from tap_billing_reports.vendors.klarna import KLARNA
from tap_billing_reports.vendors.vipps import VIPPS

if TYPE_CHECKING:
    from pathlib import Path

    from tap_billing_reports.declare import Source
    from tap_billing_reports.singer.tap import TapBillingReports

DAY = date(2026, 11, 18)


class Lists:
    """A vendor whose answers are lists, asked by GET alone; for what the HTTP client is asked."""

    source: Source

    def __init__(self) -> None:
        self.clock = WaitingClock()
        self.remarks = Remarks()
        self.about = About("memory", "all")

    def prepare(self, tap: TapBillingReports) -> None:
        """Take the place of the HTTP client."""
        client = HttpSourceClient(self.source, tap.session.settings.values, clock=tap.session.clock)
        client.http = self  # type: ignore[assignment] # as much of one as is used
        tap.session._open[self.source.name] = client

    def another(self) -> Lists:
        return self

    def call(self, _method: str, _host: str, path: str, *, params: Any = (), judge: Any, **_: Any) -> Answer:
        # So many objects that the depth of every answer is looked at, of a short one, too.
        body = {**self.answer(path, dict(params)), "links": [{}] * DEEPEST}
        answer = Answer(About("memory", "all", path), 200, {}, json.dumps(body).encode())
        judge(answer)
        return answer

    def answer(self, path: str, params: dict[str, str]) -> dict[str, Any]:
        raise NotImplementedError


class Payouts(Lists):
    """Payouts of one day, each of some sales."""

    source = KLARNA

    def __init__(self, payouts: int, sales: int = 1) -> None:
        super().__init__()
        self._payouts, self._sales = payouts, sales

    def config(self) -> dict[str, Any]:
        keys = {"klarna_username": "M1_x", "klarna_password": "not-a-real-one"}
        return {"start_date": "2026-11-01", "max_new_runs": 36_500, **keys}

    def answer(self, path: str, params: dict[str, str]) -> dict[str, Any]:
        if path.endswith("/payouts"):
            first, last = params["start_date"][:10], params["end_date"][:10]
            count = self._payouts if first <= DAY.isoformat() <= last else 0
            return self._page("payouts", count, params, self._payout)
        return self._page("transactions", self._sales, params, lambda n: self._sale(n, params["payment_reference"]))

    @staticmethod
    def _page(name: str, count: int, params: dict[str, str], make: Any) -> dict[str, Any]:
        first, size = int(params["offset"]), int(params["size"])
        found = [make(number) for number in range(first, min(first + size, count))]
        return {name: found, "pagination": {"total": count, "count": len(found), "offset": first}}

    def _payout(self, number: int) -> dict[str, Any]:
        totals = {"sale_amount": 100 * self._sales, "settlement_amount": 100 * self._sales}
        return {
            "payment_reference": f"p{number}",
            "payout_date": f"{DAY.isoformat()}T10:00:00Z",
            "currency_code": "EUR",
            "totals": totals,
        }

    @staticmethod
    def _sale(number: int, payout: str) -> dict[str, Any]:
        return {
            "amount": 100,
            "capture_id": f"{payout}-{number}",
            "currency_code": "EUR",
            "order_id": f"{payout}-{number}",
            "payment_reference": payout,
            "sale_date": f"{DAY.isoformat()}T09:00:00Z",
            "type": "SALE",
        }


class Ledgers(Lists):
    """Ledgers with some entries on each of the last days."""

    source = VIPPS

    def __init__(self, ledgers: int, days: int, entries: int = 1) -> None:
        super().__init__()
        self._ledgers, self._days, self._entries = ledgers, days, entries

    def config(self) -> dict[str, Any]:
        keys = {"vipps_client_id": "c", "vipps_client_secret": "not-a-real-one", "vipps_subscription_key": "no-key"}
        start = self.clock.now().date() - timedelta(days=self._days)
        return {"start_date": start.isoformat(), "max_new_runs": 36_500, **keys}

    def answer(self, path: str, params: dict[str, str]) -> dict[str, Any]:
        if path.endswith("/ledgers"):
            return {"items": [{"ledgerId": str(number)} for number in range(self._ledgers)], "cursor": None}
        topic, day = path.split("/")[-3], path.rsplit("/", maxsplit=1)[-1]
        first = int(params.get("cursor", 0))
        last = min(first + 1000, self._entries if topic == "funds" else 0)
        entries = [self._entry(number, day) for number in range(first, last)]
        more = topic == "funds" and last < self._entries
        return {"items": entries, "hasMore": more, "cursor": str(last) if more else None, "tryLater": False}

    @staticmethod
    def _entry(number: int, day: str) -> dict[str, Any]:
        return {
            "pspReference": f"{day}-{number}",
            "time": f"{day}T09:00:00Z",
            "ledgerDate": day,
            "entryType": "capture",
            "currency": "NOK",
            "amount": 100,
            "balanceBefore": 100 * number,
            "balanceAfter": 100 * number + 100,
        }


class Papers(BigBring):
    """Customers with an invoice each, whose PDF is kept in a folder; a sync without lines."""

    def __init__(self, customers: int, folder: Path) -> None:
        super().__init__(customers, 1)
        self._folder = folder / str(customers)

    def config(self, **settings: Any) -> dict[str, Any]:
        return super().config(bring_invoice_documents=True, storage_url=str(self._folder), **settings)

    def download(self, wanted: Any, out: Any) -> Download:
        self.asked.append(wanted.path)
        content = b"%PDF-1.7 %%EOF"
        out.write(content)
        return Download(len(content), hashlib.sha256(content).hexdigest(), "application/pdf")
