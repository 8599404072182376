"""The emulated Vipps MobilePay as the sandbox sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .api import Api
from .books import Books
from .signin import CLIENT_ID, CLIENT_SECRET, SERIAL_NUMBER, SIGNATURE, SUBSCRIPTION_KEY
from .totals import totals

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.routing import BaseRoute

    from tap_billing_reports.sandbox.world import World


class VippsVendor:
    """Access tokens and the Report API on one host."""

    name = "vipps"
    hosts = ("vipps",)
    secrets = (CLIENT_SECRET, SUBSCRIPTION_KEY, SIGNATURE)

    def __init__(self, world: World) -> None:
        self.books = Books(world)
        self._api = Api(world, self.books)

    def routes(self, host: str) -> Sequence[BaseRoute]:
        assert host in self.hosts
        return self._api.routes()

    def settings(self, urls: Mapping[str, str]) -> dict[str, Any]:
        return {
            "vipps_client_id": CLIENT_ID,
            "vipps_client_secret": CLIENT_SECRET,
            "vipps_subscription_key": SUBSCRIPTION_KEY,
            "vipps_merchant_serial_number": SERIAL_NUMBER,
            "vipps_api_url": urls["vipps"],
        }

    def totals(self, settings: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        return totals(settings, self.books)

    def orders(self) -> list[dict[str, str]]:
        return []

    def next_day(self) -> None:
        """Nothing: the entries of a day come with the clock."""
