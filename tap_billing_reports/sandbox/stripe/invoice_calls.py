"""The calls of /v1/invoices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .errors import StripeError, missing
from .invoice_json import invoice_json, line_json, of_version
from .paging import CURSORS, page
from .parameters import Span, allow

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_billing_reports.sandbox.world import World

    from .endpoint import Call
    from .world.invoice import Invoice, Line
    from .world.invoices import InvoiceBook

_STATUSES = frozenset({"draft", "open", "paid", "uncollectible", "void"})
_FILTERS = frozenset({"status", "customer", "customer_account", "collection_method", "subscription", "due_date"})


class _ListedLine:
    def __init__(self, line: Line, created: int) -> None:
        self.line = line
        self.id = line.id
        self.created = created


class InvoiceCalls:
    """Handlers of /v1/invoices; `books` by account.

    Option: `stripe_drafts_vanish`, `last` or `page`: when a page is sent and more follow, its last invoice, or all of
    them, are deleted as far as they are drafts, and with `page` all drafts before it, too.
    """

    def __init__(self, world: World, books: Mapping[str, InvoiceBook]) -> None:
        self._world = world
        self._books = books

    def list_invoices(self, call: Call) -> dict[str, Any]:
        allow(call.given, CURSORS | _FILTERS)
        status = call.given.get("status")
        if status is not None and status not in _STATUSES:
            raise StripeError(400, f"Invalid status: must be one of {', '.join(sorted(_STATUSES))}", param="status")
        found = [invoice for invoice in self._books[call.account.id].newest_first() if _wanted(invoice, call.given)]
        answer = page(found, call.given, "invoice", call.url, lambda invoice: self._json(invoice, call))
        vanish = self._world.options.get("stripe_drafts_vanish")
        if vanish and answer["has_more"]:
            sent = [invoice["id"] for invoice in answer["data"]]
            self._books[call.account.id].delete(*(sent[-1:] if vanish == "last" else sent))
        return answer

    def invoice(self, call: Call) -> dict[str, Any]:
        allow(call.given, ())
        return self._json(self._find(call), call)

    def lines(self, call: Call) -> dict[str, Any]:
        allow(call.given, CURSORS - {"created"})
        invoice = self._find(call)
        listed = [_ListedLine(line, invoice.created) for line in invoice.lines]
        return page(
            listed,
            call.given,
            "line_item",
            call.url,
            lambda item: line_json(item.line, invoice, livemode=call.key.livemode),
        )

    def _find(self, call: Call) -> Invoice:
        invoice = self._books[call.account.id].find(call.path["id"])
        if invoice is None:
            raise missing("invoice", call.path["id"])
        return invoice

    @staticmethod
    def _json(invoice: Invoice, call: Call) -> dict[str, Any]:
        return of_version(call.version, invoice_json(invoice, call.account, livemode=call.key.livemode))


def _wanted(invoice: Invoice, given: Mapping[str, Any]) -> bool:
    method = "charge_automatically" if invoice.subscription else "send_invoice"
    return (
        given.get("status", invoice.status) == invoice.status
        and given.get("customer", invoice.customer.id) == invoice.customer.id
        and given.get("subscription", invoice.subscription) == invoice.subscription
        and given.get("collection_method", method) == method
        and "customer_account" not in given
        and ("due_date" not in given or Span(given["due_date"], "due_date").holds(invoice.due_date))
    )
