{{ staged("stripe_payouts", {
    "source": "text", "account_id": "text", "period": "text", "period_start": "date", "period_end": "date", "period_zone": "text",
    "payout_id": "text", "effective_at": "instant", "effective_at_utc": "instant", "currency": "currency",
    "gross": "amount", "fee": "amount", "net": "amount", "reporting_category": "text",
    "balance_transaction_id": "text", "payout_expected_arrival_date": "date", "payout_status": "text",
    "payout_reversed_at": "instant", "payout_type": "text", "payout_description": "text",
}, report="payouts.itemized") }}
