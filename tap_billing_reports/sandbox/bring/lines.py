"""Charge lines of specified invoices, one builder for each family of columns.

A line maps element names, in the order of the file, to text or to an exact amount. A blank line, which the
vendor writes between parcels, has no value at all.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from .money import ZERO, cents, long, share, short
from .shipments import ABROAD, HOME_PLACES, Freight

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from random import Random

    from .shipments import Shipment

Line = dict[str, str | Decimal]


@dataclass(frozen=True)
class Order:
    """What a builder needs to know of the invoice.

    Attributes:
        rng: the only source of chance.
        number: the invoice's number.
        day: the invoice's date (Oslo).
        currency: ISO code.
        shipments: what is charged; blank lines come on top.
        sign: -1 for a credit note.
        tax_percent: rate of each line.
        extra: an amount for one further line, or None.
    """

    rng: Random
    number: str
    day: date
    currency: str
    shipments: tuple[Shipment, ...]
    sign: int
    tax_percent: int
    extra: Decimal | None = None


def dotted(day: date) -> str:
    """A date in Bring's spelling, `dd.mm.yyyy`."""
    return day.strftime("%d.%m.%Y")


def is_blank(line: Line) -> bool:
    """True for a line that carries no value."""
    return all(value == "" for value in line.values())


def parcel_lines(order: Order) -> list[Line]:
    """CamelCase lines with blank ones among them; the money is `AgreementPrice`."""
    rng = order.rng
    lines: list[Line] = []
    for shipment in order.shipments:
        place = shipment.place
        for charge in shipment.charges:
            price, discount = charge.net * order.sign, charge.discount * order.sign
            lines.append(
                {
                    "InvoiceNumber": order.number,
                    "InvoiceDate": dotted(order.day),
                    "ShipmentNumber": shipment.waybill,
                    "PackageNumber": shipment.package,
                    "ProductCode": shipment.product.code,
                    "Product": shipment.product.name,
                    "Description": f"{charge.kind.parcel} til {shipment.receiver}",
                    "WeightKg": short(shipment.weight),
                    "GrossPrice": price + discount,
                    "Discount": discount,
                    "AgreementPrice": price,
                    "CurrencyCode": order.currency,
                    "SentFromPostalCode": "0668",
                    "SentToPostalCode": place.postal_code,
                    "SentToCity": place.city,
                    "DELIVERY_COUNTRY": place.country,
                    "HandedInDate": dotted(shipment.handed_in),
                    "InvoiceTriggeredDate": dotted(shipment.handed_in + timedelta(days=1)),
                }
            )
        if rng.random() < 0.2:
            # Both forms occur: nothing inside, and elements without text.
            lines.append(
                {} if rng.random() < 0.5 else dict.fromkeys(("InvoiceNumber", "ShipmentNumber", "Description"), "")
            )
    lines.append({})
    return lines


def cargo_lines(order: Order) -> list[Line]:
    """UPPER_SNAKE lines; `GrossPrice` is always 0.00, the money is `AMOUNT`, `TAX_AMOUNT`, `TOTAL_INCL_TAX`.

    Some lines are byte-identical to the one before: separate charges all the same.
    """
    lines: list[Line] = []
    for shipment in order.shipments:
        consignment = _consignment(order, shipment)
        lines += [
            {
                **consignment,
                "ITEM_NUMBER": charge.kind.item_number,
                "ITEM_DESCRIPTION": charge.kind.cargo,
                "GrossPrice": ZERO,
                **_taxed(charge.net * order.sign, order.tax_percent),
            }
            for charge in shipment.charges
        ]
    if order.extra is not None:
        lines.append({**lines[-1], **_taxed(order.extra, order.tax_percent)})
    return lines


