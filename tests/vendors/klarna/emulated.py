"""The emulated Klarna and a tap that reads it."""

from __future__ import annotations

from tests.vendors.emulated import NOW, Emulated

__all__ = ["NOW", "Klarna"]


class Klarna(Emulated):
    """The emulated Klarna and a tap that reads it."""
