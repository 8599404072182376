"""One sync at a time for a storage and its sources."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import uuid

import pytest

from tap_billing_reports.core.dates import utc_text
from tap_billing_reports.core.errors import SyncError
from tap_billing_reports.storage import lock as lock_module
from tap_billing_reports.storage.files import Storage
from tap_billing_reports.storage.lock import STALE_AFTER, Lock
from tests.typed import some
from tests.waiting import HANG_SECONDS, until

NAMES = ("stripe acct_1", "bring somebody@example.com")


@pytest.fixture(params=["local", "object"])
def place(request, tmp_path) -> Storage:
    return Storage(str(tmp_path / "kept") if request.param == "local" else f"memory://{uuid.uuid4().hex}")


def test_a_second_sync_is_refused_until_the_first_has_ended(place, clock):
    first, second = Lock(place, clock, NAMES), Lock(place, clock, NAMES[1:])
    first.acquire()
    with pytest.raises(SyncError, match=r"^bring somebody@example\.com: another sync with this storage_url is running"):
        second.acquire()
    first.release()
    second.acquire()
    second.release()


def test_other_accounts_are_no_matter(place, clock):
    first, second = Lock(place, clock, NAMES[:1]), Lock(place, clock, ("stripe acct_2",))
    first.acquire()
    second.acquire()
    first.release()
    second.release()


def test_a_refused_sync_holds_nothing(place, clock):
    first, second, third = (Lock(place, clock, names) for names in (NAMES[:1], NAMES, NAMES[1:]))
    first.acquire()
    with pytest.raises(SyncError):
        second.acquire()
    third.acquire()
    first.release()
    third.release()


def test_release_without_a_lock_is_nothing(place, clock):
    lock = Lock(place, clock, NAMES)
    lock.release()
    lock.acquire()
    lock.release()
    lock.release()


def test_names_of_people_are_not_in_file_names(place, clock):
    lock = Lock(place, clock, NAMES)
    lock.acquire()
    assert place.sizes("locks")
    assert not [path for path in place.sizes("locks") if "somebody" in path]
    lock.release()


def test_a_lock_ends_with_its_process_however_that_ends(tmp_path, clock):
    """SIGKILL leaves no lock behind; the message names the process while it lives."""
    code = (
        "import sys, time\n"
        "from tap_billing_reports.core.clock import Clock\n"
        "from tap_billing_reports.storage.lock import Lock\n"
        "from tap_billing_reports.storage.files import Storage\n"
        "lock = Lock(Storage(sys.argv[1]), Clock(), ['stripe acct_1'])\n"
        "lock.acquire()\n"
        "print('held', flush=True)\n"
        "time.sleep(600)\n"
    )
    holder = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    try:
        assert some(holder.stdout).readline() == "held\n"
        lock = Lock(Storage(str(tmp_path)), clock, ["stripe acct_1"])
        with pytest.raises(SyncError, match=rf"\(process {holder.pid}\)"):
            lock.acquire()
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait(HANG_SECONDS)
        lock.acquire()
        lock.release()
    finally:
        holder.kill()
        holder.wait(HANG_SECONDS)
        some(holder.stdout).close()


# -- object stores -------------------------------------------------------------------------------------


@pytest.fixture
def objects() -> Storage:
    return Storage(f"memory://{uuid.uuid4().hex}")


def test_a_lock_object_without_a_sign_of_life_is_stale(objects, clock):
    Lock(objects, clock, NAMES).acquire()  # and its process is killed
    lock = Lock(objects, clock, NAMES)
    clock.advance(STALE_AFTER.total_seconds() - 1)
    with pytest.raises(SyncError, match="signs of life within 15 minutes"):
        lock.acquire()
    clock.advance(2)
    lock.acquire()


def test_signs_of_life_keep_a_lock_object(objects, clock):
    first = Lock(objects, clock, NAMES)
    first.acquire()
    for _ in range(60):
        clock.advance(60)
        first.beat()
    with pytest.raises(SyncError):
        Lock(objects, clock, NAMES).acquire()


def test_signs_of_life_are_shown_once_a_minute(objects, clock, monkeypatch):
    lock, written = Lock(objects, clock, NAMES), []
    lock.acquire()
    monkeypatch.setattr(objects, "write_json", lambda path, value: written.append(path))
    for _ in range(119):
        clock.advance(1)
        lock.beat()
    assert len(written) == len(NAMES)


def test_a_sync_that_is_busy_for_long_is_not_taken_for_dead(objects, clock, monkeypatch):
    """An hour of one account's invoices, or a target that takes nothing: nobody calls `beat` meanwhile."""
    monkeypatch.setattr(lock_module, "BEAT_SECONDS", 0.005)
    first = Lock(objects, clock, NAMES)
    first.acquire()

    def signed():
        found = [objects.read_json(path) for path in first._objects]
        return all(item["alive_at"] == utc_text(clock.now()) for item in found)

    for _ in range(3):
        clock.advance(STALE_AFTER.total_seconds() - 1)
        until(signed)
    with pytest.raises(SyncError, match="signs of life"):
        Lock(objects, clock, NAMES).acquire()
    heart = some(first._heart)
    first.release()
    assert not heart.is_alive()
    Lock(objects, clock, NAMES).acquire()


def test_signs_of_life_leave_a_lock_alone_that_another_sync_has_taken(objects, clock):
    first, second = Lock(objects, clock, NAMES), Lock(objects, clock, NAMES)
    first.acquire()
    clock.advance(STALE_AFTER.total_seconds() + 1)
    second.acquire()
    first.show_life(objects.another())
    with pytest.raises(SyncError, match="taken over"):
        first.beat()
    second.beat()
    first.release()
    second.release()


def test_a_sync_that_was_taken_for_dead_ends(objects, clock):
    first, second = Lock(objects, clock, NAMES), Lock(objects, clock, NAMES)
    first.acquire()
    clock.advance(STALE_AFTER.total_seconds() + 1)
    second.acquire()
    with pytest.raises(SyncError, match="taken over"):
        first.beat()
    first.release()
    second.beat()
    with pytest.raises(SyncError):
        Lock(objects, clock, NAMES).acquire()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"token": "x"}', b'{"token": "x", "alive_at": "soon"}'])
def test_an_unreadable_lock_object_is_free(objects, clock, content):
    lock = Lock(objects, clock, NAMES[:1])
    lock.acquire()
    (path,) = objects.sizes("locks")
    objects._fs.pipe_file(path, content)
    Lock(objects, clock, NAMES[:1]).acquire()


def test_the_loser_of_a_race_is_refused(objects, clock, monkeypatch):
    write = objects.write_json

    def raced(path, value):
        write(path, value)
        write(path, {**value, "token": "another"})

    monkeypatch.setattr(objects, "write_json", raced)
    with pytest.raises(SyncError, match="same instant"):
        Lock(objects, clock, NAMES).acquire()


def test_a_folder_that_cannot_be_written_is_named(tmp_path, clock):
    (tmp_path / "locks").write_text("a file where the folder should be")
    with pytest.raises(SyncError, match="setting storage_url: the lock cannot be written"):
        Lock(Storage(str(tmp_path)), clock, NAMES).acquire()
