{{ staged("stripe_balance", {
    "source": "text", "account_id": "text", "period": "text", "period_start": "date", "period_end": "date",
    "category": "text", "net_amount": "amount", "currency": "currency",
}, report="balance.summary") }}
