"""Stripe as one emulated vendor: its hosts, its routes, its settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from .accounts import ACCOUNTS, CONNECTED, FILES, FULL_KEY, INVOICES, KEYS, PLATFORM, REPORTS
from .endpoint import endpoint
from .file_calls import FileCalls, unrecognized
from .invoice_calls import InvoiceCalls
from .report_calls import ReportCalls
from .runs import Runs
from .totals import totals
from .world.balance import Ledger
from .world.invoices import InvoiceBook

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.routing import BaseRoute

    from tap_billing_reports.sandbox.world import World

_ANY_METHOD = ["GET", "POST", "DELETE", "PUT", "PATCH"]


class StripeVendor:
    """The platform `acct_sandbox` and its connected accounts."""

    name = "stripe"
    hosts = ("stripe_api", "stripe_files")
    secrets = tuple(KEYS)

    def __init__(self, world: World) -> None:
        self._world = world
        self.books = {name: InvoiceBook(world, account) for name, account in ACCOUNTS.items()}
        self.ledgers = {name: Ledger(world, account, self.books[name]) for name, account in ACCOUNTS.items()}
        self.runs = Runs(world)
        self._files = FileCalls(world, self.runs, self.ledgers)
        self._reports = ReportCalls(world, self.runs, self._files)
        self._invoices = InvoiceCalls(world, self.books)

    def routes(self, host: str) -> Sequence[BaseRoute]:
        world = self._world
        contents = Route("/v1/files/{id}/contents", endpoint(world, FILES, self._files.contents))
        rest = Route("/{path:path}", endpoint(world, None, unrecognized), methods=_ANY_METHOD)
        if host == "stripe_files":
            return (contents, rest)
        types, runs = "/v1/reporting/report_types", "/v1/reporting/report_runs"
        return (
            Route(types, endpoint(world, REPORTS, self._reports.types)),
            Route(types + "/{id}", endpoint(world, REPORTS, self._reports.type)),
            Route(runs, endpoint(world, REPORTS, self._reports.list_runs)),
            Route(runs, endpoint(world, REPORTS, self._reports.create), methods=["POST"]),
            Route(runs + "/{id}", endpoint(world, REPORTS, self._reports.run)),
            Route("/v1/files", endpoint(world, FILES, self._files.list_files)),
            Route("/v1/files/{id}", endpoint(world, FILES, self._files.file)),
            Route("/v1/invoices", endpoint(world, INVOICES, self._invoices.list_invoices)),
            Route("/v1/invoices/{id}", endpoint(world, INVOICES, self._invoices.invoice)),
            Route("/v1/invoices/{id}/lines", endpoint(world, INVOICES, self._invoices.lines)),
            rest,
        )

    def settings(self, urls: Mapping[str, str]) -> dict[str, Any]:
        return {
            "stripe_api_key": FULL_KEY,
            "stripe_account_id": PLATFORM.id,
            "stripe_connected_accounts": [account.id for account in CONNECTED],
            "stripe_api_url": urls["stripe_api"],
            "stripe_files_url": urls["stripe_files"],
        }

    def totals(self, settings: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        return totals(settings, self._world, self._files.files, self.books, self.runs)

    def orders(self) -> list[dict[str, str]]:
        return []

    def next_day(self) -> None:
        """Invoices change in every account; the other movements go on by themselves."""
        for book in self.books.values():
            book.next_day()
