"""Several files of one run, read as one: the rows of each follow those of the file before."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tap_billing_reports.core.money import EXACT

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from tap_billing_reports.core.columns import Column
    from tap_billing_reports.reports.files.readers import Part, Reader, RowChunk
    from tap_billing_reports.reports.files.readers.tallies import Tally


class JoinedReader:
    """See `Reader` for the contract.

    Args:
        parts: a reader for each file, in their order; those after the first have tallies that are `Continued`.
    """

    def __init__(self, parts: Sequence[Reader]) -> None:
        self.parts = tuple(parts)

    @property
    def header(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(cell for part in self.parts for cell in part.header))

    @property
    def columns(self) -> tuple[Column, ...]:
        return tuple({column.name: column for part in self.parts for column in part.columns}.values())

    @property
    def rows(self) -> int:
        return sum(part.rows for part in self.parts)

    @property
    def sums(self) -> Mapping[str, Decimal]:
        sums: dict[str, Decimal] = {}
        for part in self.parts:
            for name, amount in part.sums.items():
                sums[name] = EXACT.add(sums.get(name, Decimal(0)), amount)
        return sums

    @property
    def ambiguous_times(self) -> int:
        return sum(part.ambiguous_times for part in self.parts)

    @property
    def nonexistent_times(self) -> int:
        return sum(part.nonexistent_times for part in self.parts)

    @property
    def blank_lines(self) -> int:
        return sum(part.blank_lines for part in self.parts)

    @property
    def declared_rows(self) -> int | None:
        declared = [part.declared_rows for part in self.parts]
        return None if None in declared else sum(count for count in declared if count is not None)

    @property
    def metadata(self) -> Mapping[str, str]:
        return self.parts[0].metadata

    def chunks(
        self, selected: Collection[str] | None = None, constants: Mapping[str, Any] | None = None
    ) -> Iterator[RowChunk]:
        before = 0
        for part in self.parts:
            for chunk in part.chunks(selected, constants):
                for row in chunk.rows if before else ():
                    row.row_number += before
                yield chunk
            before += part.rows

    def arrays(self, *, amounts_as_text: bool = False) -> Iterator[Part]:
        for part in self.parts:
            yield from part.arrays(amounts_as_text=amounts_as_text)


def parts_of(reader: Reader) -> tuple[Reader, ...]:
    """The readers of the files that are read as one."""
    return reader.parts if isinstance(reader, JoinedReader) else (reader,)


class Continued:
    """A tally that goes on with the rows of a further file: where that begins, it does not begin again."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self.missing: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        return self._tally.columns

    @property
    def needed(self) -> tuple[str, ...]:
        return self._tally.needed

    def start(self, missing: tuple[str, ...]) -> None:
        self.missing = missing
        if missing:
            # The rows of this file cannot be told, so nothing can be said of all.
            self._tally.missing = missing

    def take(self, cells: Sequence[Sequence[Any]]) -> None:
        self._tally.take(cells)

    def take_arrays(self, arrays: Sequence[Any]) -> None:
        self._tally.take_arrays(arrays)
