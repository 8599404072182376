{{ staged("klarna_transactions", {
    "source": "text", "account_id": "text", "payment_reference": "text", "row_number": "whole", "type": "text",
    "currency_code": "currency", "amount": "amount", "vat_amount": "amount", "capture_date": "instant",
}) }}
