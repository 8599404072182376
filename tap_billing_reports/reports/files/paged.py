"""Rows that are read page by page: one NDJSON file in the sync's folder, whole and each row once."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, Final, TypeVar

from tap_billing_reports.core.errors import ListMoved, Unreadable, not_spooled
from tap_billing_reports.core.json_text import to_json
from tap_billing_reports.declare.paths import value_at
from tap_billing_reports.http.bodies import Doubled
from tap_billing_reports.reports.not_yet import look
from tap_billing_reports.storage.disk_guard import Spool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tap_billing_reports.declare import PagedRows, Record
    from tap_billing_reports.http.responses import Answer
    from tap_billing_reports.reports.jobs import ReportJob

_T = TypeVar("_T")

# A list that changes each time it is read is left to the next sync.
READINGS: Final = 3


@dataclass(frozen=True)
class Spooled:
    """What stands in the file, and how many rows the vendor says there are (None: it does not say)."""

    size: int
    sha256: str
    total: int | None


def read_whole(read: Callable[[], _T]) -> _T:
    """What a reading of a list gives; one that changes meanwhile is read again, `READINGS` times at most.

    Raises:
        ListMoved: it has changed each time. Whatever else `read` raises.
    """
    for _ in range(READINGS - 1):
        with suppress(ListMoved):
            return read()
    return read()


def spool(job: ReportJob, rows: PagedRows, path: Path, between: Callable[[], None]) -> Spooled:
    """Read all pages into a file at a path.

    Args:
        job: whose rows they are.
        rows: how they are listed.
        path: replaced; after an error its content is worth nothing.
        between: called between pages.

    Raises:
        ListMoved: the list has changed each time while it was read.
        NotYet: the vendor does not have it yet, by the body of an answer.
        AccountError, RetryableError: as `HttpSourceClient.records`. SyncError: no room on the disk.
    """
    return read_whole(lambda: _Reading(job, rows, between).into(path))


class _Reading:
    """One reading of the list."""

    def __init__(self, job: ReportJob, rows: PagedRows, between: Callable[[], None]) -> None:
        self._job = job
        self._rows = rows
        self._between = between
        self._is_new_page = False
        self._totals: list[int] = []
        # Of each row its key and its content, as hashes: a list may have a million rows.
        self._seen: dict[bytes, bytes] = {}

    def into(self, path: Path) -> Spooled:
        digest, size, count = hashlib.sha256(), 0, 0
        try:
            with path.open("wb") as file:
                to: IO[bytes] = Spool(file)  # type: ignore[assignment] # as much of one as is used
                for number, record in enumerate(self._records(), 1):
                    line = self._line(record, number)
                    if line is not None:
                        digest.update(line)
                        size += to.write(line)
                        count += 1
        except OSError as error:
            raise not_spooled(f"{self._job.about}: rows cannot be written to the temporary folder", error) from None
        total = self._totals[-1] if self._totals else None
        if total is not None and total != count:
            raise ListMoved(f"{count} rows were read, and the vendor says that it has {total}", about=self._job.about)
        if not self._rows.key and len({*self._totals}) > 1:
            raise ListMoved("the list grew while it was read, and its rows have no key", about=self._job.about)
        return Spooled(size, digest.hexdigest(), total)

    def _records(self) -> Iterator[Record]:
        rows, job = self._rows, self._job
        asked = (job.account, job.report, job.period)
        found = job.client.source_client.records(
            rows.endpoint, path=rows.path(*asked), params=rows.query(*asked), account=job.account, heed=self._heed
        )
        for record in found:
            if self._is_new_page:
                self._is_new_page = False
                self._between()
            yield record

    def _heed(self, answer: Answer) -> None:
        """What an answer says beside its rows."""
        look(self._job.client.api, answer)
        self._is_new_page = True
        if where := self._rows.stated_at:
            total = value_at(answer.json(), where)
            digits = str(total)
            if isinstance(total, bool) or not (digits.isascii() and digits.isdigit()):
                raise Unreadable(f"does not say at {where} how many rows there are", about=answer.about)
            self._totals.append(int(digits))

    def _line(self, record: Record, number: int) -> bytes | None:
        """The row as it is written; None for one that has been."""
        if isinstance(record, Doubled) and record.holds_numbers:
            raise Unreadable(f"row {number} has a number twice, with different values", about=self._job.about)
        line = to_json(record).encode() + b"\n"
        if not self._rows.key:
            return line
        values = [value_at(record, name) for name in self._rows.key]
        if any(value is None or isinstance(value, list | dict) for value in values):
            names = ", ".join(self._rows.key)
            raise Unreadable(f"row {number} has no {names}, which tells it apart from others", about=self._job.about)
        key, content = _hash(to_json(values).encode()), _hash(line)
        before = self._seen.setdefault(key, content)
        if before is content:
            return line
        if before != content:
            raise ListMoved(f"row {number} came twice with different contents", about=self._job.about)
        return None


def _hash(data: bytes) -> Any:
    return hashlib.blake2b(data, digest_size=16).digest()
