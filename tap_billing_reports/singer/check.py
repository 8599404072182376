"""Reconciliations: a record for each check that one would do by hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tap_billing_reports.core.money import EXACT, decimal_text

if TYPE_CHECKING:
    from decimal import Decimal


@dataclass(frozen=True)
class Check:
    """One check of one subject. `ok` None: it cannot be checked, for `reason`."""

    source: str
    account_id: str
    subject: str
    check: str
    expected: Decimal | None = None
    actual: Decimal | None = None
    ok: bool | None = None
    reason: str | None = None
    currency: str | None = None
    run_id: str | None = None

    @classmethod
    def compare(
        cls,
        expected: Decimal | None,
        actual: Decimal | None,
        *,
        unknown: str | None = None,
        missing: str = "the actual value is missing",
        **facts: Any,
    ) -> Check:
        """A check that both amounts are equal.

        Args:
            expected: None if nobody says what it should be: then there is nothing to check.
            actual: None if it is missing, which fails a check whose expected side is known.
            unknown: why it cannot be checked at all, whatever the two are.
            missing: the reason of a check that fails because `actual` is missing.
            facts: the other attributes.
        """
        if unknown is not None or expected is None:
            reason = unknown or "the expected value is not known"
            return cls(expected=expected, actual=actual, ok=None, reason=reason, **facts)
        if actual is None:
            return cls(expected=expected, actual=None, ok=False, reason=missing, **facts)
        return cls(expected=expected, actual=actual, ok=expected == actual, **facts)

    def record(self, checked_at: str) -> dict[str, Any]:
        """The record of the stream `reconciliations`."""
        difference = None
        if self.expected is not None and self.actual is not None:
            difference = decimal_text(EXACT.subtract(self.actual, self.expected))
        return {
            "source": self.source,
            "account_id": self.account_id,
            "subject": self.subject,
            "check": self.check,
            "expected": None if self.expected is None else decimal_text(self.expected),
            "actual": None if self.actual is None else decimal_text(self.actual),
            "difference": difference,
            "currency": self.currency,
            "ok": self.ok,
            "reason": self.reason,
            "run_id": self.run_id,
            "checked_at": checked_at,
        }
