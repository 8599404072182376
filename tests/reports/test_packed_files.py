"""Files that arrive packed: read as what is in them, counted and kept as they came."""

from __future__ import annotations

import gzip
import hashlib
import io
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import url2pathname

import pytest

from tap_billing_reports.core.errors import SyncError
from tap_billing_reports.storage import packing
from tap_billing_reports.storage.disk_guard import Spool
from tap_billing_reports.storage.packing import PackingError, packing_of, plain_path, unpack
from tests.declare.shop import Answered, Shop, served, synced

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def shop() -> Iterator[Shop]:
    with served(Shop()) as shop:
        yield shop


CSV = b"Id,Amount\n1,1.10\n2,2.20\n"


def zipped(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", method) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return whole.getvalue()


def unpacked(folder: Path, content: bytes) -> bytes:
    path = folder / "file"
    path.write_bytes(content)
    found = packing_of(path)
    return (unpack(path, found) if found else path).read_bytes()


@pytest.mark.parametrize(
    "content",
    [
        CSV,
        gzip.compress(CSV),
        gzip.compress(CSV[:7]) + gzip.compress(CSV[7:]),
        zipped(("a.csv", CSV)),
        zipped(("folder/", b""), ("folder/a.csv", CSV)),
        zipped(("a.csv", CSV), method=zipfile.ZIP_STORED),
    ],
    ids=["plain", "gzip", "gzip of two members", "zip", "zip with a folder", "zip that stores"],
)
def test_one_file_is_unpacked(tmp_path, content):
    assert unpacked(tmp_path, content) == CSV


def damaged(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :]


LONG = b"".join(b"%d,%d.10\n" % (number, number * 7919) for number in range(9000))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (gzip.compress(LONG)[:-9], "cut short"),
        (gzip.compress(LONG)[:12], "cut short"),
        (damaged(gzip.compress(LONG), -6), "damaged"),
        (damaged(gzip.compress(LONG), 5000), "damaged"),
        (gzip.compress(CSV) + b"more", "damaged"),
        (zipped(("a.csv", LONG))[:-30], "cut short, or is damaged"),
        (damaged(zipped(("a.csv", LONG), method=zipfile.ZIP_STORED), 5000), "damaged"),
        (zipped(("a.csv", CSV), ("b.csv", CSV)), "holds 2 files"),
        (zipped(), "holds 0 files"),
    ],
    ids=[
        "gzip without its end",
        "gzip of its head alone",
        "gzip with another sum",
        "gzip with another byte",
        "gzip with something behind it",
        "zip without its end",
        "zip with another byte",
        "zip of two files",
        "zip of no file",
    ],
)
def test_what_is_no_whole_file_is_refused(tmp_path, content, said):
    with pytest.raises(PackingError, match=said):
        unpacked(tmp_path, content)


@pytest.mark.parametrize("pack", [gzip.compress, lambda content: zipped(("a.csv", content))])
def test_a_file_that_grows_beyond_all_measure_is_refused_before_it_fills_the_disk(tmp_path, monkeypatch, pack):
    monkeypatch.setattr(packing, "UNCOUNTED_BYTES", 1 << 20)
    bomb = pack(bytes(1 << 27))
    with pytest.raises(PackingError, match="200 times what arrived"):
        unpacked(tmp_path, bomb)
    assert plain_path(tmp_path / "file").stat().st_size <= max(1 << 20, 200 * len(bomb))
    # What shrinks a lot by right is small.
    monkeypatch.undo()
    assert len(unpacked(tmp_path, pack(b"1,1.00\n" * (1 << 20)))) == 7 << 20


def test_a_full_disk_is_told_as_one(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Spool, "write", full)
    with pytest.raises(SyncError, match="No space left on device: make room"):
        unpacked(tmp_path, gzip.compress(CSV))


def test_its_bytes_and_hash_are_those_that_arrived_and_it_is_kept_so(monkeypatch, shop, tmp_path):
    whole = {day: gzip.compress(f"Id,Amount\n{day},1.00\n".encode()) for day in ("2026-11-18", "2026-11-19")}
    shop.files = whole.__getitem__
    shop.more["/accounts"] = lambda _asked: Answered({"accounts": [{"id": "one"}]})
    stored = tmp_path / "kept"
    found = synced(monkeypatch, shop, storage_url=str(stored))
    assert found.status == 0, found.log
    assert {(row["id"], row["amount"]) for row in found.of("shop_sales")} == {(day, "1.00") for day in whole}
    files = {record["period"][:10]: record for record in found.of("report_files")}
    for day, content in whole.items():
        assert files[day]["uri"].endswith(".csv.gz")
        assert Path(url2pathname(urlsplit(files[day]["uri"]).path)).read_bytes() == content
        assert (files[day]["size"], files[day]["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())
    # From nothing but the storage: the vendor is asked for no file.
    shop.asked.clear()
    again = synced(monkeypatch, shop, storage_url=str(stored))
    assert again.status == 0, again.log
    assert again.of("shop_sales") == found.of("shop_sales")
    assert not [asked for asked in shop.asked if asked.path.startswith(("/files", "/one/runs"))]


def test_a_packed_web_page_is_refused(monkeypatch, shop):
    shop.files = lambda _day: zipped(("a.csv", b"<html>log in</html>"))
    found = synced(monkeypatch, shop)
    assert found.status == 1
    assert "begins as a web page or an error" in found.log
    shop.files = lambda _day: gzip.compress(b"")
    assert "what it unpacks to is empty" in synced(monkeypatch, shop).log
