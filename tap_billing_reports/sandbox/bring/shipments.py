"""What a shop has sent: shipments, and what Bring charges for each.

One shipment is one waybill to one receiver with one weight, and some five charges: freight, fuel, road toll and others.
The waybill is the tracking number; the shop's own reference is its order number.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, NamedTuple

from .money import ZERO, cents, share

if TYPE_CHECKING:
    from decimal import Decimal
    from random import Random

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


class Place(NamedTuple):
    """Where a shipment goes; the country is an ISO code."""

    postal_code: str
    city: str
    country: str = "NO"


HOME_PLACES = (
    Place("0150", "OSLO"),
    Place("5020", "BERGEN"),
    Place("7010", "TRONDHEIM"),
    Place("9008", "TROMSØ"),
    Place("4836", "ARENDAL"),
)
ABROAD = (Place("11122", "STOCKHOLM", "SE"), Place("2100", "KØBENHAVN Ø", "DK"), Place("00100", "HELSINKI", "FI"))


class Product(NamedTuple):
    """A parcel service."""

    code: str
    name: str


PARCEL_PRODUCTS = (
    Product("1202", "Pakke i postkassen"),
    Product("1736", "Pakke til hentested"),
    Product("1312", "Pakke levert hjem"),
)


class Kind(NamedTuple):
    """A kind of charge: its number, its words on cargo lines and on parcel lines."""

    item_number: str
    cargo: str
    parcel: str


FREIGHT = Kind("105633", "Frakt", "Frakt")
FUEL = Kind("3101", "Drivstofftillegg", "Drivstofftillegg")
TOLL = Kind("3123", "Bompenger", "Bompenger & ferge")
NOTICE = Kind("3140", "Varsling", "Varsling SMS")
DELIVERY = Kind("3155", "Hjemlevering & innbæring", "Levering på døren & kvittering")
REBATE = Kind("3190", "Rabatt", "Rabatt")

_FUEL_PERCENT = 14
_DISCOUNT_PERCENT = 8
_REBATED = 1 / 40
"""So few shipments have a charge below zero."""
_CHARGED_TWICE = 1 / 12
"""Shipments that have a charge of which another line is a copy: both are to be paid."""
_NUMBERS = 900_000  # order numbers of six digits
_SPREAD = 7919  # has no factor in common with _NUMBERS, so different places get different numbers


@dataclass(frozen=True)
class Charge:
    """One charge of a shipment before tax; `discount` has been taken off."""

    kind: Kind
    net: Decimal
    discount: Decimal


@dataclass(frozen=True)
class Shipment:
    """One waybill.

    Attributes:
        waybill: the shipment number, by which the receiver tracks it.
        package: the number of the parcel within.
        order_number: the shop's own reference, six digits.
        weight: kilograms.
    """

    waybill: str
    package: str
    order_number: str
    receiver: str
    street: str
    place: Place
    product: Product
    weight: Decimal
    packages: int
    handed_in: date
    charges: tuple[Charge, ...]


@dataclass(frozen=True)
class Freight:
    """What kind of shipments a source has: parcels or cargo, to which places, at which prices in cents."""

    cargo: bool
    places: tuple[Place, ...]
    least: int
    most: int


def make_shipments(rng: Random, freight: Freight, day: date, invoice: int, lines: int) -> tuple[Shipment, ...]:
    """Shipments with at least so many charges in all, invoiced on `day` by the sandbox's invoice number `invoice`."""
    shipments: list[Shipment] = []
    charges = 0
    while charges < lines:
        shipment = _shipment(rng, freight, day, _order_number(invoice * 1000 + len(shipments)))
        shipments.append(shipment)
        charges += len(shipment.charges)
    return tuple(shipments)


def _shipment(rng: Random, freight: Freight, day: date, order_number: str) -> Shipment:
    if freight.cargo:
        waybill, weight = f"707006110{rng.randint(10**7, 10**8 - 1)}", rng.randint(100, 90_000)
    else:
        waybill, weight = str(rng.randint(10**16, 10**17 - 1)), rng.randint(10, 3_500)
    return Shipment(
        waybill=waybill,
        package=str(rng.randint(37 * 10**16, 38 * 10**16)),
        order_number=order_number,
        receiver=rng.choice(PEOPLE),
        street=f"Storgata {rng.randint(1, 99)} A/B",
        place=rng.choice(freight.places),
        product=rng.choice(PARCEL_PRODUCTS),
        weight=cents(weight),
        packages=rng.randint(1, 3),
        handed_in=day - timedelta(days=rng.randint(2, 20)),
        charges=_charges(rng, freight),
    )


def _charges(rng: Random, freight: Freight) -> tuple[Charge, ...]:
    gross = cents(rng.randint(freight.least, freight.most))
    discount = share(gross, rng.choice((0, _DISCOUNT_PERCENT)))
    base = gross - discount
    charges = [_charge(FREIGHT, base, discount), _charge(FUEL, share(base, _FUEL_PERCENT))]
    for kind, share_of_all, least, most in (
        (TOLL, 0.95, 300, 4_500),
        (NOTICE, 0.9, 250, 900),
        (DELIVERY, 0.8, 1_500, 25_000),
    ):
        if rng.random() < share_of_all:
            charges.append(_charge(kind, cents(rng.randint(least, most))))
    if rng.random() < _CHARGED_TWICE:
        charges.append(charges[-1])
    if rng.random() < _REBATED:
        charges.append(_charge(REBATE, -share(base, rng.randint(5, 30))))
    return tuple(charges)


def _charge(kind: Kind, net: Decimal, discount: Decimal = ZERO) -> Charge:
    return Charge(kind, net, discount)


def _order_number(place: int) -> str:
    return str(100_000 + place * _SPREAD % _NUMBERS)
