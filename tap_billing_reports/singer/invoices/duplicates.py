"""The same invoice in more than one place of the vendor's lists: sent once, and said."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from tap_billing_reports.singer.check import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_billing_reports.singer.invoices.reader import Brief, InvoiceFeed

_Key = tuple[str, str, str]


@dataclass
class _Listed:
    """Where an invoice stood: the accounts asked, and the hash of what the first of them said of it.

    Its `place` is among those that stood in several lists.
    """

    place: int
    number: str
    accounts: list[str]
    contents: int
    differs: bool = False


@dataclass
class Duplicates:
    """What this sync's lists have shown, over all accounts: an agreement may answer to two numbers."""

    _seen: dict[_Key, tuple[str, int]] = field(default_factory=dict)
    _twice: dict[_Key, _Listed] = field(default_factory=dict)
    _differing: dict[tuple[str, str], dict[int, str]] = field(default_factory=dict)
    """By source and account asked: the place and the number of what differs from another account's."""

    def is_new(self, source: str, asked: str, brief: Brief) -> bool:
        """Note an invoice; False if another account has listed it in this sync."""
        key, contents = (source, brief.account_id, brief.invoice_id), hash(brief.contents)
        first, known = self._seen.setdefault(key, (asked, contents))
        if first == asked:
            return True
        listed = self._twice.setdefault(key, _Listed(len(self._twice), brief.invoice_id, [first], known))
        listed.accounts.append(asked)
        if contents != known or listed.differs:
            # It differs for those that listed it before, too, from the first difference on.
            concerned = [asked] if listed.differs else listed.accounts
            listed.differs = True
            for account in concerned:
                self._differing.setdefault((source, account), {})[listed.place] = listed.number
        return False

    def differing(self, source: str, asked: str) -> list[str]:
        """The numbers of invoices of which this account's list says something else than another's."""
        return [number for _place, number in sorted(self._differing.get((source, asked), {}).items())]

    def checks(self) -> Iterator[Check]:
        """One check an invoice that stood in more than one list: information, unless the lists disagree."""
        for (source, billed, number), listed in self._twice.items():
            where = ", ".join(listed.accounts)
            verdict = "with different dates or amounts; the first was sent" if listed.differs else "and sent once"
            yield Check(
                source,
                billed,
                subject=f"invoice {number}",
                check="duplicate_across_accounts",
                expected=Decimal(1),
                actual=Decimal(len(listed.accounts)),
                ok=False if listed.differs else None,
                reason=f"listed under {where} {verdict}",
            )


def unique_checks(feed: InvoiceFeed) -> Iterator[Check]:
    """Whether each record of an account's list had a number of its own; and each number that contradicts itself.

    A number that came again with the same dates and amounts is information: its status may have changed between
    two requests.
    """
    source = feed.source.name
    repeated = feed.listed - feed.distinct
    ok: bool | None = True
    reason = None
    if feed.clashes:
        ok, reason = False, "numbers with different dates or amounts"
    elif repeated:
        ok, reason = None, f"{repeated} came again, such as with another status; the latest was sent"
    yield Check(
        source,
        feed.account.account_id,
        subject="invoices",
        check="unique_ids",
        expected=Decimal(feed.listed),
        actual=Decimal(feed.distinct),
        ok=ok,
        reason=reason,
    )
    for brief in feed.apart.values():
        yield _twice(
            source, brief, ok=None, reason="issuers share this number; each invoice was sent with an id of its own"
        )
    for brief in feed.clashes:
        reason = "one list holds this number twice with different dates or amounts; the first was sent"
        yield _twice(source, brief, ok=False, reason=reason)


def _twice(source: str, brief: Brief, *, ok: bool | None, reason: str) -> Check:
    """One number that a list holds for two invoices."""
    return Check(
        source,
        brief.account_id,
        subject=f"invoice {brief.invoice_id}",
        check="unique_ids",
        expected=Decimal(1),
        actual=Decimal(2),
        ok=ok,
        reason=reason,
    )
