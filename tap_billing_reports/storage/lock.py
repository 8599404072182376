"""One sync at a time: a lock in the storage, beside the journal that the syncs would spoil for each other."""

from __future__ import annotations

import fcntl
import hashlib
import os
import threading
import uuid
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tap_billing_reports.core.dates import parse_utc, utc_text
from tap_billing_reports.core.errors import SyncError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from tap_billing_reports.core.clock import Clock
    from tap_billing_reports.storage.files import Storage

BEAT_SECONDS = 60.0
STOP_SECONDS = 30.0
# Without a sign of life for so long, a lock in an object store belongs to a sync that was killed.
STALE_AFTER = timedelta(minutes=15)

# Linux lists all locks there: a look takes none.
_KERNELS = Path("/proc/locks")


class Lock:
    """Holds one lock for each name, all or none.

    On a local file system the lock is the kernel's: it ends with the process, however that ends. In other
    file systems it is an object that shows signs of life, which two syncs that start in the same instant may
    both believe to be theirs: a safeguard, no proof.

    Args:
        names: what is locked, such as a source and the account of its credentials.
    """

    def __init__(self, storage: Storage, clock: Clock, names: Iterable[str]) -> None:
        self._storage = storage
        self._clock = clock
        self._names = sorted(set(names))
        self._token = uuid.uuid4().hex
        self._files: list[int] = []
        self._objects: list[str] = []
        self._beat_at = 0.0
        self._heart: _Heart | None = None

    def acquire(self) -> None:
        """Take the locks.

        Raises:
            SyncError: another sync has one of them.
        """
        try:
            for name in self._names:
                # Names may hold an address or a person's: the file's does not.
                digest = hashlib.sha256(name.encode()).hexdigest()[:16]
                path = self._storage.path("locks", f"{name.partition(' ')[0]}-{digest}")
                local = self._storage.local(path)
                if local is None:
                    self._take_object(path, name)
                else:
                    self._take_file(local, name)
        except BaseException:
            self.release()
            raise
        self._beat_at = self._clock.monotonic()
        if self._objects:
            self._heart = _Heart(self)
            self._heart.start()

    def beat(self) -> None:
        """Show a sign of life, at most once a minute.

        Raises:
            SyncError: another sync has taken the lock over, for it took this one for dead.
        """
        now = self._clock.monotonic()
        if not self._objects or now - self._beat_at < BEAT_SECONDS:
            return
        self._beat_at = now
        for path in self._objects:
            if self._owner(path) not in {None, self._token}:
                raise SyncError(
                    "setting storage_url: another sync has taken over this sync's lock; this one ends; "
                    "sync again when the other has ended"
                )
            self._sign(path)

    def release(self) -> None:
        """Give the locks back; nothing happens without one."""
        if self._heart is not None:
            # Before the lock is given back: a sign after that would be one of a sync that has ended.
            self._heart.stop()
            self._heart = None
        while self._files:
            os.close(self._files.pop())
        while self._objects:
            path = self._objects.pop()
            # A lock that cannot be given back goes stale by itself; that is no reason for a sync to fail.
            with suppress(SyncError):
                if self._owner(path) == self._token:
                    self._storage.write_json(path, {"token": None})

    # -- local files -----------------------------------------------------------------------------------

    def _take_file(self, path: Path, name: str) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise SyncError(
                f"setting storage_url: the lock cannot be written ({error.strerror}): let this user write there"
            ) from None
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(file, 32).decode("ascii", "replace").strip() or "unknown"
            os.close(file)
            raise SyncError(_refusal(name, f"process {holder}")) from None
        except OSError as error:
            os.close(file)
            said = f"setting storage_url: the file system cannot lock ({error.strerror})"
            raise SyncError(f"{said}: use another folder, or an object store") from None
        self._files.append(file)
        os.ftruncate(file, 0)
        os.write(file, str(os.getpid()).encode())

    # -- objects ---------------------------------------------------------------------------------------

    def _take_object(self, path: str, name: str) -> None:
        if self._owner(path) is not None:
            minutes = STALE_AFTER.total_seconds() / 60
            raise SyncError(_refusal(name, f"a sync that showed signs of life within {minutes:.0f} minutes"))
        self._sign(path)
        if self._owner(path) != self._token:
            raise SyncError(_refusal(name, "a sync that started in the same instant"))
        self._objects.append(path)

    def show_life(self, storage: Storage) -> None:
        """Sign what is still ours, from another thread and through a storage of its own."""
        for path in tuple(self._objects):
            if self._owner(path, storage) == self._token:
                self._sign(path, storage)

    def _owner(self, path: str, storage: Storage | None = None) -> str | None:
        """Whose lock it is, None when it is free or stale."""
        found: Any = (storage or self._storage).read_json(path)
        try:
            fresh = self._clock.now() - parse_utc(found["alive_at"]) < STALE_AFTER
            return str(found["token"]) if fresh and found["token"] else None
        except (KeyError, TypeError, ValueError):
            return None

    def _sign(self, path: str, storage: Storage | None = None) -> None:
        alive_at = utc_text(self._clock.now())
        (storage or self._storage).write_json(path, {"token": self._token, "alive_at": alive_at})


class Held(NamedTuple):
    """A lock that somebody has: its file's name, and who."""

    name: str
    holder: str


def held(storage: Storage, now: datetime) -> Iterator[Held]:
    """The locks of a storage that are taken; nothing is changed, and none is taken for longer than a look."""
    for name in (names[-1] for names in storage.below("locks")):
        path = storage.at("locks", name)
        local = storage.local(path)
        if local is not None:
            if (holder := _holder_of_file(local)) is not None:
                yield Held(name, f"process {holder}")
            continue
        found: Any = storage.read_json(path)
        with suppress(KeyError, TypeError, ValueError):
            if found["token"]:
                alive_at = parse_utc(found["alive_at"])
                stale = "which was killed" if now - alive_at >= STALE_AFTER else "which is alive"
                yield Held(name, f"a sync, {stale} (last sign of life {utc_text(alive_at)})")


def _holder_of_file(path: Path) -> str | None:
    """The process that has the kernel's lock; None: nobody has, or it cannot be found out."""
    with suppress(OSError):
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            if _is_locked(file):
                return os.read(file, 32).decode("ascii", "replace").strip() or "unknown"
        finally:
            os.close(file)
    return None


def _is_locked(file: int) -> bool:
    """Whether anybody has the file locked."""
    if _KERNELS.exists():
        inode = f":{os.fstat(file).st_ino} "
        return any(" FLOCK " in line and inode in line for line in _KERNELS.read_text().splitlines())
    # Elsewhere than on Linux a lock of our own tells: a sync that begins in this instant is refused once.
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False


class _Heart(threading.Thread):
    """Shows signs of life while the sync is busy: a long list, a big file, a target that takes nothing for a while."""

    def __init__(self, lock: Lock) -> None:
        super().__init__(name="lock", daemon=True)
        self._lock_of_sync = lock
        self._storage = lock._storage  # noqa: SLF001 - a part of the lock
        self._over = threading.Event()

    def run(self) -> None:
        # What the storage refuses here, it refuses the sync, too, which says so.
        with suppress(SyncError):
            storage = self._storage.another()
            while not self._over.wait(BEAT_SECONDS):
                with suppress(SyncError):
                    self._lock_of_sync.show_life(storage)

    def stop(self) -> None:
        self._over.set()
        self.join(STOP_SECONDS)


def _refusal(name: str, holder: str) -> str:
    return (
        f"{name}: another sync with this storage_url is running ({holder}): wait for its end, or give this one "
        f"a storage_url of its own"
    )
