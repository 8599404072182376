"""Charge lines of specified invoices, one builder for each family of columns.

A line maps element names, in the order of the file, to text or to an exact amount. A blank line, which the
vendor writes between parcels, has no value at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from .money import ZERO, cents, long, share, short

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from random import Random

Line = dict[str, str | Decimal]

PEOPLE = (
    "Åse Ødegård",
    "Bjørn Kjærstad",
    "Ingrid Sæther",
    "Per-Åke Löfström",
    "Søren Ærø Æbelø",
    "Kari O'Hara",
    "Dahl & Sønner <lager>",
    "Zoë Çelik 🚚",
)
CITIES = (
    ("0150", "OSLO"),
    ("5020", "BERGEN"),
    ("7010", "TRONDHEIM"),
    ("9008", "TROMSØ"),
    ("4836", "ARENDAL"),
)
ABROAD = (("11122", "STOCKHOLM", "SE"), ("2100", "KØBENHAVN Ø", "DK"), ("00100", "HELSINKI", "FI"))
PARCEL_PRODUCTS = (
    ("1202", "Pakke i postkassen"),
    ("1736", "Pakke til hentested"),
    ("1312", "Pakke levert hjem"),
)
PARCEL_CHARGES = ("Frakt", "Drivstofftillegg", "Bompenger & ferge", "Varsling SMS")
CARGO_CHARGES = ("Frakt", "Drivstofftillegg", "Bompenger", "Varsling", "Hjemlevering & innbæring")


@dataclass(frozen=True)
class Order:
    """What a builder needs to know of the invoice.

    Attributes:
        rng: the only source of chance.
        number: the invoice's number.
        day: the invoice's date (Oslo).
        currency: ISO code.
        count: charge lines to write; blank ones come on top.
        sign: -1 for a credit note.
        tax_percent: rate of each line.
        extra: an amount for one further line, or None.
    """

    rng: Random
    number: str
    day: date
    currency: str
    count: int
    sign: int
    tax_percent: int
    extra: Decimal | None = None

    def amount(self) -> Decimal:
        """A charge of 1.00 to 2000.00; one in twelve is a rebate."""
        value = cents(self.rng.randint(100, 200_000))
        return value * (-self.sign if self.rng.random() < 1 / 12 else self.sign)


def dotted(day: date) -> str:
    """A date in Bring's spelling, `dd.mm.yyyy`."""
    return day.strftime("%d.%m.%Y")


def is_blank(line: Line) -> bool:
    """True for a line that carries no value."""
    return all(value == "" for value in line.values())


def parcel_lines(order: Order, *, abroad: bool = False) -> list[Line]:
    """CamelCase lines with blank ones among them; the money is `AgreementPrice`."""
    rng = order.rng
    lines: list[Line] = []
    charges = 0
    while charges < order.count:
        product, name = rng.choice(PARCEL_PRODUCTS)
        postal, city, country = rng.choice(ABROAD) if abroad else (*rng.choice(CITIES), "NO")
        shipment, package = str(rng.randint(10**16, 10**17)), str(rng.randint(37 * 10**16, 38 * 10**16))
        handed_in = order.day - timedelta(days=rng.randint(2, 20))
        for charge in PARCEL_CHARGES[: min(rng.randint(1, 4), order.count - charges)]:
            price = order.amount()
            discount = cents(rng.randint(0, 5_000)) * order.sign
            lines.append(
                {
                    "InvoiceNumber": order.number,
                    "InvoiceDate": dotted(order.day),
                    "ShipmentNumber": shipment,
                    "PackageNumber": package,
                    "ProductCode": product,
                    "Product": name,
                    "Description": f"{charge} til {rng.choice(PEOPLE)}",
                    "WeightKg": short(cents(rng.randint(10, 3_500))),
                    "GrossPrice": price + discount,
                    "Discount": discount,
                    "AgreementPrice": price,
                    "CurrencyCode": order.currency,
                    "SentFromPostalCode": "0668",
                    "SentToPostalCode": postal,
                    "SentToCity": city,
                    "DELIVERY_COUNTRY": country,
                    "HandedInDate": dotted(handed_in),
                    "InvoiceTriggeredDate": dotted(handed_in + timedelta(days=1)),
                }
            )
            charges += 1
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
    rng = order.rng
    lines: list[Line] = []
    while len(lines) < order.count:
        postal, city = rng.choice(CITIES)
        receiver = rng.choice(PEOPLE)
        waybill, item = f"707006110{rng.randint(10**7, 10**8 - 1)}", str(rng.randint(10**9, 10**10 - 1))
        weight = short(cents(rng.randint(100, 90_000)))
        for charge in CARGO_CHARGES[: min(rng.randint(1, 5), order.count - len(lines))]:
            line: Line = {
                "PICK_UP_POSTAL_CODE": "0668",
                "SENDER_NAME": "Nettbutikken AS",
                "RECEIVER_NAME": receiver,
                "RECEIVER_ADDRESS": f"Storgata {rng.randint(1, 99)} A/B",
                "DELIVERY_POSTAL_CODE": postal,
                "DELIVERY_CITY": city,
                "DELIVERY_COUNTRY": "NO",
                "WAYBILL_NUMBER": waybill,
                "ITEM_NUMBER": item,
                "FREIGHT_PAYER": "A",
                "ITEM_DESCRIPTION": charge,
                "DESCRIPTION": 'Møbler, 2 kolli "skjørt"',
                "FREIGHT_CALC_WEIGHT": weight,
                "TRX_NUMBER": order.number,
                "TRX_DATE": dotted(order.day),
                "ACCOUNT_NUMBER": "3444353",
                "ORDER_NUMBER": str(rng.randint(10_000, 99_999)),
                "SENDER_REFERENCE": "",
                "RECEIVER_REFERENCE": f"PO-{rng.randint(1, 999):03d}",
                "CUST_PO_NUMBER": receiver,
                "NUMBER_OF_PACKAGES": str(rng.randint(1, 9)),
                "INVOICE_CURRENCY_CODE": order.currency,
                "GrossPrice": ZERO,
                **_taxed(order.amount(), order.tax_percent),
            }
            lines.append(line)
            if rng.random() < 0.1 and len(lines) < order.count:
                lines.append(dict(line))
    if order.extra is not None:
        lines.append({**lines[-1], **_taxed(order.extra, order.tax_percent)})
    return lines


