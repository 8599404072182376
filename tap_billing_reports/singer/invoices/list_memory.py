"""What an account's invoice list has had before: so that what vanishes from it is said, and not taken for nothing.

Each reader of a list (invoices, documents, report lines) remembers it in its own bookmark: any may be read alone.
"""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tap_billing_reports.core.errors import StateError
from tap_billing_reports.declare import Need
from tap_billing_reports.declare.client import has_key
from tap_billing_reports.singer.check import Check
from tap_billing_reports.singer.invoices.day_marks import is_marks, mark, marks_text, still_there

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, MutableMapping

    from tap_billing_reports.declare import Field, Record

# In the part of a bookmark that is a reader's other than `invoices`.
KEY = "list_memory"
HAD = "had"
DAYS = "days"
# Columns that, where each invoice had them, no single one may lose.
VITAL = frozenset({"net_amount", "tax_amount", "total_amount", "amount_due", "currency", "specification_available"})


class ListContents:
    """What one reading of a list holds: which optional fields, in how many records, and which invoices of each day."""

    def __init__(self, fields: tuple[Field, ...], deletable: frozenset[str]) -> None:
        self._optional = [(field.name, field.path) for field in fields if field.need is Need.OPTIONAL and field.path]
        self._deletable = deletable
        self.optional = frozenset(name for name, _ in self._optional)
        self.records = 0
        self.had: Counter[str] = Counter()
        # One number an invoice: a list may hold a million.
        self.days: defaultdict[str, array[int]] = defaultdict(lambda: array("L"))

    def note(self, columns: Mapping[str, Any], record: Record) -> None:
        """Count a record; each invoice once."""
        self.records += 1
        for name, path in self._optional:
            if has_key(record, path):
                self.had[name] += 1
        day = columns.get("invoice_date")
        if day is not None and columns.get("status") not in self._deletable:
            self.days[day].append(mark(columns["invoice_id"]))


class ListMemory:
    """What earlier lists of one account had, in its bookmark: optional fields of every record, invoices by day.

    Args:
        bookmark: the account's own.
        days: so many before the newest invoice's are remembered.
    """

    def __init__(self, bookmark: MutableMapping[str, Any], days: int) -> None:
        self._bookmark = bookmark
        self._days = days
        self._had = set(bookmark.get(HAD, ()))
        self._before: dict[str, tuple[int, str]] = {
            day: (count, marks[0] if marks else "") for day, count, *marks in bookmark.get(DAYS, ())
        }

    def _known(self, contents: ListContents) -> set[str]:
        """Of what earlier lists had, the fields that are declared today: no list can lose another."""
        return self._had & contents.optional

    def lost(self, contents: ListContents) -> set[str]:
        """The fields that all had before and this list has not."""
        had = self._known(contents)
        lost = {name for name in had if contents.records and not contents.had[name]}
        return lost | {name for name in had & VITAL if contents.had[name] < contents.records}

    def checks(self, source: str, account: str, contents: ListContents, since: date, until: date) -> Iterator[Check]:
        """`fields_kept` and `still_listed`, one of each a list, once there is a list before it."""
        had, lost = self._known(contents), self.lost(contents)
        facts = {"source": source, "account_id": account}
        if had and contents.records:
            kept = Decimal(len(had) - len(lost))
            yield Check(
                **facts,
                subject="invoices",
                check="fields_kept",
                expected=Decimal(len(had)),
                actual=kept,
                ok=not lost,
                reason=f"records without {', '.join(sorted(lost))}, which all had before" if lost else None,
            )
        asked = [day for day in sorted(self._before) if since.isoformat() <= day <= until.isoformat()]
        if asked:
            expected = {day: self._before[day][0] for day in asked}
            actual = {day: still_there(*self._before[day], contents.days.get(day, ())) for day in asked}
            fewer = [day for day in asked if actual[day] < expected[day]]
            yield Check(
                **facts,
                subject="invoices",
                check="still_listed",
                expected=Decimal(sum(expected.values())),
                actual=Decimal(sum(actual.values())),
                ok=not fewer,
                reason=f"not all that were listed before of {', '.join(fewer[:10])}" if fewer else None,
            )

    def move(self, contents: ListContents, since: date, until: date) -> None:
        """Take the list for what the next one is held against.

        What no record has any more stays remembered. An invoice that is not listed any more is told once.
        """
        everywhere = {name for name, count in contents.had.items() if count == contents.records}
        somewhere = {name for name in contents.had if name not in everywhere}
        had = (self._known(contents) - somewhere) | everywhere
        days = {day: facts for day, facts in self._before.items() if not since.isoformat() <= day <= until.isoformat()}
        days.update((day, (len(marks), marks_text(marks))) for day, marks in contents.days.items())
        if days:
            first = (date.fromisoformat(max(days)) - timedelta(days=self._days)).isoformat()
            days = {day: facts for day, facts in days.items() if day >= first}
        # Without marks as an older version has written them: those days were not listed again.
        listed = [[day, *(fact for fact in facts if fact != "")] for day, facts in sorted(days.items())]
        for name, value in ((HAD, sorted(had)), (DAYS, listed)):
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
        raise StateError.of(stream, "holds damaged data of invoice lists") from None


def check_memory(bookmark: Mapping[str, Any]) -> None:
    """Raises TypeError or ValueError where a bookmark's memory is damaged."""
    had = bookmark.get(HAD, [])
    if not isinstance(had, list) or not all(isinstance(name, str) for name in had):
        raise TypeError
    for day, count, *marks in bookmark.get(DAYS, ()):
        date.fromisoformat(day)
        if isinstance(count, bool) or not isinstance(count, int):
            raise TypeError
        if marks and not (len(marks) == 1 and is_marks(count, marks[0])):
            raise ValueError
