"""A shop's own orders beside the demo's warehouse, for those who join freight to orders."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


def write_orders(path: Path, orders: Sequence[Mapping[str, str]]) -> None:
    """The orders as CSV with a header; none makes a file without rows or header."""
    with path.open("w", encoding="utf-8", newline="") as file:
        if orders:
            writer = csv.DictWriter(file, list(orders[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(orders)
