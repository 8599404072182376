"""The emulated Bring and a tap that reads it."""

from __future__ import annotations

from tests.vendors.emulated import NOW, Emulated

__all__ = ["NOW", "Bring"]


class Bring(Emulated):
    """The emulated Bring and a tap that reads it."""

    def orders(self) -> int:
        return self.control.counters()["orders"].get("bring", {"total": 0})["total"]
