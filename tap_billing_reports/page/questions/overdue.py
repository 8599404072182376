"""What is overdue?"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from tap_billing_reports.page.shapes import filled, money, table
from tap_billing_reports.page.values import Answer, Light, Money
from tap_billing_reports.page.words import agreed, amounts, counted, listed, vendor

if TYPE_CHECKING:
    from tap_billing_reports.page.read import Reading
    from tap_billing_reports.page.values import Table

# As `open_items` has them.
AGES: Final = ("not due", "1 to 30 days", "31 to 60 days", "61 to 90 days", "over 90 days", "no due date")
_SIDES: Final = {"receivable": "owed to you", "payable": "to be paid by you"}


def is_overdue(reading: Reading) -> Answer | None:
    """What customers owe apart from what you owe, by currency; good only if every open invoice says when it is due."""
    ((invoices,),) = reading.rows("select count(*) from {schema}.invoice_settlement")
    if not invoices:
        return None
    ((dateless,),) = reading.rows("select count(*) from {schema}.open_items where due_date is null")
    silent = [
        source
        for (source,) in reading.rows(
            "select distinct source from {schema}.open_items where open_amount_is_total order by source"
        )
    ]
    late, sums = _late(reading), _sums(reading)
    said = " ".join(_said(direction, sums) for direction in _SIDES if direction in {one for one, *_ in sums})
    said = said or "Nothing is overdue."
    if dateless:
        said += f" {counted(dateless, 'open invoice')} {agreed(dateless, 'has', 'have')} no due date."
    if silent:
        names, verb = listed(map(vendor, silent)), agreed(len(silent), "does", "do")
        said += f" {names} {verb} not say what remains of an invoice: its total counts."
    light = Light.of(wrong=late.count, unchecked=dateless)
    return Answer("overdue", "What is overdue?", light, said, filled([_ages(reading), late]))


def _sums(reading: Reading) -> list[tuple[Any, ...]]:
    return reading.rows(
        "select direction, currency, count(*), sum(open_amount) from {schema}.open_items where days_overdue > 0 "
        "and open_amount is not null group by direction, currency order by direction, currency"
    )


def _said(direction: str, sums: list[tuple[Any, ...]]) -> str:
    mine = [(count, Money(amount, currency)) for one, currency, count, amount in sums if one == direction]
    number = sum(count for count, _ in mine)
    text = f"{_SIDES[direction]}, overdue: {amounts([one for _, one in mine])} ({counted(number, 'invoice')})."
    return text[0].upper() + text[1:]


def _ages(reading: Reading) -> Table:
    """A row a vendor and currency, a column an age; what nobody expects to get is in them, and told besides."""
    rows = reading.rows(
        "select direction, source, currency, age, sum(open_amount), "
        "sum(open_amount) filter (where status = 'uncollectible') from {schema}.open_items "
        "group by direction, source, currency, age order by direction desc, source, currency"
    )
    found: dict[tuple[str, str, str], dict[str, Decimal]] = {}
    lost: dict[tuple[str, str, str], Decimal] = {}
    for *key, age, amount, uncollectible in rows:
        direction, source, currency = key
        found.setdefault((direction, source, currency), {})[age] = amount
        if uncollectible is not None:
            lost[direction, source, currency] = lost.get((direction, source, currency), Decimal(0)) + uncollectible
    cells = [
        (
            _SIDES[direction],
            vendor(source),
            *(money(ages.get(age), currency) for age in AGES),
            money(sum(ages.values(), Decimal(0)), currency),
            money(lost.get((direction, source, currency)), currency),
        )
        for (direction, source, currency), ages in found.items()
    ]
    heads = ("Side", "Vendor", *map(_head, AGES), "Open", "Of it uncollectible")
    return table("Open by vendor, currency and age", heads, cells)


def _head(age: str) -> str:
    return age[0].upper() + age[1:]


def _late(reading: Reading) -> Table:
    rows = reading.rows(
        "select direction, source, invoice_number, due_date, days_overdue, open_amount, currency, is_with_collector, "
        "status = 'uncollectible' from {schema}.open_items where days_overdue > 0 "
        "order by days_overdue desc, source, invoice_number"
    )
    return table(
        "Overdue, longest first",
        ("Side", "Vendor", "Invoice", "Due", "Days overdue", "Open", "With a collector", "Uncollectible"),
        [
            (_SIDES[side], vendor(source), number, due, days, money(amount, currency), *map(_yes, marks))
            for side, source, number, due, days, amount, currency, *marks in rows
        ],
    )


def _yes(is_so: bool | None) -> str | None:
    return "yes" if is_so else None
