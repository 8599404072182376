"""Acme Pay, an invented vendor, as a source of tap-billing-reports."""
