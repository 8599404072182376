"""Which columns hold personal data. A test asks for a decision about every column whose name hints at a person."""

from __future__ import annotations

from tap_billing_reports.core.columns import column_name

PERSON = "who or where a person is"
FREE = "free text, may hold anything"
LEADS = "identifier that leads to a person through the vendor or another table"
WHOLE = "the vendor's whole object"
PERIOD = f"where it is an invoice (Bring): {LEADS}"
QUOTED = "a message; it may quote a value that could not be read"

CORE: dict[str, dict[str, str]] = {
    "accounts": {"name": f"{PERSON}, where the customer is one", "source_record": WHOLE},
    "invoices": {
        "recipient": PERSON,
        "customer_id": LEADS,
        "order_id": LEADS,
        "invoice_id": LEADS,
        "invoice_number": LEADS,
        "parent_invoice_number": LEADS,
        "source_record": (
            f"{WHOLE}: with Stripe also the customer's e-mail address, postal and shipping address, "
            "phone and tax numbers, the descriptions of the lines, and metadata"
        ),
    },
    "invoice_documents": {
        "invoice_id": LEADS,
        "uri": f"{LEADS}; the PDF itself names the recipient",
        "error": QUOTED,
    },
    "report_rows": {"period": PERIOD},
    "report_runs": {
        "period": PERIOD,
        "parameters": "what was asked for, such as an account, a payout or with Bring an invoice number",
        "error": QUOTED,
    },
    "report_files": {
        "period": PERIOD,
        "uri": "leads to the whole file, with all columns that the vendor sent",
        "parquet_uri": "leads to its rows",
    },
    "reconciliations": {"subject": f"where it is an invoice: {LEADS}"},
}
"""Stream -> column -> why. The key columns of a stream cannot be deselected."""

REPORT_COLUMNS: dict[str, dict[str, tuple[str, ...]]] = {
    "stripe": {
        PERSON: (
            "customer_name", "customer_email", "customer_tax_id",
            *(
                f"{whose}_{part}"
                for whose in ("customer_address", "customer_shipping_address", "shipping_address", "card_address")
                for part in ("line1", "line2", "postal_code", "city", "state", "country")
            ),
            "destination_resolved_address_state", "destination_resolved_address_country",
        ),
        f"{PERSON}, where the business is one": ("connected_account_name", "business_name"),
        FREE: ("description", "customer_description", "payout_description"),
        LEADS: (
            "customer_id", "subscription_id", "invoice_id", "invoice_number", "order_id", "charge_id",
            "payment_intent_id", "source_id", "destination_payment_id", "connected_account_direct_charge_id",
        ),
    },
    "bring": {
        PERSON: ("RECEIVER_NAME", "SentToCity", "SentToPostalCode", "DELIVERY_POSTAL_CODE"),
        FREE: ("CUST_PO_NUMBER", "RECEIVER_REFERENCE", "SENDER_REFERENCE", "DESCRIPTION", "ITEM_DESCRIPTION"),
        LEADS: (
            "InvoiceNumber", "TRX_NUMBER", "ShipmentNumber", "PackageNumber", "WAYBILL_NUMBER", "ORDER_NUMBER",
        ),
    },
    "vipps": {LEADS: ("pspReference", "reference")},
    "klarna": {
        LEADS: (
            "order_id", "short_order_id", "merchant_reference1", "merchant_reference2", "merchant_capture_reference",
            "merchant_refund_reference", "capture_id", "refund_id", "reversal_reference",
        ),
        FREE: ("klarna_comment",),
    },
}  # fmt: skip
"""Source -> why -> headers in the vendor's files."""

HARMLESS: dict[str, dict[str, str]] = {
    "report_types": {
        "name": "the vendor's name for a type",
        "description": "the vendor's text for a type",
        "source_record": "the vendor's description of a type",
    },
    "report_runs": {"report_name": "a name from the settings"},
    "report_files": {"report_name": "a name from the settings"},
    "report_rows": {"report_name": "a name from the settings"},
    "stripe": {
        "feature_name": "Stripe's product",
        "fee_description": "Stripe's text",
        "tax_name": "the tax",
        "jurisdiction_name": "the tax authority",
        "origin_resolved_address_state": "where the seller is",
        "origin_resolved_address_country": "where the seller is",
        "customer_facing_amount": "an amount",
        "customer_facing_currency": "a currency",
        "statement_descriptor": "the account's own text",
    },
    "bring": {
        "pick_up_postal_code": "where the sender hands in",
        "sent_from_postal_code": "where the sender hands in",
        "account_number": "the customer number that pays",
    },
    "vipps": {"recipient_handle": "the sales unit"},
    "klarna": {"payment_reference": "a payout"},
}
"""Stream or source -> column whose name hints at a person and that holds none -> what it holds."""


def columns(source: str) -> dict[str, list[str]]:
    """Why -> names of the columns that a source's report streams have."""
    return {why: [column_name(header) for header in headers] for why, headers in REPORT_COLUMNS[source].items()}
