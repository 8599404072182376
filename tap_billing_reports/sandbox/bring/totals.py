"""What a warehouse must hold of Bring after a full sync, counted from the ledger."""

from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from .catalogue import RANGE, ReportType, report_types
from .documents import invoice_pdf
from .ledger import REACH_DAYS, Customer, Invoice, Ledger
from .lines import Line, column_sum, is_blank
from .money import ZERO

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tap_billing_reports.sandbox.world import World

    from .report_api import ReportApi

Total = dict[str, Any]
LINE_SUMS = ("AMOUNT", "TAX_AMOUNT", "TOTAL_INCL_TAX", "AgreementPrice")


class Totals:
    """Counts for one set of tap settings; every key of the result is a stream's name."""

    def __init__(self, world: World, ledger: Ledger, reports: ReportApi) -> None:
        self._world = world
        self._ledger = ledger
        self._reports = reports

    def of(self, settings: Mapping[str, Any]) -> dict[str, Total]:
        asked = self._asked(settings)
        invoices = self._invoices(settings, asked)
        totals = {
            "accounts": _total(len(asked)),
            "report_types": _total(sum(len(report_types(customer)) for customer in asked.values())),
            "invoices": _total(
                len(invoices),
                net_amount=sum((i.net for i in invoices), ZERO),
                tax_amount=sum((i.tax for i in invoices), ZERO),
                total_amount=sum((i.total for i in invoices), ZERO),
            ),
        }
        runs = 0
        if settings.get("bring_invoice_lines", True):
            specified = [i for i in invoices if i.lines is not None]
            runs += len(specified)
            totals["bring_invoice_lines"] = self._lines(specified)
            if settings.get("bring_unspecified_invoices"):
                totals["bring_invoice_lines"] = _with_whole(totals["bring_invoice_lines"], invoices)
        if settings.get("bring_invoice_documents"):
            size = sum(len(invoice_pdf(i)) for i in invoices if i.has_pdf)
            totals["invoice_documents"] = {"rows": len(invoices), "sums": {"size": str(size)}}
        for entry in settings.get("bring_reports") or ():
            windows, total = self._report(entry, settings, asked.values())
            runs += windows
            totals[f"bring_{_stream_name(entry)}"] = total
        totals["report_runs"] = totals["report_files"] = _total(runs)
        return totals

    def _asked(self, settings: Mapping[str, Any]) -> dict[str, Customer]:
        numbers = settings.get("bring_customers")
        if not numbers:
            return dict(self._reports.listed())
        return {n: customer for n in numbers if (customer := self._ledger.customer(n)) is not None}

    def _invoices(self, settings: Mapping[str, Any], asked: Mapping[str, Customer]) -> list[Invoice]:
        """Each invoice once for each account that it is booked on, however many numbers lead to it."""
        options = self._world.options
        forbidden = options.get("bring_forbidden_customer")
        first = max(_day(settings["start_date"]), self._ledger.today() - timedelta(days=REACH_DAYS))
        found: dict[tuple[str, str], Invoice] = {}
        for number, customer in asked.items():
            if forbidden in {number, customer.number}:
                continue
            account = number if options.get("bring_omit_customer_number") else customer.number
            found |= {(account, i.number): i for i in self._ledger.of(customer) if i.day >= first}
        return list(found.values())

    def _lines(self, invoices: Iterable[Invoice]) -> Total:
        rows, sums = 0, dict.fromkeys(LINE_SUMS, ZERO)
        for invoice in invoices:
            lines = [line for line in invoice.lines or () if not is_blank(line)]
            rows += len(lines) * self._reports.repeats(invoice.number)
            for name in LINE_SUMS:
                sums[name] += column_sum(lines, name)
        return _total(rows, **{_snake(name): value for name, value in sums.items()})

    def _report(
        self, entry: Mapping[str, Any], settings: Mapping[str, Any], customers: Iterable[Customer]
    ) -> tuple[int, Total]:
        """Number of windows and the total of one configured date-range report."""
        windows = _windows(entry.get("window", "day"), _day(settings["start_date"]), self._ledger.today())
        lines: list[Line] = []
        runs = 0
        for customer in customers:
            for kind in _range_types(customer, entry["report_type"]):
                runs += len(windows)
                for first, last in windows:
                    lines += self._reports.contents.range_lines(kind, customer, first, last)
        money = sorted({name for line in lines for name, value in line.items() if isinstance(value, Decimal)})
        return runs, _total(len(lines), **{_snake(name): column_sum(lines, name) for name in money})


def _with_whole(lines: Total, invoices: Iterable[Invoice]) -> Total:
    """With one more row for each invoice without lines, whose amounts are those of its invoice."""
    whole = [invoice for invoice in invoices if invoice.lines is None]
    sums = {name: Decimal(text) for name, text in lines["sums"].items()}
    net = sums["amount"] + sums["agreement_price"] + sum((invoice.net for invoice in whole), ZERO)
    tax = sums["tax_amount"] + sum((invoice.tax for invoice in whole), ZERO)
    total = sums["total_incl_tax"] + sum((invoice.total for invoice in whole), ZERO)
    return _total(lines["rows"] + len(whole), **{**sums, "net_amount": net, "tax_amount": tax, "total_amount": total})


def _range_types(customer: Customer, type_id: str) -> list[ReportType]:
    return [kind for kind in report_types(customer) if kind.id == type_id and kind.parameters == RANGE]


def _windows(unit: str, start: date, today: date) -> list[tuple[date, date]]:
    """First and last day of each calendar unit, from the one with `start` on, that ended before `today`."""
    if unit == "all":
        return [(start, today - timedelta(days=1))] if start < today else []
    if unit == "week":
        start -= timedelta(days=start.weekday())
    elif unit == "month":
        start = start.replace(day=1)
    windows: list[tuple[date, date]] = []
    while True:
        following = start + timedelta(days=7 if unit == "week" else 1)
        if unit == "month":
            following = (start + timedelta(days=31)).replace(day=1)
        if following > today:
            return windows
        windows.append((start, following - timedelta(days=1)))
        start = following


def _stream_name(entry: Mapping[str, Any]) -> str:
    return str(entry.get("name") or re.sub(r"[^a-z0-9]+", "_", entry["report_type"].lower()))


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def _day(text: str) -> date:
    return date.fromisoformat(str(text)[:10])


def _total(rows: int, **sums: Decimal) -> Total:
    return {"rows": rows, "sums": {name: str(value) for name, value in sums.items()}}
