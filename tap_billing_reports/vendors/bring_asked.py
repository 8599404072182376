"""What Bring's answers give back of a question, held against it: dates, run ids, what a file says of itself.

Facts: Bring's pages of the Invoice and Reports APIs. A file's `MetaData` names the invoice, or the interval with both
its days, and the customer; a finished run's links hold its id. An agreement answers for invoices of other customer
numbers as well, so those are no sign of a wrong answer.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from tap_billing_reports.declare import converters as to

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tap_billing_reports import declare as d

# Bring says of which date of an invoice an interval is: presumably of its own. A list of another period is far off.
TOLERANCE = timedelta(days=7)
_LINKED_RUN = re.compile(r"/report/([0-9A-Za-z-]+)\.")
# Of the older forms nobody knows what a file calls them, nor what becomes of them when an agreement is converted.
_MAIN_NUMBER = re.compile(r"[0-9]{11}").fullmatch


def dated_within(asked: d.Asked) -> d.Objection:
    """Objects to a list with invoices of another period.

    Where all up to today was asked, a later date is the vendor's or a wrong clock's: no other period is listed with it.
    """
    first, last = (date.fromisoformat(to.day(asked.params[name], {})) for name in ("fromDate", "toDate"))
    to_today = asked.today is not None and last >= asked.today()

    def said(records: Sequence[d.Record]) -> str | None:
        for record in records:
            day = _day(record.get("invoiceDate"))
            if day is not None and (day < first - TOLERANCE or (day > last + TOLERANCE and not to_today)):
                return f"invoice {record.get('invoiceNumber')} is of {day}, and {first} to {last} was asked"
        return None

    return said


def linked_run(asked: d.Asked) -> d.Objection:
    """Objects to the links of another run."""
    wanted = asked.path["run_id"]

    def said(records: Sequence[d.Record]) -> str | None:
        for record in records:
            for name in ("xmlUrl", "xlsUrl"):
                found = _LINKED_RUN.search(str(record.get(name) or ""))
                if found is not None and found[1] != wanted:
                    return f"it is of report {found[1]}, and {wanted} was asked"
        return None

    return said


def file_objection(ordered: d.Ordered, metadata: Mapping[str, str]) -> str | None:
    """Objects to a file of another invoice, interval or customer than the run was ordered for."""
    wanted = ordered.parameters
    invoice, customer = metadata.get("InvoiceNumber"), metadata.get("CustomerId")
    if invoice and "invoiceNumber" in wanted and invoice != wanted["invoiceNumber"]:
        return f"it is of invoice {invoice}, and {wanted['invoiceNumber']} was ordered"
    for name, key in (("Interval/Start", "fromDate"), ("Interval/End", "toDate")):
        day, asked = _day(metadata.get(name, "")[:10]), _day(wanted.get(key))
        if day is not None and asked is not None and day != asked:
            return f"its {name} is {day}, and {asked} was ordered"
    numbers = [number for number in ordered.accounts if _MAIN_NUMBER(number)]
    if customer and _MAIN_NUMBER(customer) and len(numbers) == len(ordered.accounts) and customer not in numbers:
        return f"it is of customer {customer}, and {' or '.join(numbers)} was ordered"
    return None


def _day(text: Any) -> date | None:
    """The day of a text in either spelling, None for what is none."""
    try:
        return None if text is None else date.fromisoformat(to.day(text, {}))
    except (ValueError, TypeError, AttributeError):
        return None
