"""What the lines of a specified invoice say of money, in the vendor's two layouts: parcels and cargo."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_billing_reports import declare as d

if TYPE_CHECKING:
    from collections.abc import Mapping

# What is charged, in parcels' specifications and in those of cargo. A list price and a discount no line need have.
MONEY = {"AgreementPrice", "CurrencyCode", "AMOUNT", "TAX_AMOUNT", "TOTAL_INCL_TAX", "INVOICE_CURRENCY_CODE"}
CURRENCY_OF = {"AgreementPrice": "CurrencyCode", "AMOUNT": "INVOICE_CURRENCY_CODE"}
# What parcels' specifications and those of cargo call the same thing. A parcel's lines state no tax and so no total;
# those of cargo name the charge, and no product.
COMMON = {
    "line_date": ("InvoiceDate", "TRX_DATE"),
    "shipment_id": ("ShipmentNumber", "WAYBILL_NUMBER"),
    "product_name": ("Product",),
    "net_amount": ("AgreementPrice", "AMOUNT"),
    "total_amount": ("TOTAL_INCL_TAX",),
    "currency": ("CurrencyCode", "INVOICE_CURRENCY_CODE"),
}
# What an invoice without a specification says for itself.
STAND_IN = {
    "line_date": "invoice_date",
    "currency": "currency",
    **{name: name for name in ("net_amount", "tax_amount", "total_amount")},
}


def sums(report: d.Report) -> tuple[Mapping[str, str], ...]:
    """Cargo lines carry net, tax and total; parcel lines only the agreed price, which is net.

    That all three add up to the invoice's was measured on a live invoice of home delivery.
    """
    if not isinstance(report.cadence, d.PerInvoice):
        return ()
    net, tax, total = "lines_net", "lines_tax", "lines_total"
    return {"amount": net, "tax_amount": tax, "total_incl_tax": total}, {"agreement_price": net}
