"""The customers of an account: the same ones on invoices, charges, refunds and disputes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from .ids import make_id

if TYPE_CHECKING:
    import random

_GENERATED = 60
_NAMES = (
    "Åse Ødegård",
    "Jürgen Weiß",
    "Zoë O'Brien",
    "山田 太郎",
    "Müller, Hans & Söhne",
    "Ann Example",
    'Kai "K" Lund',
)
_DESCRIPTIONS = ("", "VIP", "since 2019,\nyearly")


class Address(NamedTuple):
    """Parts are empty where an address has none; the country is an ISO code."""

    line1: str
    line2: str
    city: str
    state: str
    postal_code: str
    country: str


_OSLO = Address("Storgata 1", "3. etg.", "Oslo", "", "0155", "NO")
_NEW_YORK = Address("350 Fifth Ave, Suite 21", "", "New York", "NY", "10118", "US")
_BERLIN = Address("Hauptstraße 5", "", "Berlin", "", "10827", "DE")
_TOKYO = Address("千代田1-1", "", "東京", "", "100-8111", "JP")
_ADDRESSES = (_OSLO, _NEW_YORK, _BERLIN)


@dataclass(frozen=True)
class Customer:
    """Who is invoiced and charged."""

    id: str
    name: str
    email: str
    description: str
    address: Address


_NAMED = (
    Customer("cus_sandbox_aase", "Åse Ødegård", "aase@example.com", "", _OSLO),
    Customer("cus_sandbox_hans", "Müller, Hans & Söhne", "hans@example.com", "VIP", _BERLIN),
    Customer("cus_sandbox_ann", 'Ann "A" Example', "ann@example.com", "since 2019,\nyearly", _NEW_YORK),
    Customer("cus_sandbox_taro", "山田 太郎", "taro@example.com", "", _TOKYO),
)
MEMBERS = _NAMED
"""Those who get invoices."""


def make_customers(rng: random.Random) -> tuple[Customer, ...]:
    """All customers of an account: the members and those who only ever pay at once."""
    generated = (
        Customer(
            make_id(rng, "cus"),
            rng.choice(_NAMES),
            f"customer{number}@example.com",
            rng.choice(_DESCRIPTIONS),
            rng.choice(_ADDRESSES),
        )
        for number in range(1, _GENERATED + 1)
    )
    return (*_NAMED, *generated)
