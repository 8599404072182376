"""A report's rows as the CSV that Stripe delivers."""

from __future__ import annotations

import csv
import io
from datetime import datetime, timezone, tzinfo
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

from .money import Money

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from .cells import Cell, Row

_TIME = "%Y-%m-%d %H:%M:%S"


class CsvStyle:
    """How a run's cells are written.

    `_utc` columns are in UTC, other times in the run's zone, none with a zone. Amounts have all decimals of
    their currency. All cells are quoted, as in the public samples of such files. Options: `stripe_csv_plain`
    (quotes only where they are needed), `stripe_csv_crlf`, `stripe_csv_bom`, `stripe_extra_columns` ({name: text}
    that nobody knows), `stripe_missing_columns` (names that the file lacks, though it should have them).
    """

    def __init__(self, zone: tzinfo, separator: str, options: Mapping[str, Any]) -> None:
        self._zone = zone
        self._separator = separator
        self._newline = "\r\n" if options.get("stripe_csv_crlf") else "\n"
        self._bom = "\ufeff" if options.get("stripe_csv_bom") else ""
        self._quoting: Literal[0, 1] = csv.QUOTE_MINIMAL if options.get("stripe_csv_plain") else csv.QUOTE_ALL
        self._missing = frozenset(options.get("stripe_missing_columns") or ())
        self._extra: dict[str, str] = dict(options.get("stripe_extra_columns") or {})

    def header(self, columns: Sequence[str]) -> bytes:
        return self._bom.encode() + self._lines([[*self._kept(columns), *self._extra]])

    def body(self, columns: Sequence[str], rows: Iterable[Row]) -> bytes:
        """The lines after the header."""
        extra, kept = list(self._extra.values()), self._kept(columns)
        return self._lines([*(self._text(column, row.get(column)) for column in kept), *extra] for row in rows)

    def _kept(self, columns: Sequence[str]) -> list[str]:
        return [column for column in columns if column not in self._missing]

    def _lines(self, lines: Iterable[Sequence[str]]) -> bytes:
        text = io.StringIO()
        csv.writer(text, lineterminator=self._newline, quoting=self._quoting).writerows(lines)
        return text.getvalue().encode()

    def _text(self, column: str, cell: Cell) -> str:
        if cell is None:
            return ""
        if isinstance(cell, Money):
            return cell.text.replace(".", self._separator)
        if isinstance(cell, bool):
            return "true" if cell else "false"
        if isinstance(cell, datetime):
            zone = timezone.utc if column.endswith("_utc") else self._zone
            return cell.astimezone(zone).strftime(_TIME)
        if isinstance(cell, Decimal):
            return format(cell, "f").replace(".", self._separator)
        return str(cell)
