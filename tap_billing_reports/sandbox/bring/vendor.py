"""The emulated Bring as the sandbox sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .gate import CLIENT_URL, KEY, UID, Gate
from .invoice_api import InvoiceApi
from .ledger import Ledger
from .orders import shop_orders
from .report_api import ReportApi
from .totals import Totals

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.routing import BaseRoute

    from tap_billing_reports.sandbox.world import World


class BringVendor:
    """Invoice and Reports API of Mybring on one host. Each module names the options that it reads."""

    name = "bring"
    hosts = ("bring",)
    secrets = (KEY,)

    def __init__(self, world: World) -> None:
        self._world = world
        gate = Gate(world)
        self.ledger = Ledger(world)
        self._invoices = InvoiceApi(world, self.ledger, gate)
        self._reports = ReportApi(world, self.ledger, gate, self._invoices)
        self._totals = Totals(world, self.ledger, self._reports)

    def routes(self, host: str) -> Sequence[BaseRoute]:
        assert host in self.hosts
        return [*self._invoices.routes(), *self._reports.routes()]

    def settings(self, urls: Mapping[str, str]) -> dict[str, Any]:
        return {
            "bring_api_uid": UID,
            "bring_api_key": KEY,
            "bring_client_url": CLIENT_URL,
            "bring_base_url": urls["bring"],
        }

    def totals(self, settings: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        return self._totals.of(settings)

    def orders(self) -> list[dict[str, str]]:
        return shop_orders(self._world, self.ledger)

    def next_day(self) -> None:
        self.ledger.next_day()
