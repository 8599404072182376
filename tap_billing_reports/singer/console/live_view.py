"""A few lines on a terminal that are redrawn in place, below the log."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Callable

REDRAW_SECONDS = 0.25
# The rate is that of the last seconds, so that it follows what happens now.
RATE_SECONDS = 5.0
_UP, _CLEAR_LINE, _CLEAR_BELOW = "\x1b[{}A", "\x1b[K", "\x1b[J"


def duration(seconds: float) -> str:
    """`0:42`, `12:07`, `3:05:00`."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


class LiveView:
    """Redraws itself from a thread of its own until it is closed or the terminal is gone.

    Log lines that go to the same terminal are written above it.

    Args:
        lines: gives the lines, from the seconds since the start and the rate of `count` in rows a second.
        count: gives the number of rows so far.
    """

    def __init__(self, lines: Callable[[float, float], list[str]], count: Callable[[], int], terminal: TextIO) -> None:
        self._lines = lines
        self._count = count
        self._terminal = terminal
        # Reentrant: a destructor may log while its thread is drawing.
        self._lock = threading.RLock()
        self._drawn = ""
        self._gone = False
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="progress", daemon=True)
        self._started = time.monotonic()
        self._counted: deque[tuple[float, int]] = deque()
        self._handlers: list[logging.StreamHandler[TextIO]] = []

    def start(self) -> None:
        """Begin to draw, and take the log's lines over."""
        for handler in logging.getLogger().handlers:
            if isinstance(handler, logging.StreamHandler) and handler.stream is self._terminal:
                handler.setStream(_Above(self, self._terminal))
                self._handlers.append(handler)
        self._thread.start()

    def close(self) -> None:
        """Clear the view away and give the log back."""
        self._ended.set()
        self._thread.join(1.0)
        self.write("")
        for handler in self._handlers:
            handler.setStream(self._terminal)

    def write(self, text: str) -> None:
        """Write above the view, which comes back at its next turn."""
        with self._lock:
            erase = "\r" + _CLEAR_BELOW if self._drawn else ""
            self._drawn = ""
            self._put(erase + text)

    # -- the thread ------------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._gone and not self._ended.wait(REDRAW_SECONDS):
            self._draw()

    def _draw(self) -> None:
        now = time.monotonic()
        lines = self._lines(now - self._started, self._rate(now))
        with self._lock:
            if self._ended.is_set():
                return
            width = self._width()
            text = "\n".join(line[:width] + _CLEAR_LINE for line in lines)
            if text == self._drawn:
                return
            # The cursor waits at the start of the first line, where the log goes on.
            self._put("\r" + text + _CLEAR_BELOW + "\r" + (_UP.format(len(lines) - 1) if len(lines) > 1 else ""))
            self._drawn = text

    def _rate(self, now: float) -> float:
        self._counted.append((now, self._count()))
        while now - self._counted[0][0] > RATE_SECONDS:
            self._counted.popleft()
        then, before = self._counted[0]
        return (self._counted[-1][1] - before) / (now - then) if now > then else 0.0

    def _width(self) -> int:
        try:
            columns = os.get_terminal_size(self._terminal.fileno()).columns
        except (OSError, ValueError):
            columns = 0
        # The last column stays free: some terminals wrap there. 0 means that the terminal does not say.
        return (columns or 80) - 1

    def _put(self, text: str) -> None:
        """Nothing that a terminal does may disturb the sync."""
        if self._gone:
            return
        try:
            self._terminal.write(text)
            self._terminal.flush()
        except (OSError, ValueError):
            self._gone = True


class _Above:
    """What log handlers write to while a view is shown."""

    def __init__(self, view: LiveView, terminal: TextIO) -> None:
        self.write = view.write
        self.flush = lambda: None
        self.isatty = terminal.isatty
        self.fileno = terminal.fileno
