"""How STATE goes out: encoded once, only when it has changed, and no oftener than it is worth.

A STATE holds the progress of all accounts, so its size grows with them. Sent at every step, all STATEs of a sync
together would grow with their square.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from singer_sdk.helpers._state import StateWriter
from singer_sdk.singerlib.encoding.simple import StateMessage

if TYPE_CHECKING:
    from collections.abc import Callable

    from singer_sdk.singerlib.encoding.base import GenericSingerWriter

# At once while that is cheap: so much for nothing, and so much more each second.
FREE_BYTES: Final = 256 << 10
BYTES_A_SECOND: Final = 4 << 10


class LineStates(StateWriter):
    """Sends a STATE whose line differs from the last one's.

    The SDK's own compares each STATE value by value with a copy of the last one, and copies it twice: with
    hundreds of accounts that takes longer than everything else together.

    Attributes:
        sent: bytes of all STATEs so far.
        parts: called before each, to write into the bookmarks what is kept apart between two.
    """

    def __init__(self, writer: GenericSingerWriter[Any, Any]) -> None:
        super().__init__(writer)
        self._last: Any = None
        self.sent = 0
        self.parts: list[Callable[[], None]] = []

    def write_state(self, state: Any) -> None:
        for write in self.parts:
            write()
        message = StateMessage(value=state)
        line = self._message_writer.serialize_message(message)
        if line != self._last:
            self._message_writer.write_message(message)
            self._last = line
            self.sent += len(line)


class Pace:
    """Decides whether STATE goes out now.

    In the long run the bytes grow with time, whatever the STATE's size: it waits some seconds, or longer where it
    is big. What must not wait is sent at once as long as there is something left of an allowance.

    Args:
        monotonic: tells the seconds.
        seconds: between two STATEs that could wait.
    """

    def __init__(self, monotonic: Callable[[], float], seconds: float) -> None:
        self._monotonic = monotonic
        self._seconds = seconds
        self._at = float("-inf")
        self._size = 0
        self._allowance = float(FREE_BYTES)
        self._allowed_at = monotonic()

    def allows(self, *, at_once: bool) -> bool:
        """Whether STATE may go out, by the size of the last one."""
        now = self._monotonic()
        gained = (now - self._allowed_at) * BYTES_A_SECOND
        self._allowance, self._allowed_at = min(FREE_BYTES, self._allowance + gained), now
        if at_once and self._size <= self._allowance:
            return True
        return now - self._at >= max(self._seconds, self._size / BYTES_A_SECOND)

    def sent(self, size: int) -> None:
        """A STATE of so many bytes has gone out; 0: it had not changed."""
        self._at = self._monotonic()
        self._size = size or self._size
        self._allowance -= size
