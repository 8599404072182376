"""What an account's invoice list has had before: so that what vanishes from it is said, and not taken for nothing.

Each reader of a list (invoices, documents, report lines) remembers it in its own bookmark: any may be read alone.
"""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tap_billing_reports.core.errors import StateError
from tap_billing_reports.declare import Need
from tap_billing_reports.declare.client import has_key
from tap_billing_reports.singer.check import Check

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, MutableMapping

    from tap_billing_reports.declare import Field, Record

# In the part of a bookmark that is a reader's other than `invoices`.
KEY = "list_memory"
HAD = "had"
DAYS = "days"
# Where all invoices are listed each time, those of so many days are counted: Bring's own look-back.
DAYS_COUNTED = 65
# Columns that, where each invoice had them, no single one may lose.
VITAL = frozenset({"net_amount", "tax_amount", "total_amount", "amount_due", "currency", "specification_available"})


class ListContents:
    """What one reading of a list holds: which optional fields, in how many records, and how many invoices a day."""

    def __init__(self, fields: tuple[Field, ...], deletable: frozenset[str]) -> None:
        self._optional = [(field.name, field.path) for field in fields if field.need is Need.OPTIONAL and field.path]
        self._deletable = deletable
        self.records = 0
        self.had: Counter[str] = Counter()
        self.days: Counter[str] = Counter()

    def note(self, columns: Mapping[str, Any], record: Record) -> None:
        """Count a record; each invoice once."""
        self.records += 1
        for name, path in self._optional:
            if has_key(record, path):
                self.had[name] += 1
        day = columns.get("invoice_date")
        if day is not None and columns.get("status") not in self._deletable:
            self.days[day] += 1


class ListMemory:
    """What earlier lists of one account had, in its bookmark: optional fields of every record, invoices by day.

    Args:
        bookmark: the account's own.
        lookback_days: how far back invoices are listed again; None: all are, each time.
    """

    def __init__(self, bookmark: MutableMapping[str, Any], lookback_days: int | None) -> None:
        self._bookmark = bookmark
        self._days = DAYS_COUNTED if lookback_days is None else lookback_days
        self._had = set(bookmark.get(HAD, ()))
        self._counts: dict[str, int] = dict(bookmark.get(DAYS, ()))

    def lost(self, contents: ListContents) -> set[str]:
        """The fields that all had before and this list has not."""
        lost = {name for name in self._had if contents.records and not contents.had[name]}
        return lost | {name for name in self._had & VITAL if contents.had[name] < contents.records}

    def checks(self, source: str, account: str, contents: ListContents, since: date, until: date) -> Iterator[Check]:
        """`fields_kept` and `still_listed`, one of each a list, once there is a list before it."""
        lost = self.lost(contents)
        facts = {"source": source, "account_id": account}
        if self._had and contents.records:
            kept = Decimal(len(self._had) - len(lost))
            yield Check(
                **facts,
                subject="invoices",
                check="fields_kept",
                expected=Decimal(len(self._had)),
                actual=kept,
                ok=not lost,
                reason=f"records without {', '.join(sorted(lost))}, which all had before" if lost else None,
            )
        asked = [day for day in sorted(self._counts) if since.isoformat() <= day <= until.isoformat()]
        if asked:
            fewer = [day for day in asked if contents.days[day] < self._counts[day]]
            yield Check(
                **facts,
                subject="invoices",
                check="still_listed",
                expected=Decimal(sum(self._counts[day] for day in asked)),
                actual=Decimal(sum(min(contents.days[day], self._counts[day]) for day in asked)),
                ok=not fewer,
                reason=f"fewer than before of {', '.join(fewer[:10])}" if fewer else None,
            )

    def move(self, contents: ListContents, since: date, until: date) -> None:
        """Take the list for what the next one is held against.

        What no record has any more stays remembered. An invoice that is not listed any more is told once.
        """
        everywhere = {name for name, count in contents.had.items() if count == contents.records}
        somewhere = {name for name in contents.had if name not in everywhere}
        had = (self._had - somewhere) | everywhere
        counts = {day: n for day, n in self._counts.items() if not since.isoformat() <= day <= until.isoformat()}
        counts.update(contents.days)
        if counts:
            first = (date.fromisoformat(max(counts)) - timedelta(days=self._days)).isoformat()
            counts = {day: n for day, n in counts.items() if day >= first}
        for name, value in ((HAD, sorted(had)), (DAYS, [[day, n] for day, n in sorted(counts.items())])):
            if value:
                self._bookmark[name] = value


def check_state(stream: str, bookmark: Mapping[str, Any]) -> None:
    """Refuse memories of lists that are damaged: those beside documents and report lines.

    Raises:
        StateError: one is.
    """
    try:
        for part in (*bookmark.get("documents", ()), *bookmark.get("ledger", ())):
            check_memory(part.get(KEY, {}))
    except (KeyError, TypeError, ValueError, AttributeError):
        raise StateError.of(stream, "holds a damaged memory of invoice lists") from None


def check_memory(bookmark: Mapping[str, Any]) -> None:
    """Raises TypeError or ValueError where a bookmark's memory is damaged."""
    if not all(isinstance(name, str) for name in bookmark.get(HAD, ())):
        raise TypeError
    for day, count in bookmark.get(DAYS, ()):
        date.fromisoformat(day)
        if isinstance(count, bool) or not isinstance(count, int):
            raise TypeError
