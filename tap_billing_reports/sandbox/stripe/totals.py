"""What a warehouse holds after a full sync, from the books and before anything is serialised."""

from __future__ import annotations

from datetime import date, datetime, time, timezone
from decimal import Context, Decimal, localcontext
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from .accounts import ACCOUNTS, Account
from .catalogue import ReportType, available, decimal_columns, report_types, visible
from .money import Money
from .windows import periods

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tap_billing_reports.sandbox.world import World

    from .cells import Row
    from .files import Files
    from .runs import Runs
    from .world.invoice import Invoice
    from .world.invoices import InvoiceBook

Total = dict[str, Any]
_EXACT = Context(prec=60)
_ASKED = ("interval_start", "interval_end", "payout", "currency", "reporting_category", "connected_account")


def totals(
    settings: Mapping[str, Any], world: World, files: Files, books: Mapping[str, InvoiceBook], runs: Runs
) -> dict[str, Total]:
    """Stream -> {"rows": n, "sums": {column: exact decimal}} for the accounts and reports of the settings.

    A report counts in every account that sees its type.
    """
    platform = [settings.get("stripe_account_id")] if settings.get("stripe_read_platform", True) else []
    named = [*platform, *(settings.get("stripe_connected_accounts") or ())]
    accounts = [ACCOUNTS[name] for name in named if name in ACCOUNTS]
    with localcontext(_EXACT):
        found = {
            "accounts": {"rows": len(accounts), "sums": {}},
            "invoices": _invoices(settings, (books[account.id] for account in accounts)),
            "report_types": {"rows": sum(len(visible(account)) for account in accounts), "sums": {}},
        }
        orders: set[str] = set()
        for entry in settings.get("stripe_reports") or ():
            stream, total = _report(entry, settings, accounts, world, files, orders)
            found[stream] = total
    counted = {account.id for account in accounts}
    made = [run for run in runs.everything() if run.account in counted]
    for run in made:
        # A run that failed is one of its own: its window was ordered again.
        again = "" if run.final == "succeeded" else run.id
        orders.add(_order(run.account, run.report_type, run.parameters) + again)
    failed = sum(run.final != "succeeded" for run in made)
    found["report_runs"] = {"rows": len(orders), "sums": {}}
    found["report_files"] = {"rows": len(orders) - failed, "sums": {}}
    return found


def _invoices(settings: Mapping[str, Any], books: Iterable[InvoiceBook]) -> Total:
    begin = _timestamp(settings["start_date"])
    end = _timestamp(settings["end_date"]) if settings.get("end_date") else None
    found: list[Invoice] = [
        invoice
        for book in books
        for invoice in book.newest_first()
        if begin <= invoice.created and (end is None or invoice.created < end)
    ]
    columns = {
        "net_amount": [invoice.money(invoice.net) for invoice in found],
        "tax_amount": [invoice.money(invoice.tax) for invoice in found],
        "total_amount": [invoice.money(invoice.total) for invoice in found],
        "amount_due": [invoice.money(invoice.still_due) for invoice in found],
    }
    sums = {name: _text(sum((money.major for money in column), Decimal())) for name, column in columns.items()}
    return {"rows": len(found), "sums": sums}


def _report(
    entry: Mapping[str, Any],
    settings: Mapping[str, Any],
    accounts: Iterable[Account],
    world: World,
    files: Files,
    orders: set[str],
) -> tuple[str, Total]:
    """The stream of one configured report, and its rows; adds its orders to `orders`."""
    kind = report_types()[entry["report_type"]]
    name = entry.get("name") or kind.id.replace(".", "_").replace("connected_account", "ca")
    columns = entry.get("columns") or kind.default_columns
    if "*" in columns:
        # The tap's word for all that it knows.
        columns = kind.columns
    summed = [column for column in columns if column in decimal_columns()]
    sums = dict.fromkeys(summed, Decimal())
    count = 0
    for account in accounts:
        if kind.id not in visible(account):
            continue
        for asked in _questions(entry, settings, kind, world):
            orders.add(_order(account.id, kind.id, asked))
            for row in files.rows(account.id, kind.id, asked):
                count += 1
                for column in summed:
                    sums[column] += _number(row, column)
    times = int(world.options.get("stripe_rows_multiplier", 1))
    exact = {column: _text(total * times) for column, total in sums.items()}
    return f"stripe_{name}", {"rows": count * times, "sums": exact}


def _questions(
    entry: Mapping[str, Any], settings: Mapping[str, Any], kind: ReportType, world: World
) -> list[dict[str, Any]]:
    """The parameters of every order of a report that bear on its rows."""
    fixed = {name: entry[name] for name in ("currency", "reporting_category", "connected_account") if entry.get(name)}
    fixed |= {name: value for name, value in (entry.get("extra_parameters") or {}).items() if name in _ASKED}
    if "payout" in kind.required:
        return [{**fixed, "payout": payout} for payout in entry.get("payouts") or ()]
    zone = entry.get("timezone") or "UTC"
    first, end, _ = available(world.clock.start, world.clock.now())
    spans = periods(
        entry.get("window") or "day",
        date.fromisoformat(settings["start_date"][:10]),
        date.fromisoformat(settings["end_date"][:10]) if settings.get("end_date") else None,
        timezone.utc if zone == "UTC" else ZoneInfo(zone),
        (first, end),
        partial=bool(entry.get("include_partial")),
    )
    if "interval_start" in kind.required:
        return [{**fixed, "interval_start": begin, "interval_end": close} for begin, close in spans]
    return [{**fixed, "interval_end": close} for _, close in spans]


def _order(account: str, report_type: str, asked: Mapping[str, Any]) -> str:
    return repr((account, report_type, [asked.get(name) for name in _ASKED]))


def _number(row: Row, column: str) -> Decimal:
    cell = row.get(column)
    if isinstance(cell, Money):
        return cell.major
    return cell if isinstance(cell, Decimal) else Decimal()


def _timestamp(day: str) -> int:
    return int(datetime.combine(date.fromisoformat(day[:10]), time(), timezone.utc).timestamp())


def _text(value: Decimal) -> str:
    return format(value, "f")
