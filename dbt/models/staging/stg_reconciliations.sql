{{ staged("reconciliations", {
    "source": "text", "account_id": "text", "subject": "text", "check": "text", "title": "text", "expected": "amount",
    "actual": "amount", "difference": "amount", "currency": "currency", "ok": "truth", "reason": "text",
    "run_id": "text", "checked_at": "instant",
}) }}
