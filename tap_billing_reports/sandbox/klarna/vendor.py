"""The emulated Klarna as the sandbox sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .api import PASSWORD, USERNAME, Api
from .books import Books
from .totals import totals

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.routing import BaseRoute

    from tap_billing_reports.sandbox.world import World


class KlarnaVendor:
    """The Settlements API of one merchant."""

    name = "klarna"
    hosts = ("klarna",)
    secrets = (PASSWORD,)

    def __init__(self, world: World) -> None:
        self.books = Books(world)
        self._api = Api(world, self.books)

    def routes(self, host: str) -> Sequence[BaseRoute]:
        assert host in self.hosts
        return self._api.routes()

    def settings(self, urls: Mapping[str, str]) -> dict[str, Any]:
        return {"klarna_username": USERNAME, "klarna_password": PASSWORD, "klarna_api_url": urls["klarna"]}

    def totals(self, settings: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        return totals(settings, self.books)

    def orders(self) -> list[dict[str, str]]:
        return []

    def next_day(self) -> None:
        """Nothing: payouts come with the clock."""
