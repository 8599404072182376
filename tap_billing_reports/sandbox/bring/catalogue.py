"""The report types that the emulated Bring offers, in its two languages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .ledger import Customer

INVOICE = ("invoiceNumber",)
RANGE = ("fromDate", "toDate")
YEAR = ("reporttype", "year")

PARAMETERS = {
    "invoiceNumber": ("string", "Invoice number for the report", "Fakturanummer for rapporten"),
    "fromDate": ("date", "Format: DD.MM.YYYY", "Format: DD.MM.ÅÅÅÅ"),
    "toDate": ("date", "Format: DD.MM.YYYY", "Format: DD.MM.ÅÅÅÅ"),
    "reporttype": ("string", "INVOICED or HANDED_IN", "INVOICED eller HANDED_IN"),
    "year": ("int", "Year, four digits", "År, fire siffer"),
}
"""Parameter name -> type, description in English, description in Norwegian."""


@dataclass(frozen=True)
class ReportType:
    """One entry of the list; an id can stand in it twice, with different parameters.

    Attributes:
        names: in English and in Norwegian.
        kind: which columns a date-range or yearly report has (`status` or `economy`).
    """

    id: str
    names: tuple[str, str]
    parameters: tuple[str, ...]
    kind: str = "status"

    def name(self, *, norwegian: bool) -> str:
        return self.names[norwegian]

    def description(self, *, norwegian: bool) -> str:
        if norwegian:
            return f"Oversikt: {self.names[1].lower()} for valgt kunde."
        return f"Overview: {self.names[0].lower()} for the chosen customer."


MASTER = ReportType("MASTER-SPECIFIED_INVOICE", ("Specified invoice", "Spesifisert faktura"), INVOICE)
PARCELS = (
    ReportType("PARCELS-SPECIFIED_INVOICE", ("Specified invoice, parcels", "Spesifisert faktura, pakker"), INVOICE),
    ReportType("PARCELS-PRE_NOTIFICATION_RECEIVED", ("Pre-notified", "Forhåndsmeldt"), RANGE),
    ReportType("PARCELS-DELIVERED", ("Delivered to recipient", "Utlevert til mottaker"), RANGE),
    ReportType("PARCELS-RETURNED", ("Returned to sender", "Returnert til avsender"), RANGE),
    ReportType("PARCELS-DELIVERY_QUALITY", ("Delivery quality", "Leveringskvalitet"), RANGE),
    ReportType(
        "PARCELS-ECONOMY_AND_STATISTICS",
        ("Detailed freight calculation", "Detaljert fraktberegning"),
        RANGE,
        "economy",
    ),
    ReportType("PARCELS-FREIGHT_STATISTICS_SUMMED", ("Freight statistics", "Fraktstatistikk"), YEAR, "economy"),
    ReportType("PARCELS-FREIGHT_STATISTICS_DETAILED", ("Freight, detailed", "Frakt, detaljert"), YEAR, "economy"),
    ReportType("PARCELS-ADDITIONAL-COSTS", ("Additional costs", "Tilleggskostnader"), INVOICE, "economy"),
    ReportType("PARCELS-ADDITIONAL-COSTS", ("Additional costs", "Tilleggskostnader"), RANGE, "economy"),
    # That live customers are offered these two is known, but not with which parameters: those of their neighbours.
    ReportType("PARCELS_EMISSIONS_PER_SHIPMENT", ("Emissions per shipment", "Utslipp per sending"), RANGE),
    ReportType(
        "COMPLETE_STATUS_INCLUDING_FREIGHT_COST",
        ("Complete status including freight cost", "Komplett status med fraktkostnad"),
        RANGE,
        "economy",
    ),
    ReportType("PARCELS_EMISSIONS_PER_MONTH", ("Emissions per month", "Utslipp per måned"), RANGE),
)
CARGO = (ReportType("CARGO_EMISSIONS_PER_SHIPMENT", ("Emissions per shipment", "Utslipp per sending"), RANGE),)


def report_types(customer: Customer) -> tuple[ReportType, ...]:
    """What a customer may order, in the order of the vendor's list."""
    return (MASTER, *(PARCELS if customer.sends_parcels else CARGO))
