"""Singer tap for the invoices and financial reports of Bring, BRP Systems and Stripe."""

__version__ = "0.1.0"
