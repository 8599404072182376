{{ staged("invoices", {
    "source": "text", "account_id": "text", "requested_account_id": "text", "invoice_id": "text", "invoice_number": "text",
    "type": "text", "status": "text", "source_status": "text", "invoice_date": "date", "due_date": "date", "paid_date": "date",
    "currency": "currency", "net_amount": "amount", "tax_amount": "amount", "total_amount": "amount",
    "amount_due": "amount", "amount_remaining": "amount", "is_settled": "truth", "fee_amount": "amount",
    "customer_id": "text", "recipient": "text", "specification_available": "truth",
}) }}
