"""Loads messages: rows, new columns and the STATE behind them in one transaction.

A transaction ends at a STATE, so that after a crash at any instant tables and STATE agree: what was not committed comes
again, and nothing that was committed does.
"""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import wraps
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from tap_billing_reports.core.json_text import to_json
from tap_billing_reports.warehouse.batch import Batch, Proof
from tap_billing_reports.warehouse.columns import DELETED_AT, VERSION, Column, Form, Kind, Table
from tap_billing_reports.warehouse.errors import LoadError
from tap_billing_reports.warehouse.messages import Decoder, head_of, whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tap_billing_reports.warehouse.database import Database

# Lines of one stream that are held before they go to the database, and of all streams together.
PIECE_BYTES: Final = 4 << 20
HELD_BYTES: Final = 32 << 20
_Method = TypeVar("_Method", bound="Callable[..., Any]")


@dataclass(frozen=True)
class Options:
    """How a loader loads.

    Attributes:
        job: whose STATE it is; several configurations in one warehouse keep theirs apart.
        keep_state: STATE is stored in the warehouse; otherwise the caller of the tap keeps it.
        commit_bytes: of messages; a transaction ends at the first STATE behind so many.
        commit_seconds: a transaction ends at the first STATE that comes so long after its beginning.
        hard_delete: rows that are marked as deleted are deleted.
    """

    job: str = "default"
    keep_state: bool = True
    commit_bytes: int = 64 << 20
    commit_seconds: float = 10.0
    hard_delete: bool = False


@dataclass
class Totals:
    """What one loader has loaded.

    Attributes:
        rows: of each stream, those that were committed.
        commits: transactions with rows or STATE in them.
        notes: what a person should know, a line each.
    """

    rows: Counter[str] = field(default_factory=Counter)
    commits: int = 0
    notes: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        rows = ", ".join(f"{name} {count}" for name, count in sorted(self.rows.items())) or "none"
        return f"loaded rows: {rows}; commits: {self.commits}"


