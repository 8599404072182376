"""A Bring of any size in memory, behind the tap's door: no HTTP, no emulator, a clock that only waits move."""

from __future__ import annotations

import hashlib
import json
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from tap_billing_reports.answers import Answer
from tap_billing_reports.http import Download
from tap_billing_reports.reading import OpenSource
from tap_billing_reports.sources.bring import BRING
from tests.fakes import FakeClock

if TYPE_CHECKING:
    from tap_billing_reports.tap import TapBillingReports

CONFIG = {
    "start_date": "2026-01-01",
    "bring_api_uid": "me@example.com",
    "bring_api_key": "not-a-real-key",
    "bring_client_url": "https://example.com",
    "max_new_runs": 36_500,
}


class BigBring:
    """Customers with invoices, each with a specified invoice of some lines.

    Args:
        customers, invoices: how many, and how many invoices each has.
        specified: whether the invoices have lines.
        run_seconds: how long a report takes.
    """

    account = "me@example.com"

    def __init__(
        self, customers: int = 1, invoices: int = 1, *, specified: bool = False, lines: int = 2, run_seconds: float = 20
    ) -> None:
        self.clock = FakeClock()
        self.customers = [f"{20_000_000_000 + number}" for number in range(customers)]
        self.invoices = invoices
        self.specified = specified
        self.lines = lines
        self.run_seconds = run_seconds
        self.asked: list[str] = []
        self._runs: dict[str, tuple[str, float]] = {}

    def config(self, **settings: Any) -> dict[str, Any]:
        return {**CONFIG, "bring_customers": self.customers, "bring_invoice_lines": self.specified, **settings}

    def prepare(self, tap: TapBillingReports) -> None:
        """Take the place of the door."""
        asker = OpenSource(BRING, tap.session.settings.values, clock=tap.session.clock)
        asker.door = self  # type: ignore[assignment]
        tap.session._open["bring"] = asker

    # -- the door --------------------------------------------------------------------------------------

    def call(self, _method: str, _host: str, path: str, **_: Any) -> Answer:
        self.asked.append(path)
        parts = path.removesuffix(".json").split("/")
        params = dict(_.get("params") or ())
        if parts[1] == "invoicearchive":
            found: Any = {"invoices": list(self._listed(parts[-1], params))}
        elif parts[3] == "generate" and len(parts) == 6:
            run_id = f"run-{len(self._runs)}"
            self._runs[run_id] = (params["invoiceNumber"], self.clock.monotonic() + self.run_seconds)
            found = {"statusUrl": f"https://www.mybring.com/reports/api/report/{run_id}/status.json"}
        elif parts[3] == "generate":
            found = {"reports": []}
        else:
            done = self._runs[parts[4]][1] <= self.clock.monotonic()
            found = {"status": "DONE" if done else "NOT_DONE"}
        return Answer(f"GET {path}", 200, {}, json.dumps(found).encode())

    def download(self, _host: str, path: str, out: Any, **_: Any) -> Download:
        self.asked.append(path)
        number = self._runs[path.removesuffix(".xml").split("/")[-1]][0]
        line = f"<Line><InvoiceNumber>{number}</InvoiceNumber><AgreementPrice>0.50</AgreementPrice></Line>"
        count = f"<MetaData><NumberOfRows>{self.lines}</NumberOfRows></MetaData>"
        content = f"<Report>{count}<Lines>{line * self.lines}</Lines></Report>".encode()
        out.write(content)
        return Download(len(content), hashlib.sha256(content).hexdigest(), "application/xml")

    def _listed(self, customer: str, params: dict[str, str]) -> Any:
        first, last = (date(*map(int, reversed(params[name].split(".")))) for name in ("fromDate", "toDate"))
        for number in range(self.invoices):
            day = date(2026, 9, 20) + timedelta(days=number % 60)
            if first <= day <= last:
                yield {
                    "customerNumber": customer,
                    "invoiceNumber": f"{customer[-6:]}{number:06d}",
                    "type": "INVOICE",
                    "status": "Open",
                    "invoiceDate": f"{day:%d.%m.%Y}",
                    "dueDate": f"{day:%d.%m.%Y}",
                    "currency": "NOK",
                    "amount": "1.00",
                    "taxAmount": "0.25",
                    "totalAmount": "1.25",
                    "invoiceSpecificationAvailable": self.specified,
                }
