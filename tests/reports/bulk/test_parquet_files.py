"""One file into Parquet: the same values as our reader gives, by whichever way, and flat memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow.parquet as pq
import pytest

from tap_billing_reports.core.columns import Column
from tap_billing_reports.core.errors import FileError, SyncError
from tap_billing_reports.reports.files import parquet
from tap_billing_reports.reports.files.parquet import BulkLane, Layout
from tap_billing_reports.reports.files.readers import csv_arrow
from tap_billing_reports.reports.files.readers.csv import CsvReader
from tap_billing_reports.storage.files import Storage
from tests.reports.readers.reading import rows_of

TYPES = {
    "id": "integer",
    "name": "text",
    "amount": "decimal",
    "day": "date",
    "at": "timestamp",
    "at_utc": "timestamp_utc",
    "good": "boolean",
}
ROW = "1,Åse,10.50,2026-03-01,2026-03-01 12:30:00,2026-03-01 12:30:00,true\n"
NULLS = ",,,,,,\n"
# From which on, for four days, a clock changes in one of the zones.
DAYS = ["2026-02-13", "2026-03-07", "2026-03-28", "2026-10-03", "2026-10-24", "2026-10-31", "2036-03-08", "2036-11-01"]
ZONES = ["America/Los_Angeles", "Europe/Oslo", "Asia/Kolkata", "Australia/Lord_Howe", "Africa/Casablanca", "UTC"]


@dataclass
class RunQueue:
    """A lane into a folder, and what it kept."""

    folder: Path
    again: int = 0
    """How often the file was read by our own reader once more."""
    pulses: list[None] = field(default_factory=list)

    def keep(
        self, text: str | bytes, *, zone: str = "UTC", types: dict[str, Any] = TYPES, count: int | None = None, **layout
    ) -> list[dict[str, Any]]:
        path = self.folder / "report"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        columns = [Column(header, header, kind) for header, kind in types.items()]

        def reader():
            return CsvReader(
                path, size=path.stat().st_size, resolve=lambda _header: columns, zone=zone, sum_of=("amount", "id")
            )

        read = reader()
        self.expected = rows_of(read)
        kept = layout.get("columns", {"row_number": "integer", **types})
        shape = Layout(kept, layout.get("constants", {}))
        lane = BulkLane(Storage(str(self.folder / "store")))
        more: dict[str, Any] = {
            "rows": read.rows if count is None else count,
            "pulse": lambda: self.pulses.append(None),
        }
        fresh = reader()
        uri = lane.keep_arrays(lane.path("rows", "acct_1", "all"), fresh, shape, **more)
        if uri is None:
            self.again += 1
            assert (fresh.rows, fresh.sums, fresh.ambiguous_times) == (0, {}, 0)
            uri = lane.keep_rows(lane.path("rows", "acct_1", "all"), reader(), shape, **more)
        else:
            assert facts(fresh) == facts(read)
        (kept_file,) = (self.folder / "store").rglob("*.*")
        assert kept_file.name == "rows.parquet"
        self.kept = pq.ParquetFile(uri.removeprefix("file://"))
        return self.kept.read().to_pylist()

    def agrees(self, rows: list[dict[str, Any]]) -> bool:
        """Whether Parquet holds what our reader gave."""
        return [text_of(row) for row in rows] == [text_of(row) for row in self.expected]


def facts(reader: CsvReader) -> tuple[Any, ...]:
    """What a reader tells of a file; a sum with as many places as it is written with."""
    sums = {name: str(total) for name, total in reader.sums.items()}
    times = reader.ambiguous_times, reader.nonexistent_times
    return reader.header, reader.columns, reader.rows, sums, times, reader.blank_lines


def text_of(row: dict[str, Any]) -> dict[str, Any]:
    """Amounts as numbers, dates and instants as their text."""
    row = dict(row)
    for name in ("at", "at_utc"):
        if isinstance(row.get(name), datetime):
            row[name] = row[name].replace(tzinfo=None).isoformat() + "Z"
    if row.get("amount") is not None:
        row["amount"] = Decimal(row["amount"])
    if row.get("day") is not None:
        row["day"] = str(row["day"])
    return row


@pytest.fixture
def lane(tmp_path: Path) -> RunQueue:
    return RunQueue(tmp_path)


HEADER = ",".join(TYPES) + "\n"


@pytest.mark.parametrize(
    "text",
    [
        HEADER + ROW + NULLS + ROW,
        HEADER,
        "\ufeff" + HEADER + ROW,
        "\ufeff\ufeff" + HEADER + ROW,
        HEADER.replace("\n", "\r\n") + ROW.replace("\n", "\r\n"),
        HEADER + ROW.rstrip("\n"),
        HEADER + ROW.replace("Åse", '"two\nlines, ""quoted"""'),
        HEADER + ROW.replace("Åse", '""'),
        HEADER + ROW.replace("Åse", "N/A") + ROW.replace("Åse", "null") + ROW.replace("Åse", "NaN"),
        HEADER + ROW.replace("10.50", "-99999999999999999999999999.999999999999"),
        HEADER + ROW.replace("10.50", "+1.5") + ROW.replace("10.50", "-0.00"),
        HEADER + ROW.replace("1,", "-9223372036854775808,", 1),
        HEADER + ROW.replace(" 12:30:00", ""),
        HEADER + ROW + ROW.replace("2026-03-01,", "2026-03-02 00:00:00,", 1),
        HEADER + ROW.replace("Åse", "  two  blanks "),
    ],
)
def test_one_pass_gives_what_our_reader_gives(lane, text):
    assert lane.agrees(lane.keep(text, constants={}))
    assert lane.again == 0


