"""A Bring of any size in memory, in the HTTP client's place: no HTTP, no emulator, a clock that only waits move.

As a program: `python -m benchmarks.bigbring <customers> <invoices of each> [unspecified]` syncs all of it, each
invoice with its lines unless they are `unspecified`; one line with the STATEs' number and bytes and processor seconds
goes to stderr.
"""

from __future__ import annotations

import hashlib
import json
import logging
import sys
import time
from datetime import date, datetime, timedelta, timezone

from tap_billing_reports.core.clock import Clock
from tap_billing_reports.declare.client import HttpSourceClient
from tap_billing_reports.http.bodies import Remarks
from tap_billing_reports.http.client import Download
from tap_billing_reports.http.responses import Answer
from tap_billing_reports.singer.tap import TapBillingReports
from tap_billing_reports.vendors.bring import BRING, SPECIFIED_INVOICE

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=timezone.utc)
RUN_SECONDS = 20
LINES = 2  # of each specified invoice
LINE = "<AgreementPrice>0.50</AgreementPrice><CurrencyCode>NOK</CurrencyCode>"


class WaitingClock(Clock):
    """Stands still but for its own sleeps."""

    def __init__(self):
        self._passed = 0.0

    def now(self):
        return NOW + timedelta(seconds=self._passed)

    def monotonic(self):
        return self._passed

    def sleep(self, seconds):
        self._passed += seconds


class BigBring:
    """So many customers with so many invoices each; if `specified`, each invoice has some lines."""

    account = about = "me@example.com"

    def __init__(self, customers=1, invoices=1, *, specified=False):
        self.clock = WaitingClock()
        self.customers = [f"{20_000_000_000 + number}" for number in range(customers)]
        self.invoices = invoices
        self.specified = specified
        self.asked = []
        self.remarks = Remarks()
        self._runs = {}

    def config(self, **settings):
        return {
            "start_date": "2026-01-01",
            "bring_api_uid": "me@example.com",
            "bring_api_key": "not-a-real-key",
            "bring_client_url": "https://example.com",
            "bring_customers": self.customers,
            "bring_invoice_lines": self.specified,
            "max_new_runs": 36_500,
            **settings,
        }

    def prepare(self, tap):
        """Take the place of the HTTP client."""
        client = HttpSourceClient(BRING, tap.session.settings.values, clock=tap.session.clock)
        client.http = self
        tap.session._open["bring"] = client

    def another(self):
        """The client for another thread."""
        return self

    def call(self, _method, _host, path, *, params=(), **_):
        """What `HttpClient.call` answers."""
        self.asked.append(path)
        parts = path.removesuffix(".json").split("/")
        params = dict(params)
        if parts[1] == "invoicearchive":
            found = {"invoices": list(self._listed(parts[-1], params))}
        elif parts[3] == "generate" and len(parts) == 6:
            run_id = f"run-{len(self._runs)}"
            self._runs[run_id] = (params["invoiceNumber"], self.clock.monotonic() + RUN_SECONDS)
            found = {"statusUrl": f"https://www.mybring.com/reports/api/report/{run_id}/status.json"}
        elif parts[3] == "generate":
            found = {"reports": [{"id": SPECIFIED_INVOICE, "name": "Specified invoice"}]}
        else:
            done = self._runs[parts[4]][1] <= self.clock.monotonic()
            found = {"status": "DONE" if done else "NOT_DONE"}
        return Answer(f"GET {path}", 200, {}, json.dumps(found).encode())

    def download(self, wanted, out):
        """What `HttpClient.download` does: the file of a run."""
        self.asked.append(wanted.path)
        number, _ = self._runs[wanted.path.removesuffix(".xml").split("/")[-1]]
        lines = f"<Line><InvoiceNumber>{number}</InvoiceNumber>{LINE}</Line>" * LINES
        rows = f"<MetaData><NumberOfRows>{LINES}</NumberOfRows></MetaData>"
        content = f"<Report>{rows}<Lines>{lines}</Lines></Report>".encode()
        out.write(content)
        return Download(len(content), hashlib.sha256(content).hexdigest(), "application/xml")

    def _listed(self, customer, params):
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


def main(customers, invoices, unspecified=""):
    logging.disable(logging.INFO)
    bring = BigBring(int(customers), int(invoices), specified=not unspecified)
    tap = TapBillingReports(config=bring.config())
    tap.clock = bring.clock
    bring.prepare(tap)
    states, write = 0, tap.message_writer.write_message

    def counted(message):
        nonlocal states
        states += message.type == "STATE"
        write(message)

    tap.message_writer.write_message = counted
    started = time.process_time()
    if tap.run():
        raise RuntimeError("the sync failed")
    seconds = time.process_time() - started
    json.dump({"states": states, "state_bytes": tap._line_states.sent, "seconds": seconds}, sys.stderr)


if __name__ == "__main__":
    main(*sys.argv[1:])
