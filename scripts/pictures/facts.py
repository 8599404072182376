"""What the page shows, read from the warehouse by SQL: counts and exact sums, each in one currency.

Money is added up by DuckDB as DECIMAL(38, 12) and comes back as text; a sum that does not fit is an error there,
never a rounded number. Different currencies are never added. Times are UTC. A stream that was not loaded has no rows.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Final, Protocol

from scripts.demo.warehouse import DELETED_AT, FRACTION_DIGITS, identifier, sum_sql
from scripts.pictures.words import UNDATED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SCHEMA: Final = "billing"

# A single amount from here on is not drawn: beside it every other bar would have no height, and the chart's own
# numbers (doubles) could not tell its cents. It is in the tables, and the chart says that it is left out.
DRAWN_BELOW: Final = 10**12

# The first of these that is loaded is drawn; two of them would show the same transactions twice.
ACTIVITY_FIRST: Final = "stripe_activity_to_date"
ACTIVITY_PREFIX: Final = "stripe_balance_change_from_activity_itemized"

NO_CURRENCY: Final = "no currency"
NO_PRODUCT: Final = "no product named"
FAILED_SHOWN: Final = 50


class Warehouse(Protocol):
    """What is asked of a warehouse; cells are text, a NULL is None."""

    def query(self, sql: str) -> list[list[str | None]]: ...

    def columns(self) -> Mapping[str, Sequence[str]]: ...


@dataclass(frozen=True)
class Money:
    """An exact sum, the part of it that is drawn, and how many amounts are not."""

    total: Decimal
    drawn: Decimal
    undrawn: int


@dataclass(frozen=True)
class InvoiceSum:
    month: str
    """YYYY-MM, or `no date`."""
    source: str
    status: str
    currency: str | None
    """None where there is no amount, as for a deleted invoice."""
    invoices: int
    money: Money


@dataclass(frozen=True)
class ProductSum:
    currency: str
    product: str
    lines: int
    money: Money


@dataclass(frozen=True)
class BalanceSum:
    week: date
    """Its Monday."""
    currency: str
    category: str
    transactions: int
    net: Money


@dataclass(frozen=True)
class CheckCount:
    check: str
    source: str
    ok: bool | None
    """None: it could not be checked."""
    times: int
    reason: str | None


@dataclass(frozen=True)
class FailedCheck:
    check: str
    source: str
    account: str
    subject: str
    expected: str | None
    actual: str | None
    difference: str | None
    currency: str | None
    reason: str | None


@dataclass(frozen=True)
class Run:
    source: str
    account: str
    report: str
    period: str
    covers: tuple[datetime, datetime] | None
    """What it reports on: a window, or for an invoice the invoice's day; None where neither is known."""
    status: str
    origin: str
    created: datetime | None
    finished: datetime | None


@dataclass(frozen=True)
class Facts:
    invoices: list[InvoiceSum]
    products: list[ProductSum]
    balance: list[BalanceSum]
    activity: str | None
    """The stream that `balance` is read from."""
    checks: list[CheckCount]
    failed: list[FailedCheck]
    """The newest, `FAILED_SHOWN` at most."""
    runs: list[Run]
    """In the order in which they were ordered."""
    loaded: datetime | None
    """When the newest row was read from its vendor."""