def international_cargo_lines(order: Order) -> list[Line]:
    """AMPHORA_BCI: its columns are not public; these are as good as any that a reader has never met."""
    rng = order.rng
    return [
        {
            "CONSIGNMENT_NOTE": str(rng.randint(10**11, 10**12 - 1)),
            "TRX_NUMBER": order.number,
            "TRX_DATE": dotted(order.day),
            "CHARGE_TEXT": rng.choice(CARGO_CHARGES),
            "CONSIGNEE_NAME": rng.choice(PEOPLE),
            "CONSIGNEE_COUNTRY": rng.choice(ABROAD)[2],
            "INCOTERMS": rng.choice(("DAP", "EXW", "DDP")),
            "LOADING_METRES": short(cents(rng.randint(10, 1_360))),
            "FuelIndex": short(cents(rng.randint(9_000, 12_000))),
            "INVOICE_CURRENCY_CODE": order.currency,
            **_taxed(order.amount(), order.tax_percent),
        }
        for _ in range(order.count)
    ]


def _taxed(amount: Decimal, percent: int) -> dict[str, str | Decimal]:
    tax = share(amount, percent)
    return {"AMOUNT": amount, "TAX_AMOUNT": tax, "TOTAL_INCL_TAX": amount + tax}


@dataclass(frozen=True)
class Family:
    """Lines of one `InvoiceSource`: how they are made, spelled and summed.

    Attributes:
        titles: the report's name in English and in Norwegian.
        build: makes the lines of one invoice.
        spell: amount to text.
        net: the column that sums to the invoice's amount.
        tax: the column that sums to its tax, or None where the lines show none.
    """

    titles: tuple[str, str]
    build: Callable[[Order], list[Line]]
    spell: Callable[[Decimal], str]
    net: str
    tax: str | None


def _cargo(name: str, navn: str, build: Callable[[Order], list[Line]] = cargo_lines) -> Family:
    return Family((f"Specified invoice - {name}", f"Spesifisert faktura - {navn}"), build, long, "AMOUNT", "TAX_AMOUNT")


def _parcel(name: str, navn: str, *, abroad: bool) -> Family:
    def build(order: Order) -> list[Line]:
        return parcel_lines(order, abroad=abroad)

    return Family(
        (f"Specified invoice - {name}", f"Spesifisert faktura - {navn}"), build, short, "AgreementPrice", None
    )


FAMILIES = {
    "PARCEL_DOMESTIC": _parcel("Parcels", "Pakker", abroad=False),
    "PARCEL_INTERNATIONAL": _parcel("Parcels international", "Pakker utland", abroad=True),
    "AMPHORA_DOMESTIC": _cargo("Groupage and partload", "Stykkgods og partigods"),
    "AMPHORA_SEA": _cargo("Sea", "Sjø"),
    "ALYSTRA": _cargo("Home delivery", "Hjemlevering"),
    "AMPHORA_BCI": _cargo("Cargo international", "Gods utland", international_cargo_lines),
}


def column_sum(lines: Iterable[Line], column: str) -> Decimal:
    """Exact sum of a column; a line without it counts as nothing."""
    return sum((value for line in lines if isinstance(value := line.get(column), Decimal)), ZERO)
