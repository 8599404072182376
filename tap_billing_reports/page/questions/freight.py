"""What did freight cost, and which shipments has nobody ordered?"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any, Final

from tap_billing_reports.page.months import following, previous
from tap_billing_reports.page.shapes import bars, filled, money, table
from tap_billing_reports.page.values import Answer, Cell, Flow, Light, Money
from tap_billing_reports.page.words import agreed, amounts, counted, month_of

if TYPE_CHECKING:
    from datetime import date

    from tap_billing_reports.page.read import Reading
    from tap_billing_reports.page.values import Table

# What carriers have invoiced: of the vendors that have shipments.
_INVOICED: Final = "{schema}.vat_by_month where source in (select source from {schema}.freight_by_shipment)"


def freight_cost(reading: Reading, month: date) -> Answer | None:
    """What was invoiced, what of it by shipment and kind of charge, and how both stand against your own orders."""
    rows = reading.rows(
        f"select currency, month, sum(net_amount) from {_INVOICED} and month >= '{previous(month)}' "
        f"and month < '{following(month)}' group by currency, month order by currency, month desc"
    )
    shipped = _shipped(reading, month)
    if not rows and not shipped:
        return None
    invoiced = {(currency, first): amount for currency, first, amount in rows}
    last = [Money(amount, currency) for (currency, first), amount in invoiced.items() if first == month and amount]
    said = f"{amounts(last)} without tax." if last else f"Nothing was invoiced in {month_of(month)}."
    light, found, tables = _orders(reading)
    return Answer(
        "freight",
        f"What did freight cost in {month_of(month)}?",
        light,
        said + found,
        filled([_by_month(invoiced, shipped), *tables]),
        _flows(reading, month),
    )


def _shipped(reading: Reading, month: date) -> dict[tuple[str, date], tuple[Any, ...]]:
    """By currency and month: the count of shipments, and their amounts by kind of charge and in all."""
    rows = reading.rows(
        f"select currency, cast(date_trunc('month', invoice_date) as date) as month, count(*), sum(base_amount), "
        f"sum(fuel_amount), sum(toll_amount), sum(other_amount), sum(rebate_amount), sum(net_amount) "
        f"from {{schema}}.freight_by_shipment where invoice_date >= '{previous(month)}' "
        f"and invoice_date < '{following(month)}' group by 1, 2 order by 1, 2 desc"
    )
    return {(currency, first): tuple(rest) for currency, first, *rest in rows}


def _by_month(
    invoiced: dict[tuple[str, date], Decimal | None], shipped: dict[tuple[str, date], tuple[Any, ...]]
) -> Table:
    keys = sorted({*invoiced, *shipped}, key=lambda key: (key[0], -key[1].toordinal()))
    cells = [
        _month_cells(currency, first, invoiced.get((currency, first)), shipped.get((currency, first)))
        for currency, first in keys
    ]
    kinds = ("Freight", "Fuel", "Toll", "Other", "Rebates")
    heads = ("Month", "Invoiced", *kinds, "Not by shipment", "Shipments", "A shipment, rounded")
    return table("By currency and month, without tax", heads, cells)


def _month_cells(
    currency: str, first: date, whole: Decimal | None, shipped: tuple[Any, ...] | None
) -> tuple[Cell, ...]:
    count, *parts, net = shipped or (0, *[None] * 6)
    rest = None if whole is None else whole - (net or 0)
    kinds = (money(part, currency) for part in parts)
    each = money(_each(net, count), currency)
    return month_of(first), money(whole, currency), *kinds, money(rest, currency), count, each


def _each(amount: Decimal | None, count: int) -> Decimal | None:
    return (amount / count).quantize(Decimal("0.01"), ROUND_HALF_UP) if amount is not None and count else None


def _orders(reading: Reading) -> tuple[Light, str, list[Table]]:
    """How shipments and your own orders fit, once orders are named: the light, a sentence, the tables."""
    kinds = reading.rows(
        "select kind, currency, count(*), sum(freight_amount) from {schema}.freight_per_order "
        "group by kind, currency order by kind, currency"
    )
    if not kinds:
        return Light.NONE, "", []
    astray = reading.rows(
        "select o.account_id, o.tracking_number, o.invoice_date, o.freight_amount, o.currency, "
        "string_agg(distinct s.invoice_number, ', ' order by s.invoice_number) from {schema}.freight_per_order o "
        "left join {schema}.freight_by_shipment s on s.source = o.source and s.account_id = o.account_id "
        "and s.shipment_id = o.tracking_number and s.currency = o.currency "
        "where o.kind = 'shipment without an order' group by 1, 2, 3, 4, 5 order by 3 desc, 2"
    )
    dark = sum(count for kind, _, count, _ in kinds if kind == "invoice without specification")
    tables = [
        table(
            "Shipments without an order",
            ("Account", "Shipment", "Invoice", "Invoiced", "Freight"),
            [
                (account, shipment, number, day, money(amount, c))
                for account, shipment, day, amount, c, number in astray
            ],
        ),
        table(
            "Against your own orders, all that is loaded (what was shipped before that has no freight here)",
            ("What", "Count", "Freight"),
            [(kind, count, money(amount, currency)) for kind, currency, count, amount in kinds],
        ),
    ]
    said = [f" {counted(len(astray), 'shipment')} {agreed(len(astray), 'has', 'have')} no order."] if astray else []
    if dark:
        said.append(
            f" {counted(dark, 'invoice')} without specification {agreed(dark, 'names', 'name')} no shipment: "
            f"not checked against your orders."
        )
    light = Light.of(wrong=astray, unchecked=dark)
    if not said:
        return light, " Every shipment has its order.", tables
    return light, f" Of all months that are loaded:{''.join(said)}", tables


def _flows(reading: Reading, month: date) -> tuple[Flow, ...]:
    """The last half year, a drawing a currency; a month without freight has no bar."""
    months: dict[str, list[tuple[str, Decimal]]] = {}
    for currency, first, amount in reading.rows(
        f"select currency, month, sum(net_amount) from {_INVOICED} and month < '{following(month)}' "
        f"and month >= cast('{month}' as date) - interval '5 months' "
        f"group by currency, month having sum(net_amount) <> 0 order by currency, month"
    ):
        months.setdefault(currency, []).append((f"{first:%b %Y}", amount))
    return tuple(
        Flow(f"{currency}: freight by month, without tax", bars(found, currency)) for currency, found in months.items()
    )
