{{ staged("stripe_unsettled", {
    "source": "text", "account_id": "text", "period": "text", "period_start": "date", "period_end": "date",
    "balance_transaction_id": "text", "currency": "currency", "gross": "amount", "fee": "amount", "net": "amount",
    "reporting_category": "text",
}, report="ending_balance_reconciliation.itemized") }}
