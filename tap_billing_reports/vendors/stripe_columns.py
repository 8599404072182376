"""What the columns of Stripe's reports hold: by their header, and what differs in some types."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tap_billing_reports.declare.catalogue import catalogue

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tap_billing_reports import declare as d

EVERYWHERE: Mapping[str, str] = catalogue("stripe")["descriptions"]
# Part of a type's id -> header -> text; of several parts that a type's id has, the first that has the header counts.
OF_TYPES: Mapping[str, Mapping[str, str]] = catalogue("stripe")["descriptions_of"]
_KEY = re.compile(r"(?<=_metadata)\[.*\]$", re.DOTALL)


def describe(report: d.Report, header: str) -> str | None:
    """What the column holds; a metadata column as any other of its kind."""
    known = _KEY.sub("[key]", header)
    return next((texts[known] for texts in _texts(report.report_type) if known in texts), None)


def _texts(report_type: str) -> Iterator[Mapping[str, str]]:
    yield from (texts for part, texts in OF_TYPES.items() if part in report_type)
    yield EVERYWHERE
