"""An emulated BRP Systems: the invoice part of its API2."""

from .vendor import BrpVendor

__all__ = ["BrpVendor"]
