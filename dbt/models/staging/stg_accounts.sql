{{ staged("accounts", {
    "source": "text", "account_id": "text", "kind": "text", "name": "text", "invoices_from": "date",
}) }}
