{{ staged("bring_invoice_lines", {
    "source": "text", "account_id": "text", "period": "text", "row_number": "whole", "row_of": "text",
    "invoice_id": "text", "invoice_number": "text", "trx_number": "text", "line_date": "date",
    "shipment_id": "text", "consignment_note": "text", "handed_in_date": "date", "product_name": "text",
    "item_number": "text", "item_description": "text", "charge_text": "text", "description": "text",
    "net_amount": "amount", "tax_amount": "amount", "currency": "currency",
    "weight_kg": "amount", "freight_calc_weight": "amount",
    "sent_to_postal_code": "text", "delivery_postal_code": "text",
}) }}
