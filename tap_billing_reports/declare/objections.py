"""Ways to see that an answer is to another question, for vendors whose records repeat what was asked."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from tap_billing_reports.core.dates import parse_utc
from tap_billing_reports.declare.paths import value_at

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from tap_billing_reports.declare.endpoints import Asked, Objection, Record

# Whose midnight a vendor means is seldom said; a list of another period is farther off.
TOLERANCE: Final = timedelta(days=1)


def same(name: str, *, path: str = "", param: str = "") -> Callable[[Asked], Objection | None]:
    """Objects to records that have another value at `name` (keys joined by a dot) than was asked for.

    Asked was what a name of the endpoint's path stood for, or a parameter of the query. A record without the value
    says nothing.
    """

    def objection(asked: Asked) -> Objection | None:
        wanted = asked.path.get(path) if path else asked.params.get(param)
        if wanted is None:
            return None

        def said(records: Sequence[Record]) -> str | None:
            for record in records:
                found = value_at(record, name)
                if found is not None and str(found) != wanted:
                    return f"its {name} is {found}, and {wanted} was asked"
            return None

        return said

    return objection


def within(name: str, first: str, last: str) -> Callable[[Asked], Objection | None]:
    """Objects to records that are dated, at `name`, more than a day before or after what was asked for.

    `first` and `last` are parameters of the query: an instant or a day.
    """

    def objection(asked: Asked) -> Objection | None:
        begin, end = (_instant(asked.params.get(param)) for param in (first, last))
        if begin is None or end is None:
            return None

        def said(records: Sequence[Record]) -> str | None:
            for record in records:
                at = _instant(value_at(record, name))
                if at is not None and not begin - TOLERANCE <= at <= end + TOLERANCE:
                    return f"its {name} is {at.date()}, and {begin.date()} to {end.date()} was asked"
            return None

        return said

    return objection


def _instant(value: Any) -> datetime | None:
    """None for what is no instant and no day: it is refused where it is read."""
    text = str(value)
    try:
        return parse_utc(text if "T" in text else f"{text}T00:00:00Z")
    except ValueError:
        return None
