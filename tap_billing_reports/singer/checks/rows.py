"""Whether the rows of a report agree with each other: `row_identity`, `balance_rolls_forward`, `balance_chain`."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from tap_billing_reports.core.money import EXACT
from tap_billing_reports.reports.files.readers.tallies import (
    ChainTally,
    IdentityTally,
    PartTally,
    RollTally,
    StatedTally,
)
from tap_billing_reports.singer.check import Check

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from tap_billing_reports.declare import Period, Report, ReportApi
    from tap_billing_reports.reports.files.readers.tallies import Tally


def tallies_of(api: ReportApi, report: Report, period: Period) -> tuple[Tally, ...]:
    """What to find out about the rows of one of the report's files while it is read."""
    found: list[Tally] = []
    if (identity := api.row_identity(report)) is not None:
        found.append(IdentityTally(identity))
    if (roll := api.rolls_forward(report)) is not None:
        found.append(RollTally(roll))
    if (chain := api.chain(report)) is not None:
        found.append(ChainTally(chain))
    if (compared := api.compared(report)) is not None and compared.only is not None:
        found.append(PartTally(compared.column, compared.only))
    found += [StatedTally(stated) for stated in api.stated(report, period)]
    return tuple(found)


def row_checks(tallies: tuple[Tally, ...], subject: Mapping[str, Any], rows: int | None = None) -> Iterator[Check]:
    """The checks of a file that has been read to its end.

    Args:
        tallies: those that were told its rows.
        subject: what the run's checks have in common.
        rows: how many it has, where that is known: one without rows need not have any column.
    """
    for tally in tallies:
        if isinstance(tally, IdentityTally):
            yield _identity(tally, subject)
        elif isinstance(tally, RollTally):
            yield from _roll(tally, subject)
        elif isinstance(tally, ChainTally):
            yield _chain(tally, subject, rows)
        elif isinstance(tally, StatedTally):
            yield _stated(tally, subject, rows)


def _absent(missing: tuple[str, ...]) -> str | None:
    return f"the file does not have {', '.join(missing)}; ask for it in the report's columns" if missing else None


def _identity(tally: IdentityTally, subject: Mapping[str, Any]) -> Check:
    """How many rows are wrong; expected is none."""
    reason, ok = _absent(tally.missing), tally.wrong == 0
    whole, less, rest = tally.columns
    if reason is None and not tally.rows:
        reason = "the file has no rows"
    elif reason is None and tally.without == tally.rows:
        reason = f"no row has all of {whole}, {less} and {rest}"
    if reason is not None:
        return Check(check="row_identity", ok=None, reason=reason, **subject)
    said = [f"{whole} - {less} is not {rest}, first in row {tally.first_wrong}"] if tally.wrong else []
    said += [f"{tally.without} rows lack one of the amounts"] if tally.without else []
    actual, why = Decimal(tally.wrong), "; ".join(said) or None
    return Check(check="row_identity", expected=Decimal(0), actual=actual, ok=ok, reason=why, **subject)


def _chain(tally: ChainTally, subject: Mapping[str, Any], rows: int | None) -> Check:
    """How many rows are wrong; expected is none. A file without rows has none that is."""
    if tally.missing and rows != 0:
        return Check(check="balance_chain", ok=None, reason=_absent(tally.missing), **subject)
    said = (
        f"the balance does not go on in {tally.wrong} rows, first in row {tally.first_wrong}" if tally.wrong else None
    )
    ok, actual = tally.wrong == 0, Decimal(tally.wrong)
    return Check(check="balance_chain", expected=Decimal(0), actual=actual, ok=ok, reason=said, **subject)


def _stated(tally: StatedTally, subject: Mapping[str, Any], rows: int | None) -> Check:
    """What the vendor states, and what the rows add up to: nothing, where no row has the amount, or there is no row."""
    stated = tally.stated
    missing = tuple(name for name in tally.missing if name != stated.amount)
    return Check.compare(
        stated.expected,
        tally.total,
        unknown=_absent(missing) if rows != 0 else None,
        unstated="the vendor does not state it",
        check="stated_total",
        **{**subject, "subject": f"{subject['subject']} {stated.name}"},
    )


def _roll(tally: RollTally, subject: Mapping[str, Any]) -> Iterator[Check]:
    """One check a currency: what the ending balance should be, and what it is."""
    reason = _absent(tally.missing)
    if reason is None and not tally.balances:
        reason = "the file has no rows"
    if reason is not None:
        yield Check(check="balance_rolls_forward", ok=None, reason=reason, **subject)
        return
    for currency, balance in tally.balances.items():
        mine = {**subject, "subject": f"{subject['subject']} {currency}"}
        expected = None if balance.start is None else EXACT.add(balance.start, balance.moved)
        yield Check.compare(
            expected,
            balance.end,
            unstated="the report has no opening balance of this currency",
            missing="the report has no ending balance of this currency",
            check="balance_rolls_forward",
            currency=currency or None,
            **mine,
        )
