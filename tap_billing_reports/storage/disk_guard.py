"""A file on its way, in the sync's folder: it never takes the last of the disk."""

from __future__ import annotations

import errno
import os
from typing import IO, Final

# A sync shares its disk with others: so much of it stays free, or a twentieth of a small one.
RESERVE_BYTES: Final = 100 << 20
RESERVE_SHARE: Final = 20
STEP_BYTES: Final = 8 << 20  # between two looks at the disk; the reserve holds but for so much


class Spool:
    """As much of a binary file as a download uses.

    Args:
        file: opened for writing.
        size: how many bytes are expected; None if nobody has said.

    Raises:
        OSError: ENOSPC, with what would have been needed: at the first write if the expected bytes do not fit.
    """

    def __init__(self, file: IO[bytes], size: int | None = None) -> None:
        self._file = file
        self._needed = size
        self._until_look = 0
        self.seek, self.truncate, self.flush = file.seek, file.truncate, file.flush

    def write(self, data: bytes) -> int:
        self._until_look -= len(data)
        if self._until_look < 0:
            self._look(self._needed or len(data))
        return self._file.write(data)

    def _look(self, needed: int) -> None:
        disk = os.fstatvfs(self._file.fileno())
        reserve = min(RESERVE_BYTES, disk.f_blocks * disk.f_frsize // RESERVE_SHARE)
        room = disk.f_bavail * disk.f_frsize - reserve
        if needed > room:
            raise OSError(errno.ENOSPC, f"{needed} more bytes are needed, and there is room for {max(room, 0)}")
        self._needed, self._until_look = None, STEP_BYTES
