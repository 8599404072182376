"""Singer tap for the invoices and financial reports of Bring, BRP Systems, Klarna, Stripe and Vipps MobilePay."""

__version__ = "0.1.0"
