"""What is found out about a file's rows while they are read, beside their sums."""

# ruff: noqa: PLC0415 - pyarrow is not in every installation, and takes time and 60 MB: whoever has arrays imports it

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal, Inexact
from typing import TYPE_CHECKING, Any, Final, Protocol

from tap_billing_reports.core.errors import FileError
from tap_billing_reports.core.money import EXACT
from tap_billing_reports.reports.files.readers.arrow import DECIMAL_PLACES, decimals

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tap_billing_reports.declare import BalanceChain, RollForward, RowIdentity, StatedTotal

# One digit is left for the difference of two amounts, whose sum of digits pyarrow counts before it subtracts.
_WIDER_THAN_A_CELL: Final = 60


@contextmanager
def added_up() -> Iterator[None]:
    """Within it the amounts of a file are added up; one with more digits than any sum of money is the file's fault."""
    try:
        yield
    except Inexact:
        raise FileError("its amounts cannot be added up exactly") from None


class Tally(Protocol):
    """Takes the rows of one file, in their order and some at a time.

    Attributes:
        columns: the row columns whose cells it wants.
        needed: those of them without which nothing can be said of any row.
        missing: those of them that the file does not have; then it is told no rows.
    """

    missing: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]: ...
    @property
    def needed(self) -> tuple[str, ...]: ...
    def start(self, missing: tuple[str, ...]) -> None:
        """Forget all rows: the file is read from its start."""
        ...

    def take(self, cells: Sequence[Sequence[Any]]) -> None:
        """Some rows, as the cells of each of `columns`: None, text, or Decimal."""
        ...

    def take_arrays(self, arrays: Sequence[Any]) -> None:
        """The same as Arrow arrays; those of amounts are decimals or text."""
        ...


class IdentityTally:
    """Counts the rows that do not keep a `RowIdentity`, and those that lack one of its amounts.

    Attributes:
        rows: all rows that were told.
        wrong: those that do not keep it.
        first_wrong: the number of the first of them, from 1; None: there is none.
        without: those that lack an amount, and cannot be judged.
    """

    def __init__(self, identity: RowIdentity) -> None:
        self.columns: tuple[str, ...] = (identity.whole, identity.less, identity.rest)
        self.needed = self.columns
        self.start(())

    def start(self, missing: tuple[str, ...]) -> None:
        self.missing = missing
        self.rows = self.wrong = self.without = 0
        self.first_wrong: int | None = None

    def take(self, cells: Sequence[Sequence[Any]]) -> None:
        for whole, less, rest in zip(*cells, strict=True):
            self.rows += 1
            if whole is None or less is None or rest is None:
                self.without += 1
            elif EXACT.subtract(Decimal(whole), Decimal(less)) != Decimal(rest):
                self._found(1, self.rows)

    def take_arrays(self, arrays: Sequence[Any]) -> None:
        import pyarrow as pa
        import pyarrow.compute as pc

        wide = pa.decimal256(_WIDER_THAN_A_CELL, DECIMAL_PLACES)
        whole, less, rest = (
            (decimals(array.to_pylist()) if pa.types.is_string(array.type) else array).cast(wide) for array in arrays
        )
        differ = pc.not_equal(pc.subtract(whole, less), rest)
        self.without += differ.null_count
        wrong = pc.sum(differ).as_py() or 0
        if wrong:
            self._found(wrong, self.rows + 1 + pc.index(differ, pa.scalar(True)).as_py())
        self.rows += len(differ)

    def _found(self, count: int, row: int) -> None:
        self.wrong += count
        self.first_wrong = self.first_wrong or row


@dataclass
class Balance:
    """One currency's balance: None is one that no row has told."""

    start: Decimal | None = None
    moved: Decimal = Decimal(0)
    end: Decimal | None = None


