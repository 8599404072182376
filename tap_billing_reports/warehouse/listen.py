"""Reads a tap's messages from a pipe while the database works, and commits when the tap has nothing more to say."""

from __future__ import annotations

import fcntl
import queue
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from tap_billing_reports.warehouse.errors import LoadError
from tap_billing_reports.warehouse.messages import LONGEST_LINE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_billing_reports.warehouse.loader import Loader

BLOCK: Final = 1 << 20  # bytes that are read at once
AHEAD: Final = 32  # blocks that are read while the database works


def load_from(file: int, loader: Loader) -> None:
    """Load all messages of a pipe, to its end.

    Args:
        file: its descriptor.
        loader: what takes them.

    Raises:
        LoadError: a message cannot be loaded; what was committed stays.
        OSError: the pipe cannot be read.
    """
    rest: list[bytes] = []
    size = 0
    for data in _blocks(file, loader):
        end = data.rfind(b"\n") + 1
        if end:
            loader.block(b"".join((*rest, data[:end])))
            rest, size = [data[end:]], len(data) - end
        else:
            rest.append(data)
            size += len(data)
        if size > LONGEST_LINE:
            raise LoadError(f"a line of the input has more than {LONGEST_LINE >> 20} MiB; is it a tap's output?")
    last = b"".join(rest)
    if last.strip():
        # A message without its line end was cut off, unless it is whole.
        loader.line(last)
    loader.finish()


def _blocks(file: int, loader: Loader) -> Iterator[bytes]:
    """What the pipe gives; a STATE that waits is committed whenever the tap pauses.

    A tap that waits for a vendor relies on its last STATE: an order that is known to nobody would be made again.
    """
    ahead: queue.Queue[bytes | OSError] = queue.Queue(AHEAD)
    threading.Thread(target=_read, args=(file, ahead), daemon=True, name="reader").start()
    while True:
        try:
            data = ahead.get_nowait()
        except queue.Empty:
            if loader.may_commit:
                loader.commit()
            data = ahead.get()
        if isinstance(data, OSError):
            raise data
        if not data:
            return
        yield data


def _read(file: int, ahead: queue.Queue[bytes | OSError]) -> None:
    # Linux alone: a pipe of 64 KiB makes the tap wait for this thread, which waits for the loader's, at each of them.
    with suppress(AttributeError, OSError):
        fcntl.fcntl(file, fcntl.F_SETPIPE_SZ, BLOCK)
    try:
        with open(file, "rb", buffering=0, closefd=False) as pipe:
            while data := pipe.read(BLOCK):
                ahead.put(data)
    except OSError as error:
        ahead.put(error)
    else:
        ahead.put(b"")
