"""Reconciliations: a record for each check that one would do by hand."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from tap_billing_reports.core.money import EXACT, decimal_text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal


# Each check in a sentence for a person; a test holds that none lacks one.
TITLES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "ambiguous_local_times": "Times that the clock showed twice or skipped can be read in one way only.",
        "balance_chain": "Every entry begins with the balance that the entry before left.",
        "balance_goes_on": "A period begins with the balance with which the one before ended.",
        "balance_rolls_forward": "The opening balance and what moved it make the ending balance.",
        "blank_lines": "The file has no lines without content.",
        "duplicate_across_accounts": "An invoice belongs to one account only.",
        "fees_retained": "The fees taken from the funds are those that stand on the fees' side.",
        "fields_kept": "The invoices of the list still have every field that they had.",
        "file_bytes": "The file has as many bytes as the vendor declares.",
        "freshness": "The vendor's data are no older, in hours, than they may be.",
        "itemized_vs_summary": "The rows of the itemised report add up to the summary's total.",
        "lines_net": "The lines add up to the invoice's net amount.",
        "lines_tax": "The lines' tax adds up to the invoice's tax.",
        "lines_total": "The lines with tax add up to the invoice's total.",
        "own_report": "An invoice that shares its number has a specification of its own.",
        "row_identity": "In every row the gross amount less the fee is the net amount.",
        "rows_declared": "The file has as many rows as it declares.",
        "stated_total": "The rows add up to the amount that the vendor states.",
        "still_listed": "The invoices that were listed before are listed still.",
        "unique_ids": "The list names every invoice once.",
        "unreachable_range": "All days since the start date can be read at the vendor.",
        "windows_contiguous": "The windows that were read follow each other without a gap.",
    }
)


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

    def __post_init__(self) -> None:
        if self.ok is None and not self.reason:
            raise ValueError(f"{self.check}: a check that is not made says why")

    @classmethod
    def compare(
        cls,
        expected: Decimal | None,
        actual: Decimal | None,
        *,
        unknown: str | None = None,
        unstated: str = "the expected value is not known",
        missing: str = "the actual value is missing",
        **facts: Any,
    ) -> Check:
        """A check that both amounts are equal.

        Args:
            expected: None if nobody says what it should be: then there is nothing to check.
            actual: None if it is missing, which fails a check whose expected side is known.
            unknown: why it cannot be checked at all, whatever the two are.
            unstated: why nobody says what it should be.
            missing: the reason of a check that fails because `actual` is missing.
            facts: the other attributes.
        """
        if unknown is not None or expected is None:
            reason = unknown or unstated
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
            "title": TITLES.get(self.check),
            "expected": None if self.expected is None else decimal_text(self.expected),
            "actual": None if self.actual is None else decimal_text(self.actual),
            "difference": difference,
            "currency": self.currency,
            "ok": self.ok,
            "reason": self.reason,
            "run_id": self.run_id,
            "checked_at": checked_at,
        }
