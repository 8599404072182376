"""The files of report runs: CSV, made from the ledgers when first asked for.

Option `stripe_rows_multiplier` repeats a file's rows that many times, to make a big file in little memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone, tzinfo
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from .accounts import CONNECTED, PLATFORM
from .catalogue import report_types
from .csvfile import CsvStyle
from .tables import Question, rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .cells import Row
    from .runs import Run
    from .world.balance import Ledger

_PIECE = 1 << 17
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


@dataclass(frozen=True)
class ReportFile:
    """The bytes of a file: a header, and a body that is repeated."""

    header: bytes
    body: bytes
    times: int

    @property
    def size(self) -> int:
        return len(self.header) + len(self.body) * self.times

    def pieces(self) -> Iterator[bytes]:
        """The file in pieces of moderate size."""
        yield self.header
        if not self.body:
            return
        together = max(1, _PIECE // len(self.body))
        whole, rest = divmod(self.times, together)
        for _ in range(whole):
            yield self.body * together
        yield self.body * rest


class Files:
    """Makes and keeps the files of runs."""

    def __init__(self, ledgers: Mapping[str, Ledger]) -> None:
        self._ledgers = ledgers
        self._made: dict[str, ReportFile] = {}

    def of(self, run: Run) -> ReportFile:
        """The file of a run that has succeeded."""
        made = self._made.get(run.id)
        if made is None:
            kind = report_types()[run.report_type]
            given = run.parameters
            style = CsvStyle(zone_of(given), given.get("decimal_separator", "."), run.options)
            columns = given.get("columns") or list(kind.default_columns)
            found = self.rows(run.account, run.report_type, given)
            kept = found[: max(0, len(found) - run.drop_rows)]
            times = int(run.options.get("stripe_rows_multiplier", 1))
            made = ReportFile(style.header(columns), style.body(columns, kept), times)
            self._made[run.id] = made
        return made

    def rows(self, account: str, report_type: str, given: Mapping[str, Any]) -> list[Row]:
        """The rows that a run with these parameters would have."""
        kind = report_types()[report_type]
        question = Question(
            ledgers=self._read_by(account, given, connected=kind.over_connected or kind.family.startswith("connect.")),
            start=_moment(given.get("interval_start")),
            end=_moment(given.get("interval_end")),
            currency=given.get("currency"),
            category=given.get("reporting_category"),
            payout=given.get("payout"),
            zone=zone_of(given),
        )
        return list(rows(kind.family, question))

    def _read_by(self, account: str, given: Mapping[str, Any], *, connected: bool) -> tuple[Ledger, ...]:
        if not connected or account != PLATFORM.id:
            return (self._ledgers[account],)
        named = given.get("connected_accounts") or [given.get("connected_account")]
        names = [name for name in named if name] or [other.id for other in CONNECTED]
        return tuple(self._ledgers[name] for name in names)


def zone_of(given: Mapping[str, Any]) -> tzinfo:
    """The zone in which a run with these parameters writes its times."""
    name = given.get("timezone", "UTC")
    return timezone.utc if name in {"UTC", "Etc/UTC"} else ZoneInfo(name)


def _moment(timestamp: int | None) -> datetime:
    return _EPOCH if timestamp is None else datetime.fromtimestamp(timestamp, timezone.utc)
