"""The Invoice API: the list of a customer's invoices and their PDFs.

Options: `bring_envelope` (`object`, `array`), `bring_invoice_date` (`dotted`, `iso`), `bring_due_date`
(`iso`, `dotted`), `bring_omit_customer_number`, `bring_forbidden_customer` (a number answered with 403),
`bring_second_issuer` (an object: another invoice under the `number` of a booked one: `issuer`, `days` after it,
`net`, `specified`, `first` for before it in the list, `alone` for without it), `bring_pdf_login_page`
(an invoice number, or `*`: a page for people in place of the PDF).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from .content import InvalidParametersError, parse_day
from .documents import invoice_pdf
from .gate import METHODS, XML_HEAD, Gate, forbidden, login_page, no_document, split_suffix, wants_xml
from .lines import dotted
from .money import short

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from tap_billing_reports.sandbox.world import World

    from .ledger import Customer, Invoice, Ledger

DEFAULT_DAYS = 65


class InvoiceApi:
    """Handlers of `/invoicearchive`."""

    def __init__(self, world: World, ledger: Ledger, gate: Gate) -> None:
        self._world = world
        self._ledger = ledger
        self._gate = gate

    def routes(self) -> list[Route]:
        guard = self._gate.guard
        return [
            Route("/invoicearchive/api/invoices/{customer}", guard(self.list_invoices), methods=METHODS),
            Route("/invoicearchive/pdf/{customer}/{file}", guard(self.pdf, translated=True), methods=METHODS),
        ]

    def allowed(self, number: str) -> Customer | None:
        """The customer behind a number, if the user has rights on it."""
        forbidden_number = self._world.options.get("bring_forbidden_customer")
        customer = self._ledger.customer(number)
        return None if customer is None or forbidden_number in {number, customer.number} else customer

    async def list_invoices(self, request: Request) -> Response:
        number, suffix = split_suffix(request.path_params["customer"])
        customer = self.allowed(number)
        if customer is None:
            return forbidden()
        query = request.query_params
        first, last = self._interval(query)
        invoices = [i for i in self._with_second_issuer(self._ledger.of(customer)) if first <= i.day <= last]
        if query.get("invoicesWithSpecification") == "true":
            invoices = [i for i in invoices if i.lines is not None]
        records = [self._record(i) for i in invoices]
        if wants_xml(request, suffix):
            return Response(_xml(records), media_type="application/xml")
        if self._world.options.get("bring_envelope", "object") == "array":
            return JSONResponse(records)
        return JSONResponse({"invoices": records})

    def _with_second_issuer(self, invoices: list[Invoice]) -> list[Invoice]:
        second = self._world.options.get("bring_second_issuer", {})
        one = next((i for i in invoices if i.number == second.get("number")), None)
        if one is None:
            return invoices
        net = Decimal(second.get("net", "7.00"))
        other = replace(
            one,
            issuer=second["issuer"],
            day=one.day + timedelta(days=second.get("days", 0)),
            net=net,
            tax=Decimal(0),
            total=net,
            lines=one.lines if second.get("specified") else None,
        )
        rest = [i for i in invoices if i is not one] if second.get("alone") else invoices
        return [other, *rest] if second.get("first") else [*rest, other]

    async def pdf(self, request: Request) -> Response:
        customer = self.allowed(request.path_params["customer"])
        if customer is None:
            return forbidden()
        number, _, suffix = request.path_params["file"].rpartition(".")
        invoice = self._ledger.find(customer, number)
        if self._world.options.get("bring_pdf_login_page") in {number, "*"}:
            return login_page()
        if suffix != "pdf" or invoice is None or not invoice.has_pdf:
            return no_document()
        return Response(invoice_pdf(invoice), media_type="application/pdf")

    def _interval(self, query: Mapping[str, str]) -> tuple[date, date]:
        """Both ends inclusive; a date in any other spelling finds nothing, and says nothing."""
        today = self._ledger.today()
        try:
            last = parse_day(query["toDate"]) if "toDate" in query else today
            return parse_day(query["fromDate"]) if "fromDate" in query else last - timedelta(DEFAULT_DAYS), last
        except InvalidParametersError:
            return today, today - timedelta(days=1)

    def _record(self, invoice: Invoice) -> dict[str, Any]:
        options = self._world.options
        spell = {"dotted": dotted, "iso": date.isoformat}
        record: dict[str, Any] = {
            "customerNumber": invoice.customer,
            "invoiceNumber": invoice.number,
            "invoiceDate": spell[options.get("bring_invoice_date", "dotted")](invoice.day),
            "dueDate": spell[options.get("bring_due_date", "iso")](invoice.due),
            "invoiceIssuer": invoice.issuer,
            "status": invoice.status,
            "amount": short(invoice.net),
            "taxAmount": short(invoice.tax),
            "totalAmount": short(invoice.total),
            "currency": invoice.currency,
            "type": invoice.type,
            "batchSource": invoice.batch_source,
            "attachmentCount": invoice.attachments,
            "specInvoiceReportId": "specified_invoice_customer_master",
            "parentInvoiceNumber": invoice.parent,
            "invoiceSpecificationAvailable": invoice.lines is not None,
            "co2Grams": invoice.co2_grams,
        }
        if options.get("bring_omit_customer_number"):
            del record["customerNumber"]
        for optional in ("batchSource", "co2Grams"):
            if record[optional] is None:
                del record[optional]
        return record


def _xml(records: list[dict[str, Any]]) -> str:
    def element(name: str, value: Any) -> str:
        if value is None:
            return f"<{name}/>"
        text = str(value).lower() if isinstance(value, bool) else str(value)
        return f"<{name}>{escape(text)}</{name}>"

    invoices = "".join(f"<Invoice>{''.join(element(*field) for field in r.items())}</Invoice>" for r in records)
    return f"{XML_HEAD}<InvoiceResponse><InvoiceList>{invoices}</InvoiceList></InvoiceResponse>"
