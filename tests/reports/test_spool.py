"""A file on its way leaves some of the disk to others, and says what it would need."""

from __future__ import annotations

import errno
import os
from datetime import datetime, timezone

import pytest

from tap_billing_reports.sandbox.core import Sandbox
from tap_billing_reports.storage import disk_guard
from tap_billing_reports.storage.disk_guard import RESERVE_BYTES, RESERVE_SHARE, Spool
from tests.killing import sync

MIB = 1 << 20
NOW = datetime(2026, 11, 20, 10, 0, tzinfo=timezone.utc)


class Disk:
    """What the file system says: blocks of 1 MiB."""

    f_frsize = MIB

    def __init__(self, free, size=100_000):
        self.f_bavail, self.f_blocks = free, size


@pytest.fixture
def disk(monkeypatch):
    disk = Disk(0)
    monkeypatch.setattr(os, "fstatvfs", lambda _: disk)
    return disk


@pytest.fixture
def file(tmp_path):
    with (tmp_path / "file").open("wb") as file:
        yield file


def test_what_is_expected_must_fit(disk, file):
    disk.f_bavail = 150
    with pytest.raises(OSError, match=rf"{51 * MIB} more bytes are needed, and there is room for {50 * MIB}") as caught:
        Spool(file, 51 * MIB).write(b"x")
    assert caught.value.errno == errno.ENOSPC
    assert file.tell() == 0
    assert Spool(file, 50 * MIB).write(b"x") == 1


def test_what_nobody_has_announced_stops_before_the_disk_is_full(disk, file):
    disk.f_bavail = 130
    piece, written = bytes(MIB), 0
    to = Spool(file)
    with pytest.raises(OSError, match="more bytes are needed"):  # noqa: PT012 - where it stops is what is looked at
        while True:
            written += to.write(piece)
            disk.f_bavail -= 1
    assert written > 20 * MIB
    assert disk.f_bavail * MIB >= RESERVE_BYTES - disk_guard.STEP_BYTES


def test_a_small_disk_keeps_a_twentieth(disk, file):
    disk.f_blocks, disk.f_bavail = 64, 60
    reserve = 64 * MIB // RESERVE_SHARE
    assert Spool(file, 60 * MIB - reserve).write(b"x") == 1
    with pytest.raises(OSError, match="there is room for"):
        Spool(file, 60 * MIB - reserve + 1).write(b"x")


def fill(_tap):
    """The process is the tap's alone."""
    setattr(os, "fstatvfs", lambda _: Disk(1))  # noqa: B010 - its type is not that of a disk


def test_a_sync_says_so_and_goes_on_where_there_is_room(tmp_path):
    with Sandbox(NOW, vendors=("stripe",), stripe_run_seconds=0) as box:
        config = {
            **box.settings(start_date="2026-11-15"),
            "end_date": "2026-11-18",
            "stripe_connected_accounts": [],
            "stripe_reports": [{"report_type": "balance_change_from_activity.itemized.3"}],
        }
        first = sync(config, tmp_path, now=NOW, prepare=fill)
        assert first.code == 1
        assert "cannot be written to the temporary folder" in first.log
        assert "more bytes are needed, and there is room for 0" in first.log
        assert "TMPDIR" in first.log
        second = sync(config, tmp_path, state=first.state, now=NOW)
        assert second.code == 0, second.log
        assert set(box.control.counters()["orders"]["stripe"]["by_key"].values()) == {1}
