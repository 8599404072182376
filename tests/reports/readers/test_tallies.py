"""What is found out about rows while they are read: the same in chunks and in arrays."""

from __future__ import annotations

import io
from decimal import Decimal

import pytest

from tap_billing_reports.core.columns import Column, ColumnType
from tap_billing_reports.declare import RollForward, RowIdentity
from tap_billing_reports.reports.files.readers.csv import CsvReader
from tap_billing_reports.reports.files.readers.tallies import Balance, IdentityTally, RollTally

TYPES: dict[str, ColumnType] = {
    "gross": "decimal",
    "fee": "decimal",
    "net": "decimal",
    "net_amount": "decimal",
    "currency": "currency",
}


def column(name):
    return Column(name=name, type=TYPES.get(name, "text"), header=name)


def read(text, tally, *, way, sum_of=(), block=64):
    data = text.encode()
    reader = CsvReader(
        io.BytesIO(data),
        size=len(data),
        resolve=lambda header: [column(name) for name in header],
        tallies=(tally,),
        sum_of=sum_of,
        block=block,
    )
    if way == "arrays":
        pytest.importorskip("pyarrow")
        list(reader.arrays())
    elif way == "arrays as text":
        pytest.importorskip("pyarrow")
        list(reader.arrays(amounts_as_text=True))
    else:
        # None of its columns is selected: it is told them all the same.
        list(reader.chunks(selected={"id"}))
    return tally


WAYS = ("chunks", "arrays", "arrays as text")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("sum_of", [(), ("net",)])
def test_a_row_whose_amounts_disagree_is_found(way, sum_of):
    big = "99999999999999999999999999.999999999999"
    rows = [f"a,{big},0,{big}", "b,1.00,0.25,0.750", "c,1,0.25,0.76", "d,1,,1", "e,-2,0,-2", f"f,-{big},{big},0"]
    text = "id,gross,fee,net\n" + "\n".join(rows) + "\n"
    tally = read(text, IdentityTally(RowIdentity("gross", "fee", "net")), way=way, sum_of=sum_of)
    assert (tally.rows, tally.wrong, tally.first_wrong, tally.without) == (6, 2, 3, 1)


@pytest.mark.parametrize("way", WAYS)
def test_a_file_without_the_columns_names_them(way):
    tally = read("id,gross\na,1\n", IdentityTally(RowIdentity("gross", "fee", "net")), way=way)
    assert (tally.missing, tally.rows) == (("fee", "net"), 0)


@pytest.mark.parametrize("way", WAYS)
def test_balances_by_currency(way):
    rows = ["starting_balance,10.00,nok", "activity,5.50,nok", "payouts,-3,nok", "ending_balance,12.50,nok"]
    text = "category,net_amount,currency\n" + "\n".join([*rows, "activity,1,usd"]) + "\n"
    roll = RollForward("category", "net_amount", "currency", "starting_balance", "ending_balance")
    tally = read(text, RollTally(roll), way=way)
    assert tally.balances == {
        "NOK": Balance(Decimal(10), Decimal("2.5"), Decimal("12.5")),
        "USD": Balance(None, Decimal(1), None),
    }


def test_another_pass_starts_anew():
    tally = IdentityTally(RowIdentity("gross", "fee", "net"))
    data = b"id,gross,fee,net\na,1,0,2\n"
    reader = CsvReader(
        io.BytesIO(data),
        size=len(data),
        resolve=lambda header: [column(name) for name in header],
        tallies=(tally,),
    )
    for _ in range(2):
        list(reader.chunks())
        assert (tally.rows, tally.wrong) == (1, 1)
