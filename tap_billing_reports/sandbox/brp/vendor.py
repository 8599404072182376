"""The emulated BRP as the sandbox sees it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from .api import KEY_LEVEL_1, KEY_LEVEL_3, PASSWORD, ROOT, Api
from .ledger import COMPANIES, PERSONS, Invoice, Ledger

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.routing import BaseRoute

    from tap_billing_reports.sandbox.world import World

DECIMALS = {"JPY": 0, "ISK": 0, "KWD": 3}


class BrpVendor:
    """API2 of one BRP installation with two companies."""

    name = "brp"
    hosts = ("brp",)
    secrets = (KEY_LEVEL_1, KEY_LEVEL_3, PASSWORD)

    def __init__(self, world: World) -> None:
        self.ledger = Ledger(world)
        self._api = Api(world, self.ledger)

    def routes(self, host: str) -> Sequence[BaseRoute]:
        assert host in self.hosts
        return self._api.routes()

    def settings(self, urls: Mapping[str, str]) -> dict[str, Any]:
        return {"brp_api_url": urls["brp"] + ROOT, "brp_api_key": KEY_LEVEL_3, "brp_currency": "SEK"}

    def totals(self, settings: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        companies = {int(n) for n in settings.get("brp_company_ids") or ()} or {c.id for c in COMPANIES}
        invoices = [i for i in self.ledger.invoices if i.company in companies and _selected(i, settings)]
        decimals = DECIMALS.get(settings.get("brp_currency", "SEK"), 2)
        columns = {
            "total_amount": sum(i.total for i in invoices),
            "amount_due": sum(i.rest for i in invoices),
            "fee_amount": sum(i.fee for i in invoices),
        }
        # scaleb would round to the context's 28 digits; none of these sums comes near that.
        sums = {name: str(Decimal(amount).scaleb(-decimals)) for name, amount in columns.items()}
        return {
            "accounts": {"rows": len(companies), "sums": {}},
            "invoices": {"rows": len(invoices), "sums": sums},
        }

    def orders(self) -> list[dict[str, str]]:
        return []

    def next_day(self) -> None:
        self.ledger.next_day()


def _selected(invoice: Invoice, settings: Mapping[str, Any]) -> bool:
    persons = {str(n) for n in settings.get("brp_person_ids") or ()}
    if "*" in persons:
        persons = {str(p.id) for p in PERSONS if not p.deleted}
    states = {int(n) for n in settings.get("brp_states") or ()}
    products = {int(n) for n in settings.get("brp_product_ids") or ()}
    return (
        invoice.day >= date.fromisoformat(str(settings["start_date"])[:10])
        and (not persons or str(invoice.person) in persons)
        and (not states or invoice.state in states)
        and (not products or bool(products & set(invoice.products)))
    )