@pytest.mark.parametrize(
    "text",
    [
        HEADER + ROW + ROW.replace("true", "TRUE"),
        HEADER + ROW + ROW.replace("2026-03-01,", "01.03.2026,", 1),
        HEADER + ROW + ROW.replace("2026-03-01 12:30:00,2026", "2037-07-01 12:30:00,2026"),
        HEADER + ROW + ROW.replace("Åse", "å" * (3 << 20)),
        HEADER + ROW + "\n",
        HEADER + ROW.replace("10.50", " 10.50 "),
        HEADER + ROW.replace("Åse", 'a "nickname"'),
        HEADER.replace("name", 'n "ame') + ROW,
    ],
)
def test_what_is_not_plain_goes_through_our_reader(lane, text):
    assert lane.agrees(lane.keep(text, zone="Europe/Oslo"))
    assert lane.again == 1


@pytest.mark.parametrize("zone", ZONES)
def test_local_times_are_the_same_instants(lane, zone):
    """Every half hour of the days on which clocks change, and times long past."""
    moments = [datetime.fromisoformat(day) + timedelta(minutes=30 * step) for day in DAYS for step in range(4 * 48)]
    moments += map(datetime.fromisoformat, ("1901-05-03T04:05:06", "1945-08-14T23:00:01", "1969-12-31T23:59:59"))
    types, header = {"at": "timestamp", "name": "text"}, "at,name\n"
    cells = [f"{moment:%Y-%m-%d %H:%M:%S},x" for moment in moments]
    there = [cell for cell, moment in zip(cells, moments, strict=True) if occurs(moment, zone)]
    assert lane.agrees(lane.keep(header + "\n".join(there), types=types, zone=zone))
    assert lane.again == 0
    # With a skipped time among them the whole file goes through our reader.
    assert lane.agrees(lane.keep(header + "\n".join(cells), types=types, zone=zone))
    assert lane.again == (len(there) < len(cells))


def occurs(wall: datetime, zone: str) -> bool:
    there = wall.replace(tzinfo=ZoneInfo(zone))
    return there.astimezone(timezone.utc).astimezone(ZoneInfo(zone)).replace(tzinfo=None) == wall


@pytest.mark.parametrize(
    ("cell", "column"),
    [
        ("0.0000000000001", "amount"),
        ("100000000000000000000000000", "amount"),
        ("752734780977167610260881695", "amount"),
        ("0.000000000000000000000000000000000000000000000000001", "amount"),
        ("9223372036854775808", "id"),
    ],
)
def test_what_does_not_fit_refuses_the_file_and_names_the_row(lane, cell, column):
    bad = ROW.replace("10.50", cell) if column == "amount" else ROW.replace("1,", f"{cell},", 1)
    with pytest.raises(FileError, match=f"row 3: the value of column '{column}' does not fit"):
        lane.keep(HEADER + ROW + ROW + bad + ROW)
    assert not list(lane.folder.rglob("*.parquet"))


def test_another_count_of_rows_refuses_the_file(lane):
    with pytest.raises(FileError, match="2 rows for Parquet where 3 were read"):
        lane.keep(HEADER + ROW + ROW, count=3)
    assert not list(lane.folder.rglob("*.parquet"))


def test_constants_and_columns_that_the_file_lacks(lane):
    columns = {"source": "text", "window_end": "timestamp_utc", "row_number": "integer", **TYPES, "fee": "decimal"}
    constants = {"source": "stripe", "window_end": "2026-03-01T08:00:00Z", "unknown": "x"}
    (row,) = lane.keep(HEADER + ROW, columns=columns, constants=constants)
    assert list(row) == list(columns)
    assert (row["source"], row["fee"], row["row_number"]) == ("stripe", None, 1)
    assert row["window_end"] == datetime(2026, 3, 1, 8, tzinfo=timezone.utc)


def test_keys_alone(lane):
    columns = {"source": "text", "row_number": "integer"}
    rows = lane.keep(HEADER + ROW + ROW, columns=columns, constants={"source": "stripe"})
    assert rows == [{"source": "stripe", "row_number": 1}, {"source": "stripe", "row_number": 2}]


@pytest.mark.parametrize("way", ["pyarrow", "ours"])
def test_row_groups_are_bounded_and_the_sync_stays_alive(lane, monkeypatch, way):
    monkeypatch.setattr(parquet, "GROUP_BYTES", 64 << 10)
    monkeypatch.setattr(csv_arrow, "BLOCK", 16 << 10)
    text = HEADER + ROW * 5000 + (ROW.replace("true", "TRUE") if way == "ours" else ROW)
    rows = lane.keep(text)
    assert [row["row_number"] for row in rows] == list(range(1, 5002))
    groups = [lane.kept.metadata.row_group(number).num_rows for number in range(lane.kept.num_row_groups)]
    assert sum(groups) == 5001
    assert len(groups) > 2
    assert max(groups) < 2000
    assert len(lane.pulses) >= len(groups)


def test_a_storage_that_refuses_ends_the_sync_and_leaves_nothing_on_disk(lane):
    (lane.folder / "store").write_text("in the way")
    with pytest.raises(SyncError):
        lane.keep(HEADER + ROW)
    assert sorted(path.name for path in lane.folder.iterdir()) == ["report", "store"]


def test_different_periods_have_different_paths(tmp_path):
    lane = BulkLane(Storage(str(tmp_path)))
    periods = ["2026-01-01T00:00:00Z", "20260101t000000z", "all", "ALL", "a/b", "4700000013", "../x", ""]
    paths = {lane.path("stream", "acct_1", period) for period in periods}
    assert len(paths) == len(periods) - 1, "the first two are the same window"
    assert all(Path(path).parent.parent.parent == tmp_path / "parquet" / "stream" for path in paths)
