"""How a subject stands in the ledger."""

from __future__ import annotations

# What stands between a number and the account that is billed.
IN_KEYS = "@"


def subject_key(number: str, billed: str, account: str) -> str:
    """How a subject stands in the ledger: its number, and who is billed where that is not the account asked."""
    return number if billed == account else f"{number}{IN_KEYS}{billed}"


def split_key(key: str, account: str) -> tuple[str, str]:
    """A ledger subject's number and billed account."""
    number, _, billed = key.partition(IN_KEYS)
    return number, billed or account