def _consignment(order: Order, shipment: Shipment) -> Line:
    """What is the same on every line of a shipment."""
    return {
        "PICK_UP_POSTAL_CODE": "0668",
        "SENDER_NAME": "Nettbutikken AS",
        "RECEIVER_NAME": shipment.receiver,
        "RECEIVER_ADDRESS": shipment.street,
        "DELIVERY_POSTAL_CODE": shipment.place.postal_code,
        "DELIVERY_CITY": shipment.place.city,
        "DELIVERY_COUNTRY": shipment.place.country,
        "WAYBILL_NUMBER": shipment.waybill,
        "FREIGHT_PAYER": "A",
        "DESCRIPTION": 'Møbler, 2 kolli "skjørt"',
        "FREIGHT_CALC_WEIGHT": short(shipment.weight),
        "TRX_NUMBER": order.number,
        "TRX_DATE": dotted(order.day),
        "ACCOUNT_NUMBER": "3444353",
        "ORDER_NUMBER": shipment.package[-8:],
        "SENDER_REFERENCE": shipment.order_number,
        "RECEIVER_REFERENCE": shipment.waybill,
        "CUST_PO_NUMBER": shipment.receiver,
        "NUMBER_OF_PACKAGES": str(shipment.packages),
        "INVOICE_CURRENCY_CODE": order.currency,
    }


def international_cargo_lines(order: Order) -> list[Line]:
    """AMPHORA_BCI: its columns are not public; these are as good as any that a reader has never met."""
    rng = order.rng
    lines: list[Line] = []
    for shipment in order.shipments:
        consignment: Line = {
            "CONSIGNMENT_NOTE": shipment.waybill,
            "TRX_NUMBER": order.number,
            "TRX_DATE": dotted(order.day),
            "CONSIGNEE_NAME": shipment.receiver,
            "CONSIGNEE_COUNTRY": shipment.place.country,
            "INCOTERMS": rng.choice(("DAP", "EXW", "DDP")),
            "LOADING_METRES": short(cents(rng.randint(10, 1_360))),
            "FuelIndex": short(cents(rng.randint(9_000, 12_000))),
            "INVOICE_CURRENCY_CODE": order.currency,
        }
        lines += [
            {
                **consignment,
                "CHARGE_TEXT": charge.kind.cargo,
                **_taxed(charge.net * order.sign, order.tax_percent),
            }
            for charge in shipment.charges
        ]
    return lines


def _taxed(amount: Decimal, percent: int) -> dict[str, str | Decimal]:
    tax = share(amount, percent)
    return {"AMOUNT": amount, "TAX_AMOUNT": tax, "TOTAL_INCL_TAX": amount + tax}


@dataclass(frozen=True)
class Family:
    """Lines of one `InvoiceSource`: how they are made, spelled and summed.

    Attributes:
        titles: the report's name in English and in Norwegian.
        freight: the shipments behind them.
        build: makes the lines of one invoice.
        spell: amount to text.
        net: the column that sums to the invoice's amount.
        tax: the column that sums to its tax, or None where the lines show none.
    """

    titles: tuple[str, str]
    freight: Freight
    build: Callable[[Order], list[Line]]
    spell: Callable[[Decimal], str]
    net: str
    tax: str | None


_PARCELS = Freight(cargo=False, places=HOME_PLACES, least=4_500, most=40_000)
_CARGO = Freight(cargo=True, places=HOME_PLACES, least=20_000, most=150_000)


def _cargo(
    name: str, navn: str, freight: Freight = _CARGO, build: Callable[[Order], list[Line]] = cargo_lines
) -> Family:
    titles = f"Specified invoice - {name}", f"Spesifisert faktura - {navn}"
    return Family(titles, freight, build, long, "AMOUNT", "TAX_AMOUNT")


def _parcel(name: str, navn: str, freight: Freight) -> Family:
    titles = f"Specified invoice - {name}", f"Spesifisert faktura - {navn}"
    return Family(titles, freight, parcel_lines, short, "AgreementPrice", None)


FAMILIES = {
    "PARCEL_DOMESTIC": _parcel("Parcels", "Pakker", _PARCELS),
    "PARCEL_INTERNATIONAL": _parcel("Parcels international", "Pakker utland", replace(_PARCELS, places=ABROAD)),
    "AMPHORA_DOMESTIC": _cargo("Groupage and partload", "Stykkgods og partigods"),
    "AMPHORA_SEA": _cargo("Sea", "Sjø"),
    "ALYSTRA": _cargo("Home delivery", "Hjemlevering"),
    "AMPHORA_BCI": _cargo(
        "Cargo international", "Gods utland", replace(_CARGO, places=ABROAD), international_cargo_lines
    ),
}


def column_sum(lines: Iterable[Line], column: str) -> Decimal:
    """Exact sum of a column; a line without it counts as nothing."""
    return sum((value for line in lines if isinstance(value := line.get(column), Decimal)), ZERO)
