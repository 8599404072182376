"""How a subject stands in the ledger."""

from __future__ import annotations


def subject_key(number: str, billed: str, account: str) -> str:
    """How a subject stands in the ledger: its number, and who is billed where that is not the account asked."""
    return number if billed == account else f"{number}@{billed}"


def split_key(key: str, account: str) -> tuple[str, str]:
    """A ledger subject's number and billed account."""
    number, _, billed = key.partition("@")
    return number, billed or account
