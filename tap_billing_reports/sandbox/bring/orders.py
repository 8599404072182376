"""The orders of the shop whose goods Bring carries: what the shop itself knows, to be joined with the freight.

With the world's hidden faults three shipments of the last whole month have no order.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from .ledger import LARGE_AMOUNTS
from .money import cents, long

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_billing_reports.sandbox.world import World

    from .ledger import Invoice, Ledger
    from .shipments import Shipment

_LOST = 3
_COLLECTED_EVERY = 25
"""So many orders are sent for each one that its customer has collected in the shop."""


def shop_orders(world: World, ledger: Ledger) -> list[dict[str, str]]:
    """All orders by number: `order_number`, `order_date`, `currency`, `order_total`, `tracking_number`.

    The tracking number is the shipment's waybill, and empty for an order that was collected.
    """
    lost = _lost(world, ledger) if world.hidden_faults else frozenset()
    orders: dict[str, dict[str, str]] = {}
    for invoice, shipment in _sent(ledger):
        if shipment.waybill not in lost:
            rng = world.rng(f"bring-order-{shipment.order_number}")
            ordered = shipment.handed_in - timedelta(days=rng.randint(0, 3))
            total = cents(rng.randint(19_900, 899_900))
            order = _order(shipment.order_number, ordered, invoice.currency, long(total), shipment.waybill)
            orders[shipment.order_number] = order
            if rng.randrange(_COLLECTED_EVERY) == 0:
                number = f"{shipment.order_number}-B"
                orders[number] = _order(number, ordered, invoice.currency, long(total), "")
    return [order for _, order in sorted(orders.items())]


def _order(number: str, ordered: date, currency: str, total: str, tracking_number: str) -> dict[str, str]:
    return {
        "order_number": number,
        "order_date": ordered.isoformat(),
        "currency": currency,
        "order_total": total,
        "tracking_number": tracking_number,
    }


def _sent(ledger: Ledger) -> Iterator[tuple[Invoice, Shipment]]:
    """Every shipment with the invoice that charges it."""
    for invoice in ledger.invoices:
        if invoice.parent is None and invoice.customer != LARGE_AMOUNTS.number:
            for shipment in invoice.shipments:
                yield invoice, shipment


def _lost(world: World, ledger: Ledger) -> frozenset[str]:
    """The waybills of the shipments whose orders are hidden."""
    month = world.clock.start.date().replace(day=1)
    shown = ((i.day, s.waybill) for i, s in _sent(ledger) if i.lines is not None and i.day < month)
    return frozenset(waybill for _, waybill in sorted(shown)[-_LOST:])
