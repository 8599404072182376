"""Which invoices a day's list had, in a few letters: enough to see that one of them is missing, not which one.

A day of at most FEW invoices is kept as one mark of three letters for each, in order. A busier one is kept as a fixed
row of letters, each of which counts the invoices of one of BUCKETS groups. Either way what comes new takes the place
of nothing: a list fits one before it if it has at least as many of each mark, or of each group.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
# Letters of one invoice's mark, of 6 bits each: another invoice has the same one once in 262,144 times.
WIDTH = 3
# Invoices of a day that have marks of their own: a day takes at most some 50 letters of a STATE.
FEW = 16
# Groups of a busier day: one that comes hides one that vanishes once in 64 times, where both are of one day.
BUCKETS = 64
# The highest number that one letter holds; a group with more counts as so many.
MOST = 63


def mark(invoice_id: str) -> int:
    """An invoice's mark, the same in every sync."""
    return int.from_bytes(hashlib.blake2b(invoice_id.encode(), digest_size=4).digest(), "big") % (1 << 6 * WIDTH)


def marks_text(marks: Sequence[int]) -> str:
    """The marks of one day's invoices as they stand in STATE; the same whatever their order."""
    if len(marks) <= FEW:
        return "".join(_LETTERS[one >> shift & 63] for one in sorted(marks) for shift in (12, 6, 0))
    groups = Counter(one % BUCKETS for one in marks)
    return "".join(_LETTERS[min(groups[group], MOST)] for group in range(BUCKETS))


def still_there(count: int, text: str, marks: Sequence[int]) -> int:
    """How many of a day's earlier invoices a later list of that day still has, as far as can be told.

    Args:
        count: how many there were.
        text: their marks; empty in a STATE of before there were any: then only the count tells.
        marks: those of the later list.
    """
    if not text:
        return min(count, len(marks))
    if count <= FEW:
        before, now = Counter(text[at : at + WIDTH] for at in range(0, len(text), WIDTH)), Counter(map(_one, marks))
        return (before & now).total()
    groups = Counter(one % BUCKETS for one in marks)
    missing = sum(max(_LETTERS.index(letter) - groups[group], 0) for group, letter in enumerate(text))
    return min(count - missing, len(marks))


def is_marks(count: int, text: object) -> bool:
    """Whether a text can be the marks of so many invoices."""
    length = WIDTH * count if count <= FEW else BUCKETS
    return isinstance(text, str) and len(text) == length and all(letter in _LETTERS for letter in text)


def _one(number: int) -> str:
    return marks_text([number])
