{{ staged("bring_invoice_lines", {
    "source": "text", "account_id": "text", "period": "text", "row_number": "whole", "row_of": "text",
    "invoice_number": "text", "trx_number": "text", "invoice_date": "date", "trx_date": "date",
    "shipment_number": "text", "waybill_number": "text", "consignment_note": "text", "handed_in_date": "date",
    "product": "text", "item_number": "text", "item_description": "text", "charge_text": "text", "description": "text",
    "agreement_price": "amount", "amount": "amount", "tax_amount": "amount", "currency_code": "currency",
    "invoice_currency_code": "currency", "weight_kg": "amount", "freight_calc_weight": "amount",
    "sent_to_postal_code": "text", "delivery_postal_code": "text",
}) }}
