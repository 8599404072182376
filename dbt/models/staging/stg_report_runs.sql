{{ staged("report_runs", {
    "source": "text", "account_id": "text", "run_id": "text", "report_type": "text", "report_name": "text",
    "period": "text", "status": "text", "origin": "text", "window_end": "instant",
    "created_at": "instant", "finished_at": "instant", "error": "text",
}) }}