class RollTally:
    """Adds up a `RollForward` by currency.

    Attributes:
        balances: by currency, in the order of the file.
    """

    def __init__(self, roll: RollForward) -> None:
        self.columns: tuple[str, ...] = (roll.kind, roll.amount, roll.currency)
        self.needed = self.columns
        self._roll = roll
        self.start(())

    def start(self, missing: tuple[str, ...]) -> None:
        self.missing = missing
        self.balances: dict[str, Balance] = {}

    def take(self, cells: Sequence[Sequence[Any]]) -> None:
        for kind, cell, currency in zip(*cells, strict=True):
            balance, amount = self.balances.setdefault(currency or "", Balance()), Decimal(cell or 0)
            if kind == self._roll.start:
                balance.start = EXACT.add(balance.start or Decimal(0), amount)
            elif kind == self._roll.end:
                balance.end = EXACT.add(balance.end or Decimal(0), amount)
            else:
                balance.moved = EXACT.add(balance.moved, amount)

    def take_arrays(self, arrays: Sequence[Any]) -> None:
        # Such a report has some rows a currency: no reason for a second way of adding up.
        self.take([array.to_pylist() for array in arrays])


class ChainTally:
    """Follows a `BalanceChain` through a file.

    Attributes:
        rows: all rows that were told.
        wrong: those that do not go on with the row before, or do not add up, or lack one of the three amounts.
        first_wrong: the number of the first of them, from 1; None: there is none.
        opening: the balance before the first row; None where there is none.
        closing: the balance after the last row.
    """

    def __init__(self, chain: BalanceChain) -> None:
        self.columns: tuple[str, ...] = (chain.before, chain.amount, chain.after)
        self.needed = self.columns
        self.start(())

    def start(self, missing: tuple[str, ...]) -> None:
        self.missing = missing
        self.rows = self.wrong = 0
        self.first_wrong: int | None = None
        self.opening: Decimal | None = None
        self.closing: Decimal | None = None

    def take(self, cells: Sequence[Sequence[Any]]) -> None:
        for row in zip(*cells, strict=True):
            self.rows += 1
            before, amount, after = (None if cell is None else Decimal(cell) for cell in row)
            if before is None or amount is None or after is None:
                is_right = False
            else:
                goes_on = self.rows == 1 or self.closing == before
                is_right = goes_on and EXACT.add(before, amount) == after
            if not is_right:
                self.wrong += 1
                self.first_wrong = self.first_wrong or self.rows
            if self.rows == 1:
                self.opening = before
            self.closing = after

    def take_arrays(self, arrays: Sequence[Any]) -> None:
        self.take([array.to_pylist() for array in arrays])


class PartTally:
    """Adds up one column over the rows that have a value in another.

    Attributes:
        total: the sum so far.
    """

    def __init__(self, column: str, only: tuple[str, str]) -> None:
        self._kind, self._value = only
        self.columns: tuple[str, ...] = (self._kind, column)
        self.needed = self.columns
        self.start(())

    def start(self, missing: tuple[str, ...]) -> None:
        self.missing = missing
        self.total = Decimal(0)

    def take(self, cells: Sequence[Sequence[Any]]) -> None:
        for kind, amount in zip(*cells, strict=True):
            if kind == self._value and amount is not None:
                self.total = EXACT.add(self.total, Decimal(amount))

    def take_arrays(self, arrays: Sequence[Any]) -> None:
        self.take([array.to_pylist() for array in arrays])


class StatedTally:
    """Adds up the rows of one `StatedTotal`.

    Attributes:
        stated: that one.
        total: the sum so far, with what else belongs to it.
    """

    def __init__(self, stated: StatedTotal) -> None:
        self.stated = stated
        self.columns: tuple[str, ...] = (stated.kind, stated.amount) if stated.signs else ()
        # No row need have the amount: the total is then nothing.
        self.needed = self.columns[:1]
        self.start(())

    def start(self, missing: tuple[str, ...]) -> None:
        self.missing = missing
        self.total = self.stated.others or Decimal(0)

    def take(self, cells: Sequence[Sequence[Any]]) -> None:
        if not self.columns:
            return
        for kind, amount in zip(*cells, strict=True):
            sign = self.stated.signs.get(kind)
            if sign is not None and amount is not None:
                self.total = EXACT.add(self.total, EXACT.multiply(Decimal(amount), Decimal(sign)))

    def take_arrays(self, arrays: Sequence[Any]) -> None:
        self.take([array.to_pylist() for array in arrays])