class Reader:
    """Asks one warehouse; columns that a stream lacks read as NULL."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._ask = warehouse.query
        self._columns = warehouse.columns()

    def read(self) -> Facts:
        activity = self._activity()
        return Facts(
            invoices=self._invoices(),
            products=self._products(),
            balance=self._balance(activity) if activity else [],
            activity=activity,
            checks=self._checks(),
            failed=self._failed(),
            runs=self._runs(),
            loaded=self._loaded(),
        )

    def _invoices(self) -> list[InvoiceSum]:
        there = f"{self._column('invoices', DELETED_AT)} IS NULL"
        inner = (
            f"SELECT COALESCE(SUBSTR(CAST(invoice_date AS VARCHAR), 1, 7), '{UNDATED}') AS month, source, "
            f"CASE WHEN {there} THEN COALESCE(status, 'unknown') ELSE 'deleted' END AS status, "
            f"CASE WHEN {there} AND total_amount IS NOT NULL THEN {_currency('currency')} END AS currency, "
            f"CASE WHEN {there} THEN total_amount END AS amount FROM {_table('invoices')}"
        )
        rows = self._grouped("invoices", inner, "month, source, status, currency")
        return [
            InvoiceSum(str(month), str(source), str(status), currency, number, money)
            for (month, source, status, currency), number, money in rows
        ]

    def _products(self) -> list[ProductSum]:
        """Cost lines of Bring; its formats name the product, the net amount and the currency differently."""
        stream = "bring_invoice_lines"
        inner = (
            f"SELECT {_currency(self._first(stream, 'currency_code', 'invoice_currency_code'))} AS currency, "
            f"COALESCE({self._first(stream, 'product', 'item_description', 'charge_text')}, '{NO_PRODUCT}') "
            f"AS product, {self._first(stream, 'amount', 'agreement_price')} AS amount "
            f"FROM {_table(stream)}{self._living(stream)}"
        )
        rows = self._grouped(stream, inner, "currency, product")
        return [ProductSum(str(currency), str(product), number, money) for (currency, product), number, money in rows]

    def _activity(self) -> str | None:
        streams = sorted(name for name in self._columns if name.startswith(ACTIVITY_PREFIX))
        return ACTIVITY_FIRST if ACTIVITY_FIRST in self._columns else next(iter(streams), None)

    def _balance(self, stream: str) -> list[BalanceSum]:
        inner = (
            "SELECT CAST(DATE_TRUNC('week', CAST(created_utc AS TIMESTAMP)) AS DATE) AS week, "
            f"{_currency('currency')} AS currency, COALESCE(reporting_category, 'other') AS category, net AS amount "
            f"FROM {_table(stream)} WHERE created_utc IS NOT NULL{self._living(stream, 'AND')}"
        )
        rows = self._grouped(stream, inner, "week, currency, category")
        return [
            BalanceSum(date.fromisoformat(str(week)), str(currency), str(category), number, money)
            for (week, currency, category), number, money in rows
        ]

    def _checks(self) -> list[CheckCount]:
        rows = self._all(
            "reconciliations",
            'SELECT "check", source, ok, COUNT(*), MIN(CASE WHEN ok THEN NULL ELSE reason END) '
            "FROM {table}{living} GROUP BY ALL ORDER BY ALL",
        )
        return [
            CheckCount(str(check), str(source), None if ok is None else ok == "True", int(str(times)), reason)
            for check, source, ok, times, reason in rows
        ]

    def _failed(self) -> list[FailedCheck]:
        rows = self._all(
            "reconciliations",
            'SELECT "check", source, account_id, subject, expected, actual, difference, currency, reason '
            f"FROM {{table}} WHERE ok = FALSE{{and_living}} ORDER BY checked_at DESC, 3, 4, 1 LIMIT {FAILED_SHOWN}",
        )
        return [
            FailedCheck(str(check), str(source), str(account), str(subject), *rest)
            for check, source, account, subject, *rest in rows
        ]

    def _runs(self) -> list[Run]:
        day = "NULL"
        if "invoices" in self._columns:
            day = (
                f"(SELECT MIN(i.invoice_date) FROM {_table('invoices')} i WHERE i.source = r.source "
                "AND i.account_id = r.account_id AND r.period IN (i.invoice_number, i.invoice_id))"
            )
        rows = self._all(
            "report_runs",
            "SELECT source, account_id, COALESCE(report_name, report_type, 'unknown'), period, parameters, "
            f"{_seconds('window_end')}, CAST({day} AS VARCHAR), COALESCE(status, 'unknown'), "
            f"COALESCE(origin, 'unknown'), {_seconds('created_at')}, {_seconds('finished_at')} "
            "FROM {table} r{living} ORDER BY created_at, 3, 2, period, run_id",
        )
        return [
            Run(
                source=str(source),
                account=str(account),
                report=str(report),
                period=period or "",
                covers=_covers(period, parameters, _moment(end), _moment(invoice_day)),
                status=str(status),
                origin=str(origin),
                created=_moment(created),
                finished=_moment(finished),
            )
            for source, account, report, period, parameters, end, invoice_day, status, origin, created, finished in rows
        ]

    def _loaded(self) -> datetime | None:
        # Targets of the SDK tell when a row was extracted; our own loader adds nothing, and the checks tell.
        newest = [
            f"SELECT {_seconds(f'MAX({instant})')} AS loaded_at FROM {_table(stream)}"
            for stream, columns in self._columns.items()
            for instant in ("_sdc_extracted_at", "checked_at")
            if instant in columns
        ]
        rows = self._ask(f"SELECT MAX(loaded_at) FROM ({' UNION ALL '.join(newest)})") if newest else []
        return _moment(rows[0][0]) if rows else None

    def _grouped(self, stream: str, inner: str, keys: str) -> list[tuple[list[str | None], int, Money]]:
        """Keys, number of rows and sum of `amount` of each group of the inner query, in the order of the keys."""
        if stream not in self._columns:
            return []
        amount = f"CAST(amount AS DECIMAL(38, {FRACTION_DIGITS}))"
        small = f"ABS({amount}) < {DRAWN_BELOW}"
        rows = self._ask(
            f"SELECT {keys}, COUNT(*), {sum_sql('amount')}, COALESCE(SUM({amount}) FILTER ({small}), 0), "
            f"COUNT(*) FILTER (NOT {small}) FROM ({inner}) GROUP BY ALL ORDER BY ALL"
        )
        return [
            (list(row[:-4]), int(str(row[-4])), Money(_decimal(row[-3]), _decimal(row[-2]), int(str(row[-1]))))
            for row in rows
        ]

    def _all(self, stream: str, sql: str) -> list[list[str | None]]:
        if stream not in self._columns:
            return []
        places = {"living": self._living(stream), "and_living": self._living(stream, "AND")}
        return self._ask(sql.format(table=_table(stream), **places))

    def _living(self, stream: str, word: str = "WHERE") -> str:
        return f" {word} {DELETED_AT} IS NULL" if DELETED_AT in self._columns.get(stream, ()) else ""

    def _column(self, stream: str, name: str) -> str:
        return identifier(name) if name in self._columns.get(stream, ()) else "NULL"

    def _first(self, stream: str, *names: str) -> str:
        """The first of these columns that is not null."""
        return f"CAST(COALESCE({', '.join(self._column(stream, name) for name in names)}) AS VARCHAR)"


def _table(stream: str) -> str:
    return f"{identifier(SCHEMA)}.{identifier(stream)}"


def _seconds(instant: str) -> str:
    """An instant as text, to the second: Python 3.10 reads no fraction of any length."""
    return f"CAST(DATE_TRUNC('second', CAST({instant} AS TIMESTAMP)) AS VARCHAR)"


def _currency(column: str) -> str:
    return f"COALESCE(UPPER({column}), '{NO_CURRENCY}')"


def _decimal(text: str | None) -> Decimal:
    """Without the zeros that the column's type added: digits beyond those of a default context would be rounded."""
    plain = str(text)
    return Decimal(plain.rstrip("0").rstrip(".") if "." in plain else plain)


def _moment(text: str | None) -> datetime | None:
    """An instant in UTC; one without a zone is UTC already. None for none, and for text that is no instant."""
    try:
        found = datetime.fromisoformat((text or "").replace("Z", "+00:00"))
    except ValueError:
        return None
    return found.replace(tzinfo=timezone.utc) if found.tzinfo is None else found.astimezone(timezone.utc)


def _covers(
    period: str | None, parameters: str | None, end: datetime | None, invoice_day: datetime | None
) -> tuple[datetime, datetime] | None:
    """What a run reports on; a period that is no instant (`all`) begins where the order's parameters say."""
    if invoice_day:
        return invoice_day, invoice_day
    begin = _moment(period)
    if begin is None:
        ordered = json.loads(parameters) if parameters else {}
        seconds = ordered.get("interval_start") if isinstance(ordered, dict) else None
        begin = datetime.fromtimestamp(int(str(seconds)), timezone.utc) if str(seconds).isdecimal() else None
    return (begin, end) if begin and end else None
