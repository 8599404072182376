"""How far a sync is: one line a period and a sign of life while it waits, or a live view on a terminal."""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import threading
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tap_billing_reports.core.redaction import redact
from tap_billing_reports.reports.events import Event, Listener
from tap_billing_reports.reports.jobs import ENDS, GOT, Step
from tap_billing_reports.singer.console.live_view import LiveView, duration
from tap_billing_reports.singer.outcome import Place

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tap_billing_reports.core.clock import Clock
    from tap_billing_reports.reports.jobs import ReportJob

# While runs are waited for, a line comes at least about this often, and a sign of life never more often.
HEARTBEAT_SECONDS = 60.0

logger = logging.getLogger("tap-billing-reports")


@dataclass
class _Standing:
    """Where a period stands: no step yet, on its way since (monotonic seconds), or at its end."""

    job: ReportJob
    step: Step | None = None
    since: float = 0.0


@dataclass(frozen=True)
class Glance:
    """The board at one moment: periods by where they stand, and the run that is waited for longest."""

    pending: int
    running: int
    ready: int
    ended: Counter[Step]
    slowest: ReportJob | None
    seconds: float


@dataclass
class Board(Listener):
    """Where all periods stand. Told by the main thread, looked at by any.

    Attributes:
        steps: how often each transition happened. files, size: what was collected, in bytes.
        left: (stream, account, step, reason) -> periods that ended without being read.
    """

    clock: Clock
    steps: Counter[Step] = field(default_factory=Counter)
    files: int = 0
    size: int = 0
    left: dict[tuple[str, str, Step, str], list[str]] = field(default_factory=dict)
    _standings: dict[str, _Standing] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def planned(self, jobs: Sequence[ReportJob]) -> None:
        with self._lock:
            self._standings.update((str(job), _Standing(job)) for job in jobs)

    def tell(self, event: Event) -> None:
        job = event.job
        with self._lock:
            self.steps[event.step] += 1
            standing = self._standings.setdefault(str(job), _Standing(job))
            standing.step = None if event.step is Step.AGAIN else event.step
            if event.step in GOT:
                standing.since = self.clock.monotonic()
            self.files += event.files or 0
            self.size += event.size or 0
            if event.step in {Step.DEFERRED, Step.LEFT}:
                key = (job.report.stream, job.account.account_id, event.step, event.reason or "")
                self.left.setdefault(key, []).append(job.period.key)

    def ends(self) -> dict[Place, Counter[Step | None]]:
        """How many of the periods that were due have come to which end, None: to none of them."""
        found: dict[Place, Counter[Step | None]] = {}
        with self._lock:
            for standing in self._standings.values():
                job = standing.job
                place = Place(job.client.name, job.row_account, job.report.stream)
                end = standing.step if standing.step in ENDS else None
                found.setdefault(place, Counter())[end] += 1
        return found

    def glance(self) -> Glance:
        """How things stand now."""
        with self._lock:
            standings = list(self._standings.values())
        running = [standing for standing in standings if standing.step in GOT]
        slowest = min(running, key=lambda standing: standing.since, default=None)
        ended = Counter(standing.step for standing in standings if standing.step in ENDS)
        pending = sum(standing.step is None for standing in standings)
        return Glance(
            pending=pending,
            running=len(running),
            ready=len(standings) - pending - len(running) - ended.total(),
            ended=ended,
            slowest=None if slowest is None else slowest.job,
            seconds=0.0 if slowest is None else self.clock.monotonic() - slowest.since,
        )