class _Stream:
    """One stream: its table, and lines that are not in the database yet."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.decoder = Decoder(table)
        # How our tap and the SDK's taps begin a record: lines that begin so need no look at their head.
        name = json.dumps(table.stream)
        openings = [f'{{"type":{space}"RECORD",{space}"stream":{space}{name},'.encode() for space in ("", " ")]
        self.run = re.compile(b"(?:(?:%s)[^\n]*\n)+" % b"|".join(map(re.escape, openings)))
        self.held: list[bytes] = []
        self.size = 0


def _unless_lost(method: _Method) -> _Method:
    """The method within `Loader.guarded`."""

    @wraps(method)
    def guarded(self: Loader, *args: Any, **kwargs: Any) -> Any:
        with self.guarded():
            return method(self, *args, **kwargs)

    return cast("_Method", guarded)


class Loader:
    """Takes messages in their order and loads them.

    Attributes:
        totals: what has been loaded.
        lost: what has ended the load, after which nothing more is taken; None so far.

    Args:
        database: whose transaction it fills.
        options: how.
        committed: told each STATE that was committed, as JSON text.
        monotonic: tells the seconds.
    """

    def __init__(
        self,
        database: Database,
        options: Options,
        committed: Callable[[str], object] = lambda _state: None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database, self._options = database, options
        self._committed, self._monotonic = committed, monotonic
        self._proof = Proof(database)
        self._streams: dict[str, _Stream] = {}
        self._state: str | None = None
        self._had_state = False
        self._pending: Counter[str] = Counter()
        self._behind_state: set[str] = set()  # streams with rows that no STATE stands behind yet
        self._bytes = 0
        self._since = monotonic()
        self.totals = Totals()
        self.lost: LoadError | None = None

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """After an error within, every further call fails: rows of the transaction are lost, and no STATE may follow.

        A tap that ends because of such an error sends its last STATE all the same.

        Raises:
            LoadError: there was an error before.
        """
        if self.lost is not None:
            raise self.lost
        try:
            yield
        except BaseException as error:
            if self.lost is None:
                said = f"the load broke off ({type(error).__name__}); nothing behind the last commit was loaded"
                self.lost = error if isinstance(error, LoadError) else LoadError(said)
            raise

    # -- messages --------------------------------------------------------------------------------------

    @_unless_lost
    def block(self, data: bytes) -> None:
        """Whole lines, in their order. Records of one stream that follow each other are taken together.

        Raises:
            LoadError: a line is no message, or cannot be loaded; the transaction is lost.
        """
        at = 0
        while at < len(data):
            for stream in self._streams.values():
                found = stream.run.match(data, at)
                if found is not None:
                    self._hold(stream, found[0])
                    at = found.end()
                    break
            else:
                end = data.index(b"\n", at) + 1
                self.line(data[at:end])
                at = end

    @_unless_lost
    def line(self, line: bytes) -> None:
        """One message, with its line end; a blank line is none."""
        if not line.strip():
            return
        head = head_of(line)
        if head.type == "RECORD":
            stream = self._streams.get(head.stream or "")
            if stream is None:
                raise LoadError(f"a RECORD of the stream {head.stream} comes before its SCHEMA; the tap is at fault")
            self._hold(stream, line)
        elif head.type == "SCHEMA":
            self.schema(whole(line))
        elif head.type == "STATE":
            found = whole(line)
            if "value" not in found:
                raise LoadError("a STATE message has no value; the tap is at fault")
            self.state(to_json(found["value"]))
        elif head.type == "ACTIVATE_VERSION":
            self.activate(whole(line))
        elif head.type == "BATCH":
            raise LoadError(
                f"stream {head.stream}: BATCH messages are not read; leave out batch_config in the tap's settings"
            )
        else:
            raise LoadError(f"messages of type {head.type[:40]!r} are not known; is the tap newer than this loader?")

    @_unless_lost
    def schema(self, message: dict[str, Any]) -> None:
        """A stream and its columns; again whenever they have changed."""
        table = Table.of(message)
        stream = self._streams.get(table.stream)
        if stream is not None:
            if VERSION in stream.table.names:
                table = _versioned(table)
            if table == stream.table:
                return
            self._load(stream)
        fresh = self._streams[table.stream] = _Stream(table)
        if stream is not None:
            fresh.decoder.altered, fresh.decoder.unknown = stream.decoder.altered, stream.decoder.unknown
        self._database.prepare(table)

    def table(self, stream: str) -> Table:
        """The table of a stream whose SCHEMA has come."""
        return self._streams[stream].table

    @_unless_lost
    def activate(self, message: dict[str, Any]) -> None:
        """Rows of older versions of the stream are no longer there at its source."""
        stream, version = self._streams.get(str(message.get("stream"))), message.get("version")
        if stream is None or not isinstance(version, int):
            raise LoadError("an ACTIVATE_VERSION message names no known stream, or no version; the tap is at fault")
        self._load(stream)
        self._with_versions(stream)
        self._database.expire(stream.table, version, hard=self._options.hard_delete)
        self._behind_state.add(stream.table.stream)

    @_unless_lost
    def state(self, value: str, *, at_once: bool = False) -> None:
        """Progress of the tap: everything before it may be committed with it.

        Args:
            value: JSON text.
            at_once: commit now.
        """
        self._state, self._had_state = value, True
        self._behind_state.clear()
        due = self._bytes >= self._options.commit_bytes
        if at_once or due or self._monotonic() - self._since >= self._options.commit_seconds:
            self.commit()

    # -- rows ------------------------------------------------------------------------------------------

    @_unless_lost
    def rows(self, batch: Batch, size: int, *, new: bool, proven: bool = False) -> None:
        """Rows that come typed.

        Args:
            batch: of a stream whose SCHEMA has come.
            size: about how many bytes of messages they would be.
            new: their keys are surely neither in the warehouse nor twice in the batch.
            proven: their values are what their columns' kinds say; only their digits may be too many.
        """
        if not (proven and self._database.digits.are_unlimited):
            self._proof.check(batch)
        load = self._database.append if new else self._database.stage
        self.put(batch.table, len(batch.rows), size, lambda: load(batch))

    @_unless_lost
    def put(self, table: Table, count: int, size: int, load: Callable[[], object]) -> None:
        """Rows of a stream that go to the database by themselves, behind those that came before.

        Args:
            table: whose SCHEMA has come.
            count: how many rows.
            size: about how many bytes of messages they would be.
            load: takes them to the database.
        """
        self._load(self._streams[table.stream])
        load()
        self._pending[table.stream] += count
        self._behind_state.add(table.stream)
        self._bytes += size

    def _hold(self, stream: _Stream, lines: bytes) -> None:
        self._behind_state.add(stream.table.stream)
        stream.held.append(lines)
        stream.size += len(lines)
        self._bytes += len(lines)
        if stream.size >= PIECE_BYTES:
            self._load(stream)
        elif sum(one.size for one in self._streams.values()) >= HELD_BYTES:
            self._load(max(self._streams.values(), key=lambda one: one.size))

    def _load(self, stream: _Stream) -> None:
        """What is held of a stream goes to the database."""
        if not stream.held:
            return
        lines, stream.held, stream.size = b"".join(stream.held), [], 0
        batch = stream.decoder.batch(lines)
        if batch.table is not stream.table:
            self._with_versions(stream)
            batch = Batch(stream.table, batch.rows, batch.attributes, batch.shared)
        self._proof.check(batch)
        self._database.stage(batch)
        self._pending[batch.table.stream] += len(batch.rows)

    def _with_versions(self, stream: _Stream) -> None:
        wanted = _versioned(stream.table)
        if wanted != stream.table:
            stream.table = stream.decoder.table = wanted
            self._database.prepare(wanted)

    # -- transactions ----------------------------------------------------------------------------------

    @_unless_lost
    def commit(self) -> None:
        """End the transaction, with the last STATE if one has come since the last commit."""
        for stream in self._streams.values():
            self._load(stream)
        if self._options.hard_delete:
            for name in self._pending:
                if DELETED_AT in self._streams[name].table.names:
                    self._database.purge(self._streams[name].table)
        if self._state is None and not self._pending:
            return
        self._database.commit(self._options.job, self._state if self._options.keep_state else None)
        self.totals.rows.update(self._pending)
        self.totals.commits += 1
        if self._state is not None:
            self._committed(self._state)
        self._state = None
        self._pending.clear()
        self._bytes, self._since = 0, self._monotonic()

    @property
    def may_commit(self) -> bool:
        """Whether a STATE waits that can be committed now.

        Not with rows behind it of a stream without a key: they would come again, and nothing would tell them from
        the first ones.
        """
        return self._state is not None and not self._unsure()

    def _unsure(self) -> list[str]:
        """Streams without a key that have rows behind the last STATE."""
        return sorted(name for name in self._behind_state if not self._streams[name].table.keys)

    @_unless_lost
    def finish(self) -> None:
        """The input has ended: commit what is there.

        Raises:
            LoadError: rows of a stream without a key stand behind the last STATE. The tap will send them again, and
                nothing would tell them from the first ones; all before that STATE is committed.
        """
        unsure = self._unsure()
        if self._had_state and unsure:
            raise LoadError(
                f"stream {unsure[0]}: the tap ended without a STATE behind its last rows, and the stream has no key "
                f"that would tell whether they come again; they were not loaded, all before the last commit was; "
                f"run again"
            )
        self.commit()
        for name, stream in sorted(self._streams.items()):
            if stream.decoder.altered:
                self.totals.notes.append(
                    f"stream {name}: {stream.decoder.altered} texts held NUL or half a character; U+FFFD stands for it"
                )
            if stream.decoder.unknown is not None:
                self.totals.notes.append(
                    f"stream {name}: records have a property {stream.decoder.unknown!r} that their SCHEMA lacks; it "
                    f"was left out"
                )


def _versioned(table: Table) -> Table:
    """The table with the columns that ACTIVATE_VERSION needs."""
    table = table.with_version()
    if DELETED_AT in table.names:
        return table
    return Table(table.stream, (*table.columns, Column(DELETED_AT, Kind.TIMESTAMP, Form.TEXT)), table.keys)
