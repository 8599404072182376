"""Messages to stdout in whole lines, and the end of a sync between two of them."""

from __future__ import annotations

import atexit
import logging
import os
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec
from singer_sdk.contrib.msgspec import enc_hook
from singer_sdk.singerlib.encoding.base import GenericSingerWriter, SingerMessageType
from singer_sdk.singerlib.encoding.simple import Message, StateMessage

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from tap_billing_reports.reports.files.readers import ArrayChunk


logger = logging.getLogger(__name__)


encoder: Final = msgspec.json.Encoder(enc_hook=enc_hook, decimal_format="number")


class RowSink(Protocol):
    """Takes rows as they come from their reader, without a message around them."""

    def rows(self, stream: str, rows: Sequence[Any], names: Collection[str], constants: Mapping[str, Any]) -> None:
        """Some rows of one stream, whose SCHEMA has gone out.

        Args:
            stream: its name.
            rows: of one `msgspec.Struct` type.
            names: the properties that records may carry.
            constants: what all rows share; a row's own field of that name wins.
        """
        ...


class ArraySink(RowSink, Protocol):
    """Takes them as Arrow arrays as well.

    Attributes:
        amounts_as_text: how it wants decimal columns.
    """

    amounts_as_text: bool

    def arrays(self, stream: str, chunk: ArrayChunk, names: Collection[str], constants: Mapping[str, Any]) -> None:
        """As `rows`, by column."""
        ...


class BufferedWriter(GenericSingerWriter[bytes, Message]):
    """Writes messages as JSON lines to stdout, RECORDs some 64 KiB at a time.

    Any other message goes out at once, after the records before it, so a STATE never overtakes a RECORD. What
    is still held at the end of the process is written then; if that fails, the process fails.
    """

    row_sink: RowSink | None = None  # takes report rows in the place of RECORD messages
    array_sink: ArraySink | None = None  # the same, where it takes arrays

    limit = 1 << 16
    max_age = 1.0  # seconds that a record may wait while others come

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._oldest = 0.0
        self._critical = 0
        self._deferred: Callable[[], object] | None = None
        self.ended: int | None = None  # the exit status of a termination: nothing more may go out
        atexit.register(self._flush_at_exit)

    def serialize_message(self, message: Message) -> bytes:
        # `to_dict` copies all that is in a message, and a STATE may be large.
        whole = {"type": "STATE", "value": message.value} if isinstance(message, StateMessage) else message.to_dict()
        return encoder.encode(whole) + b"\n"

    def write_message(self, message: Message) -> None:
        self.write_lines(self.serialize_message(message), at_once=message.type is not SingerMessageType.RECORD)

    def write_lines(self, lines: bytes, *, at_once: bool = False) -> None:
        """Whole lines, each with its line break; SystemExit after a termination."""
        self.heed()
        with self.atomic():
            if len(lines) >= self.limit:
                self.flush()
                self._put(lines)
                return
            now = time.monotonic()
            if not self._buffer:
                self._oldest = now
            self._buffer += lines
            if at_once or len(self._buffer) >= self.limit or now - self._oldest > self.max_age:
                self.flush()

    def flush(self) -> None:
        """Everything held goes to stdout now; OSError if nobody takes it."""
        if not self._buffer:
            return
        with self.atomic():
            data, self._buffer = self._buffer, bytearray()
            self._put(data)

    @staticmethod
    def _put(data: bytes | bytearray) -> None:
        out = sys.stdout.buffer
        # With PYTHONUNBUFFERED=1 stdout is a raw file, which may take only a part of what it is given.
        left = memoryview(data)
        while left:
            left = left[out.write(left) :]
        out.flush()

    def hold(self) -> None:
        """From here to `let_go` nothing is interrupted by a termination; they may be nested."""
        self._critical += 1

    def let_go(self) -> None:
        """The end of `hold`. A termination that came meanwhile is handled here."""
        self._critical -= 1
        if not self._critical and self._deferred is not None:
            deferred, self._deferred = self._deferred, None
            deferred()

    @contextmanager
    def atomic(self) -> Iterator[None]:
        """What runs in here is not interrupted by a termination; that is handled on the way out."""
        self.hold()
        try:
            yield
        finally:
            self.let_go()

    def heed(self) -> None:
        """End again what a termination should have ended.

        Python throws away an exception that a signal's handler raises within a destructor.
        """
        if self.ended is not None:
            raise SystemExit(self.ended)

    def when_idle(self, action: Callable[[], object]) -> None:
        """Do it now, or as soon as no message is being written; what was to be done first then counts."""
        if not self._critical:
            action()
        elif self._deferred is None:
            self._deferred = action

    def _flush_at_exit(self) -> None:
        # Nothing that a signal raises here would reach anybody: the process ends, and its status is decided.
        self.hold()
        try:
            self.flush()
        except OSError as error:
            # Records that nobody received must not end in exit status 0, and atexit cannot raise.
            logger.critical("the last records could not be delivered: %s", error)
            sys.stderr.flush()
            os._exit(1)