class Progress(Listener):
    """Shows what happens: live where a person watches, else line by line.

    Args:
        records: stream -> records sent so far, filled by others.
    """

    def __init__(self, clock: Clock, records: Counter[str]) -> None:
        self.board = Board(clock)
        self._clock = clock
        self._records = records
        self._view: LiveView | None = None
        self._spoke_at = clock.monotonic()

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Shows while inside. A terminal that goes away ends nothing but the view."""
        if is_watched():
            self._view = LiveView(self._lines, self._records.total, sys.stderr)
            self._view.start()
        try:
            with enduring():
                yield
        finally:
            if self._view is not None:
                self._view.close()
                self._view = None

    def planned(self, jobs: Sequence[ReportJob]) -> None:
        self.board.planned(jobs)

    def tell(self, event: Event) -> None:
        self.board.tell(event)
        if event.step is Step.AGAIN:
            self._say(line_of(event), logging.WARNING)
        elif self._view is None:
            self._say(line_of(event), logging.INFO if _is_news(event) else logging.DEBUG)

    def pulse(self) -> None:
        if self._view is not None or self._clock.monotonic() - self._spoke_at < HEARTBEAT_SECONDS:
            return
        now = self.board.glance()
        if now.slowest is None and not (now.pending or now.ready):
            return
        facts: dict[str, object] = {"pending": now.pending, "running": now.running, "ready": now.ready}
        facts |= {step.value: now.ended[step] for step in (Step.DONE, Step.FAILED)}
        if now.slowest is None:
            self._say(pairs({"event": "progress", **facts}))
        else:
            waited = {"slowest": str(now.slowest), "seconds": round(now.seconds)}
            self._say(pairs({"event": "waiting", **facts, **waited}))

    def _say(self, text: str, level: int = logging.INFO) -> None:
        logger.log(level, "%s", text)
        if level >= logging.INFO:
            self._spoke_at = self._clock.monotonic()

    def _lines(self, elapsed: float, rate: float) -> list[str]:
        """The live view's lines."""
        now, board = self.board.glance(), self.board
        ends = [f"{count} {step.value}" for step, count in sorted(now.ended.items()) if step is not Step.DONE]
        runs = [f"{now.pending} pending", f"{now.running} running", f"{now.ended[Step.DONE]} done", *ends]
        lines = [
            f"{duration(elapsed)}  runs: {', '.join(runs)}",
            f"{board.size:,} bytes in {board.files} files, {self._records.total():,} records, {rate:,.0f} rows/s",
        ]
        if now.slowest is not None:
            lines.append(f"slowest: {now.slowest}, {duration(now.seconds)}")
        # Before the view cuts them: of a secret that is cut nobody knows that it is one.
        return [*map(redact, lines)]


def _is_news(event: Event) -> bool:
    """Whether it is a line of its own for everybody: a failure, or a run that somebody has waited for.

    A first sync has thousands of periods that need no order, and each some steps: these lines are for those who look
    for a fault. What is left of them is one line a report and account at the end.
    """
    return event.step is Step.FAILED or (event.step is Step.DONE and event.job.is_ordered)


def line_of(event: Event) -> str:
    """The transition as `key=value` pairs; what is not known is left out."""
    job = event.job
    return pairs(
        {
            "event": event.step.value,
            "source": job.client.name,
            "account": job.account.account_id,
            "report": job.report.name,
            "period": job.key,
            "run_id": event.run_id,
            "attempt": event.attempt,
            "files": event.files,
            "bytes": event.size,
            "rows": event.rows,
            "reason": event.reason,
        }
    )


def pairs(facts: dict[str, object]) -> str:
    """`key=value key=value`; a value with blanks, quotes or an equals sign is quoted as in JSON."""
    return " ".join(f"{key}={_quoted(str(value))}" for key, value in facts.items() if value is not None)


def _quoted(value: str) -> str:
    if value and value.isprintable() and not any(mark in value for mark in ' "='):
        return value
    return json.dumps(value, ensure_ascii=False)


def is_watched() -> bool:
    """Whether stderr is a terminal that can redraw lines, and stdout none: messages would run through the view."""
    if os.environ.get("TERM", "dumb") == "dumb":
        return False
    try:
        return sys.stderr.isatty() and not sys.stdout.isatty()
    except (AttributeError, ValueError):
        # Closed, or never there.
        return False


@contextmanager
def enduring() -> Iterator[None]:
    """A terminal that hangs up does not end what runs inside. If the target goes with it, stdout breaks: that does."""
    handled = None
    in_main = threading.current_thread() is threading.main_thread()
    if in_main and signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:
        handled = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        yield
    finally:
        if handled is not None:
            signal.signal(signal.SIGHUP, handled)
