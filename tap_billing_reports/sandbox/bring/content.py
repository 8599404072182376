"""What a report holds: its metadata and its lines, drawn from the ledger or from the seed day by day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

from .ledger import OSLO, Customer, Invoice, Ledger
from .lines import FAMILIES, Family, Line, dotted, is_blank
from .money import cents, short
from .shipments import FREIGHT, HOME_PLACES, PARCEL_PRODUCTS, PEOPLE, Freight

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_billing_reports.sandbox.world import World

    from .catalogue import ReportType

_NONE = Freight(cargo=False, places=(), least=0, most=0)
PLAIN = Family(("", ""), _NONE, lambda _order: [], short, "AgreementPrice", None)
"""Spelling of every report that is not a specified invoice."""


class InvalidParametersError(ValueError):
    """The vendor answers 400 to an order with these parameters."""


@dataclass(frozen=True)
class Content:
    """A report before it is written down.

    Attributes:
        family: how amounts are spelled.
        lines: blank ones included.
        titles: the report's name in English and in Norwegian.
        interval: first and last day (Oslo, both inclusive) of a date-range report.
        invoice: the invoice that the report specifies.
    """

    family: Family
    lines: tuple[Line, ...]
    titles: tuple[str, str]
    interval: tuple[date, date] | None = None
    invoice: Invoice | None = None

    @property
    def filled(self) -> int:
        """Number of lines that are not blank."""
        return sum(not is_blank(line) for line in self.lines)


def parse_day(text: str) -> date:
    """`dd.mm.yyyy`; raises InvalidParametersError for any other spelling."""
    try:
        day = datetime.strptime(text, "%d.%m.%Y").date()  # noqa: DTZ007 - a calendar day has no zone
    except ValueError as error:
        raise InvalidParametersError(text) from error
    if dotted(day) != text:
        raise InvalidParametersError(text)
    return day


def interval_bounds(interval: tuple[date, date]) -> tuple[datetime, datetime]:
    """First and last second of an interval of Oslo days, with the offset that each of them has."""
    first, last = interval
    return datetime.combine(first, time(), OSLO), datetime.combine(last, time(23, 59, 59), OSLO)


class Contents:
    """Makes the content of any report that a customer may order."""

    def __init__(self, world: World, ledger: Ledger) -> None:
        self._world = world
        self._ledger = ledger

    def check(self, kind: ReportType, customer: Customer, parameters: Mapping[str, str]) -> None:
        """Raises InvalidParametersError where the vendor refuses the order itself."""
        if set(parameters) != set(kind.parameters):
            raise InvalidParametersError(", ".join(parameters))
        if "invoiceNumber" in parameters:
            if self._ledger.find(customer, parameters["invoiceNumber"]) is None:
                raise InvalidParametersError(parameters["invoiceNumber"])
        elif "year" in parameters:
            if parameters["reporttype"] not in {"INVOICED", "HANDED_IN"} or not _is_year(parameters["year"]):
                raise InvalidParametersError(parameters["year"])
        elif parse_day(parameters["fromDate"]) > parse_day(parameters["toDate"]):
            raise InvalidParametersError("fromDate")

    def make(self, kind: ReportType, customer: Customer, parameters: Mapping[str, str]) -> Content | None:
        """The report's content, or None for an invoice without a specification: such a run fails."""
        if "invoiceNumber" in parameters:
            return self._specified(kind, customer, parameters["invoiceNumber"])
        if "year" in parameters:
            return self._yearly(kind, customer, parameters)
        interval = parse_day(parameters["fromDate"]), parse_day(parameters["toDate"])
        return Content(PLAIN, self.range_lines(kind, customer, *interval), kind.names, interval=interval)

    def range_lines(self, kind: ReportType, customer: Customer, first: date, last: date) -> tuple[Line, ...]:
        """The lines of Oslo days `first` to `last`: the same whoever asks, and none before the day comes."""
        last = min(last, self._ledger.today())
        days = (first + timedelta(days=n) for n in range((last - first).days + 1))
        return tuple(line for day in days for line in self._day(kind, customer, day))

    def _specified(self, kind: ReportType, customer: Customer, number: str) -> Content | None:
        invoice = self._ledger.find(customer, number)
        if invoice is None or invoice.lines is None:
            return None
        family = FAMILIES[invoice.source]
        if kind.kind == "status":
            return Content(family, invoice.lines, family.titles, invoice=invoice)
        base = FREIGHT.parcel
        extras = tuple(i for i in invoice.lines if not str(i.get("Description", base)).startswith(base))
        return Content(family, extras, kind.names, invoice=invoice)

    def _day(self, kind: ReportType, customer: Customer, day: date) -> list[Line]:
        rng = self._world.rng(f"bring-{kind.id}-{customer.number}-{day}")
        lines: list[Line] = []
        for _ in range(rng.randint(0, 5)):
            product, name = rng.choice(PARCEL_PRODUCTS)
            place = rng.choice(HOME_PLACES)
            line: Line = {
                "ShipmentNumber": str(rng.randint(10**16, 10**17)),
                "PackageNumber": str(rng.randint(37 * 10**16, 38 * 10**16)),
                "ProductCode": product,
                "Product": name,
                "Date": dotted(day),
                "RecipientName": rng.choice(PEOPLE),
                "RecipientPostalCode": place.postal_code,
                "RecipientCity": place.city,
                "WeightKg": short(cents(rng.randint(10, 3_500))),
            }
            if kind.kind == "economy":
                price, discount = cents(rng.randint(2_000, 40_000)), cents(rng.randint(0, 900))
                line |= {
                    "GrossPrice": price + discount,
                    "Discount": discount,
                    "AgreementPrice": price,
                    "CurrencyCode": customer.currencies[0],
                }
            lines.append(line)
        return lines

    def _yearly(self, kind: ReportType, customer: Customer, parameters: Mapping[str, str]) -> Content:
        year, today = int(parameters["year"]), self._ledger.today()
        lines: list[Line] = []
        for month in range(1, 13):
            if (year, month) > (today.year, today.month):
                break
            rng = self._world.rng(f"bring-{kind.id}-{customer.number}-{parameters['reporttype']}-{year}-{month}")
            for product, name in PARCEL_PRODUCTS:
                lines.append(
                    {
                        "Month": f"{year}-{month:02d}",
                        "ProductCode": product,
                        "Product": name,
                        "NumberOfPackages": str(rng.randint(0, 400)),
                        "WeightKg": short(cents(rng.randint(100, 900_000))),
                        "AgreementPrice": cents(rng.randint(0, 9_000_000)),
                        "CurrencyCode": customer.currencies[0],
                    }
                )
        return Content(PLAIN, tuple(lines), kind.names)


def _is_year(text: str) -> bool:
    return len(text) == 4 and text.isascii() and text.isdigit()
