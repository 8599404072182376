"""Rows of cells as lines of text, each column as wide as its widest cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def aligned(rows: Sequence[Sequence[str]], to_the_right: Sequence[bool]) -> Iterator[str]:
    """The lines; at least one row, which may be the header.

    Args:
        rows: all as wide as each other.
        to_the_right: of each column, whether its cells stand at its right edge.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        padded = [
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(row, widths, to_the_right, strict=True)
        ]
        yield "  ".join(padded).rstrip()
