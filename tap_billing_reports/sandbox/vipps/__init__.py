"""An emulated Vipps MobilePay: access tokens, ledgers, and the report of a ledger's day."""

from .vendor import VippsVendor

__all__ = ["VippsVendor"]
