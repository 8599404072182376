{{ staged("stripe_activity", {
    "source": "text", "account_id": "text", "period": "text", "period_start": "date", "period_end": "date", "period_zone": "text",
    "balance_transaction_id": "text", "created": "instant", "created_utc": "instant", "currency": "currency",
    "gross": "amount", "fee": "amount", "net": "amount", "reporting_category": "text", "source_id": "text",
    "description": "text", "automatic_payout_id": "text", "automatic_payout_effective_at": "instant",
    "charge_id": "text", "invoice_id": "text", "customer_id": "text", "payment_method_type": "text",
    "card_brand": "text", "card_country": "text", "withheld_tax": "amount", "fee_net_of_withheld_tax": "amount",
}, report="balance_change_from_activity.itemized") }}
