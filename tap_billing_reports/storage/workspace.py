"""The temporary folder of one sync: its own, gone at its end, and swept away by a later one if it was killed."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

PREFIX = "tap-billing-reports-"
# What `mkdtemp` makes of the prefix, and nothing that somebody else gave a longer name.
_IS_OURS = re.compile(re.escape(PREFIX) + r"[a-z0-9_]{8}").fullmatch


class Workspace:
    """A folder in the system's temporary one, mode 0700, made when it is first asked for.

    The process holds the kernel's lock on the folder itself as long as it lives, so that a folder without one
    belongs to a sync that was killed.
    """

    def __init__(self) -> None:
        self._path: Path | None = None
        self._lock = -1

    @property
    def path(self) -> Path:
        """The folder; the same until `remove`."""
        while self._path is None:
            path = Path(tempfile.mkdtemp(prefix=PREFIX))
            try:
                # A file system that cannot lock keeps it all the same: nobody else gets a lock there either.
                self._lock = _locked(path)
            except (BlockingIOError, FileNotFoundError):
                # Another sync's sweep came between the two calls, and takes the folder away.
                continue
            except OSError:
                self._lock = -1
            self._path = path
        return self._path

    def remove(self) -> None:
        """Give the disk back."""
        if self._path is not None:
            shutil.rmtree(self._path, ignore_errors=True)
            self._path = None
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


def sweep() -> int:
    """Remove this user's folders of syncs that live no longer, and say how many.

    What cannot be looked at, locked or removed is left alone.
    """
    removed = 0
    for path in _folders():
        with suppress(OSError):
            removed += _removed(path)
    return removed


def orphans() -> list[Path]:
    """This user's folders of syncs that live no longer; nothing is removed."""
    found = []
    for path in _folders():
        with suppress(OSError):
            os.close(_locked(path))
            found.append(path)
    return found


def _folders() -> list[Path]:
    """This user's folders of syncs, of whatever standing; what cannot be looked at is left out."""
    paths = []
    with suppress(OSError), os.scandir(tempfile.gettempdir()) as found:
        for entry in found:
            if _IS_OURS(entry.name):
                with suppress(OSError):
                    here = entry.stat(follow_symlinks=False)
                    if stat.S_ISDIR(here.st_mode) and here.st_uid == os.geteuid():
                        paths.append(Path(entry.path))
    return sorted(paths)


def _removed(path: Path) -> bool:
    """Whether the folder was nobody's and is gone. OSError: somebody's, or not to be locked."""
    lock = _locked(path)
    try:
        shutil.rmtree(path, ignore_errors=True)
        return not path.exists()
    finally:
        os.close(lock)


def _locked(path: Path) -> int:
    """The folder, open and locked.

    Raises:
        BlockingIOError: another process holds it. FileNotFoundError: it is gone, or another one by now.
        OSError: it cannot be locked.
    """
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Between opening and locking it may have been removed by the one that had the lock.
        if not os.path.samestat(os.fstat(folder), path.lstat()):
            raise FileNotFoundError(path)
    except BaseException:
        os.close(folder)
        raise
    return folder
