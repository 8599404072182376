"""Several files of one run: the rows of each, one after the other, and files that are kept beside them."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pyarrow.parquet as pq
import pytest

from tap_billing_reports import declare as d
from tests.declare.shop import ORDERED, REPORT_API, SHOP, Answered, synced

ONE, TWO, THREE = b"Id,Amount\na,1.00\nb,2.00\n", b"Amount,Id,More\n3.00,c,x\n", b"Id,Amount\n"
ROWS = [(1, "a", "1.00", None), (2, "b", "2.00", None), (3, "c", "3.00", "x")]


def remote(name: str, kind: Any = "csv") -> d.RemoteFile:
    return d.RemoteFile(name, kind, "shop", f"/parts/{name}")


def ordered(answer):
    return replace(ORDERED.read_order(answer), file=remote("1"), further=(remote("2"), remote("3")))


def kept(_report, _run):
    return (remote("k"), remote("k.pdf", "pdf"))


@pytest.fixture
def parts(shop):
    """What the files hold; those of one day and account alone are asked for."""
    parts = {"1": ONE, "2": TWO, "3": THREE, "k": b"kept\n", "k.pdf": b"%PDF-1\n%%EOF"}
    shop.more["/accounts"] = lambda _asked: Answered({"accounts": [{"id": "one"}]})
    for name in parts:
        shop.more[f"/parts/{name}"] = lambda asked: Answered(
            parts[asked.path.rpartition("/")[2]], headers={"Content-Type": "text/csv"}
        )
    return parts


OF_SEVERAL = replace(ORDERED, read_order=ordered, read_status=lambda answer, _run_id: ordered(answer))


def source(**changes):
    api = replace(
        REPORT_API,
        extra_files=kept,
        row_identity=lambda _report: d.RowIdentity("amount", "nothing", "amount"),
        **{"retrieval": OF_SEVERAL, **changes},
    )
    return replace(SHOP, reports=api)


def sync(monkeypatch, shop, state=None, made=None, **settings):
    return synced(monkeypatch, shop, made or source(), state, start_date="2026-11-19", **settings)


def rows(found):
    return [(row["row_number"], row["id"], row["amount"], row.get("more")) for row in found.of("shop_sales")]


def asked(shop):
    return [asked.path for asked in shop.asked if asked.path.startswith("/parts/")]


def test_their_rows_follow_each_other_and_the_others_are_kept(monkeypatch, shop, parts, tmp_path):
    storage = {"storage_url": str(tmp_path)}
    found = sync(monkeypatch, shop, **storage)
    assert found.status == 0, found.log
    assert rows(found) == ROWS
    files = [(file["file_id"], file["format"], file["rows"]) for file in found.of("report_files")]
    assert files == [("1", "csv", 2), ("2", "csv", 1), ("3", "csv", 0), ("k", "csv", None), ("k.pdf", "pdf", None)]
    uris = [file["uri"] for file in found.of("report_files")]
    assert len({*uris}) == 5
    (path,) = tmp_path.glob("parquet/**/rows.parquet")
    assert [(row["id"], row["amount"]) for row in pq.read_table(path).to_pylist()] == [
        (name, Decimal(amount)) for _, name, amount, _ in ROWS
    ]
    # The STATE is lost: all of them come from the storage.
    shop.asked.clear()
    again = sync(monkeypatch, shop, **storage)
    assert (again.status, rows(again), asked(shop)) == (0, ROWS, [])
    # One of them is gone: the run is asked for all once more.
    next(tmp_path.glob("files/**/*.3.csv")).unlink()
    third = sync(monkeypatch, shop, **storage)
    assert (third.status, rows(third)) == (0, ROWS)
    assert len(asked(shop)) == 5


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("2", b"Id,Amount\nc,three\n", "line 2: column 'amount' does not hold a value of type decimal"),
        ("3", b"Id\nd\n", "the column 'Amount' is missing"),
        ("2", b"", "file 2: it is empty"),
    ],
)
def test_a_bad_one_ends_the_period_and_the_next_sync_reads_all(monkeypatch, shop, parts, name, content, said):
    before = sync(monkeypatch, shop)
    parts[name], good = content, parts[name]
    state = before.state
    # A wider look-back reads the day again.
    state["bookmarks"]["shop_sales"]["ledger"][0].pop("through")
    state["bookmarks"]["shop_sales"]["ledger"][0].pop("first")
    found = sync(monkeypatch, shop, state)
    assert found.status == 1
    assert said in found.log
    parts[name] = good
    again = sync(monkeypatch, shop, found.state)
    assert (again.status, rows(again)) == (0, ROWS), again.log
    assert again.doubles() == {}


def test_what_is_there_without_an_order_may_be_several_files_too(monkeypatch, shop, parts):
    ready = d.ReadyFiles(lambda _account, _report, _period: (remote("1"), remote("2"), remote("3")))
    found = sync(monkeypatch, shop, made=source(retrieval=ready))
    assert found.status == 0, found.log
    assert rows(found) == ROWS
    assert not [one.path for one in shop.asked if one.path.endswith("/runs")]


def test_a_check_of_rows_sees_the_rows_of_all(monkeypatch, shop, parts):
    parts["1"], parts["2"] = b"Id,Amount,Fee,Net\na,3.00,1.00,2.00\n", b"Id,Amount,Fee,Net\nb,3.00,1.00,9.00\n"
    parts["3"] = b"Id,Amount,Fee,Net\n"
    made = source(column_type=lambda _report, header: "text" if header == "Id" else "decimal")
    assert made.reports is not None
    identity = d.RowIdentity("amount", "fee", "net")
    made = replace(made, reports=replace(made.reports, row_identity=lambda _report: identity))
    found = sync(monkeypatch, shop, made=made)
    (check,) = [check for check in found.of("reconciliations") if check["check"] == "row_identity"]
    assert check["ok"] is False
    assert "2" in check["reason"]
