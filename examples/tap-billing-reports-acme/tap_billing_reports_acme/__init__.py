"""Acme as a source of tap-billing-reports."""
