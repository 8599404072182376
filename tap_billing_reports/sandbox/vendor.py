"""What an emulated vendor must offer to the sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.routing import BaseRoute


class Vendor(Protocol):
    """One emulated vendor: its hosts, its routes and what a warehouse must hold after a sync."""

    name: str
    """`stripe`, `bring`, `brp`, `vipps`, `klarna`."""

    hosts: Sequence[str]
    """Names of its hosts (for instance `stripe_api`, `stripe_files`); each is served on a port of its own."""

    secrets: Sequence[str]
    """Every credential that it accepts, for the counters that say which host has seen which of them."""

    def routes(self, host: str) -> Sequence[BaseRoute]:
        """The routes of one host."""

    def settings(self, urls: Mapping[str, str]) -> dict[str, Any]:
        """Tap settings (flat, without `start_date`) that point at `urls` (host name -> base URL)."""

    def totals(self, settings: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        """What the vendor's seeded ledger holds for a full sync with these settings, before serialisation.

        Stream name -> {"rows": int, "sums": {column: exact decimal as text}}.
        """

    def orders(self) -> list[dict[str, str]]:
        """The orders of the shop whose goods the vendor carries, as a table of the shop's own; none elsewhere."""

    def next_day(self) -> None:
        """What one more day brings: new invoices and charges, one status changed. Others move the clock."""
