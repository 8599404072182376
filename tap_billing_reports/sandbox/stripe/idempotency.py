"""The first answer to an Idempotency-Key, kept for a day and given again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from .errors import StripeError

_KEPT = timedelta(hours=24)
_MAX_LENGTH = 255


@dataclass(frozen=True)
class Stored:
    """An answer that is replayed."""

    fingerprint: str
    at: datetime
    status: int
    body: dict[str, Any]


class IdempotencyKeys:
    """What each key of each account was first answered with; only successes and 5xx are stored."""

    def __init__(self) -> None:
        self._stored: dict[tuple[str, str], Stored] = {}

    def replay(self, account: str, key: str, fingerprint: str, now: datetime) -> Stored | None:
        """The stored answer to the same request.

        Raises:
            StripeError: the key is too long, or was used with other parameters.
        """
        if len(key) > _MAX_LENGTH:
            message = f"The idempotency key may have at most {_MAX_LENGTH} characters."
            raise StripeError(400, message, kind="idempotency_error")
        stored = self._stored.get((account, key))
        if stored is None or now - stored.at >= _KEPT:
            return None
        if stored.fingerprint != fingerprint:
            message = (
                f"The idempotency key '{key}' was first used with other parameters; a different "
                "request needs another key."
            )
            raise StripeError(400, message, kind="idempotency_error")
        return stored

    def store(self, account: str, key: str, stored: Stored) -> None:
        self._stored[account, key] = stored
