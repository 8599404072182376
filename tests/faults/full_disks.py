"""Disks that are full for one file: given to a sync before it runs, and undone after it."""

from __future__ import annotations

import errno
import os
import threading
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from tap_billing_reports.storage.disk_guard import Spool
from tests.typed import writer_of

if TYPE_CHECKING:
    from tap_billing_reports.core.about import About
    from tap_billing_reports.singer.tap import TapBillingReports


def steady(tap: TapBillingReports) -> None:
    """The number of writes does not depend on how fast the machine is."""
    writer_of(tap).max_age = float("inf")


class Writes:
    """Counts the writes to stdout."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, tap: TapBillingReports) -> None:
        steady(tap)
        writer = writer_of(tap)
        write = writer._put

        def put(data: bytes | bytearray) -> None:
            self.count += 1
            write(data)

        writer._put = put  # type: ignore[method-assign]

    def undo(self) -> None:
        """Nothing is left behind."""


class Downloads:
    """The temporary folder is full when this file (from 0) comes down, whichever thread fetches it.

    Args:
        only_ahead: it has room again once the main thread fetches the file itself.
    """

    says = "temporary folder"

    def __init__(self, number: int, *, only_ahead: bool = False) -> None:
        self.number, self._only_ahead = number, only_ahead
        self.files: dict[str, bool] = {}
        """Each file in order of its first try, and whether that was ahead."""

    @property
    def count(self) -> int:
        """Files so far."""
        return len(self.files)

    def __call__(self, tap: TapBillingReports) -> None:
        from tap_billing_reports.http import received

        steady(tap)
        original = received.write

        def write(to: Any, first: bytes, rest: Any, about: About) -> Any:
            name = getattr(to, "_file", to).name
            is_ahead = threading.current_thread() is not threading.main_thread()
            self.files.setdefault(name, is_ahead)
            is_it = list(self.files).index(name) == self.number
            target: Any = Full(to) if is_it and (is_ahead or not self._only_ahead) else to
            return original(target, first, rest, about)

        self._patch = patch.object(received, "write", write)
        self._patch.start()

    def undo(self) -> None:
        self._patch.stop()


class Lists:
    """The temporary folder is full when this list (from 0) is written down as rows; one without rows is not counted."""

    says = "temporary folder"

    def __init__(self, number: int) -> None:
        self.number, self.count = number, 0

    def __call__(self, tap: TapBillingReports) -> None:
        steady(tap)
        self._patch = patch("tap_billing_reports.reports.files.paged.Spool", lambda file: _Rows(self, file))
        self._patch.start()

    def undo(self) -> None:
        self._patch.stop()

    def begun(self, file: Any) -> Any:
        """Where the rows of a list go, of which there is one."""
        number, self.count = self.count, self.count + 1
        return Full(file) if number == self.number else Spool(file)


class _Rows:
    """The file of one list."""

    def __init__(self, lists: Lists, file: Any) -> None:
        self._lists, self._file = lists, file
        self._to: Any = None

    def write(self, data: bytes) -> int:
        self._to = self._to or self._lists.begun(self._file)
        written: int = self._to.write(data)
        return written


class Objects:
    """The storage is full when this object (from 0) is written."""

    says = "storage_url"

    def __init__(self, number: int) -> None:
        self.number, self.count = number, 0

    def __call__(self, tap: TapBillingReports) -> None:
        storage = tap.session.storage
        assert storage is not None
        original = storage._replacing

        def replacing(path: str) -> Any:
            number, self.count = self.count, self.count + 1
            return _Replacing(original(path)) if number == self.number else original(path)

        storage._replacing = replacing  # type: ignore[method-assign]

    def undo(self) -> None:
        """The storage belongs to the sync alone."""


class Full:
    """Takes half of what is written into a file, and then no more."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def write(self, data: bytes) -> int:
        self._file.write(data[: len(data) // 2])
        self._file.flush()
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class _Replacing:
    """An object of the storage that does not get its bytes."""

    def __init__(self, replacing: Any) -> None:
        self._replacing = replacing

    def __enter__(self) -> Full:
        return Full(self._replacing.__enter__())

    def __exit__(self, *error: object) -> None:
        self._replacing.__exit__(*error)
