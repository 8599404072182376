{{ staged("vipps_fees", {
    "source": "text", "account_id": "text", "row_number": "whole", "ledger_date": "date", "entry_type": "text",
    "psp_reference": "text", "reference": "text", "currency": "currency", "amount": "amount", "balance_before": "amount",
    "balance_after": "amount",
}) }}
