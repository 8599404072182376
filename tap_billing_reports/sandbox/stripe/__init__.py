"""Stripe's Reporting API v1, files and invoices, emulated."""

from __future__ import annotations

from .api import StripeVendor

__all__ = ["StripeVendor"]
