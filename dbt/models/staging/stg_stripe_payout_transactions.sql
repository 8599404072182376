{{ staged("stripe_payout_transactions", {
    "source": "text", "account_id": "text", "automatic_payout_id": "text", "automatic_payout_effective_at": "instant",
    "balance_transaction_id": "text", "currency": "currency", "gross": "amount", "fee": "amount", "net": "amount",
    "reporting_category": "text", "charge_id": "text", "invoice_id": "text",
}, report="payout_reconciliation.itemized") }}
