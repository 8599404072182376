{{ staged("klarna_payouts", {
    "source": "text", "account_id": "text", "payment_reference": "text", "payout_date": "instant",
    "currency_code": "currency", "merchant_settlement_type": "text",
    "totals_sale_amount": "amount", "totals_return_amount": "amount", "totals_reversal_amount": "amount",
    "totals_fee_amount": "amount", "totals_tax_amount": "amount", "totals_fee_correction_amount": "amount",
    "totals_commission_amount": "amount", "totals_charge_amount": "amount", "totals_credit_amount": "amount",
    "totals_holdback_amount": "amount", "totals_release_amount": "amount", "totals_fee_refund_amount": "amount",
    "totals_tax_refund_amount": "amount", "totals_repay_amount": "amount", "totals_deposit_amount": "amount",
    "totals_settlement_amount": "amount",
}) }}
