"""Identifiers in Stripe's form."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random

_ALPHABET = string.ascii_letters + string.digits


def make_id(rng: random.Random, prefix: str) -> str:
    return f"{prefix}_{''.join(rng.choices(_ALPHABET, k=24))}"


def twin_id(identifier: str, prefix: str) -> str:
    """The id of what belongs to exactly one other thing: its own prefix, the other's characters."""
    return f"{prefix}_{identifier.partition('_')[2]}"
