"""An emulated Bring (Mybring): Invoice API and Reports API with their oddities."""

from .vendor import BringVendor

__all__ = ["BringVendor"]
