"""The emulated Vipps MobilePay and a tap that reads it."""

from __future__ import annotations

from tests.vendors.emulated import NOW, Emulated

__all__ = ["NOW", "Vipps"]


class Vipps(Emulated):
    """The emulated Vipps MobilePay and a tap that reads it."""

    start_date = "2026-11-12"
