"""An emulated Klarna: payouts, their transactions and files."""

from .vendor import KlarnaVendor

__all__ = ["KlarnaVendor"]
