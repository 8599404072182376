"""Loads in processes of their own, and harm that comes to them at a statement, after some work, or on a full disk."""

from __future__ import annotations

import os
import resource
import signal
import sys
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.killing import _context
from tests.waiting import HANG_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable


class Way(Enum):
    """How rows come into the warehouse."""

    TARGET = "tap | target"  # the target's command; whoever runs it keeps STATE
    KEPT = "STATE kept"  # the loader as `sync` has it: STATE is kept in the warehouse
    SYNC = "sync"  # the command


class Harm(Enum):
    """What happens to a load."""

    NONE = "nothing"
    KILL = "SIGKILL"  # before the statement of that number
    WORK = "killed after some work"  # after so many seconds of the processor
    TERM = "SIGTERM"  # before the statement of that number
    CUT = "the connection is cut"  # by the server, before the statement of that number
    UNHEARD = "the answer to COMMIT is lost"  # that is the statement of that number; it was carried out
    CRASH = "the server crashes"  # and comes back: before the statement of that number
    FULL = "the disk is full"  # no file grows beyond so many bytes
    WAIT = "a stop"  # at the statement of that number, until it is told to go on


@dataclass(frozen=True)
class Blow:
    """One harm, where it hits."""

    harm: Harm = Harm.NONE
    at: float = 0


@dataclass
class Done:
    """How a load ended: its exit code (negative: the signal), what it printed and said, the statements that it made."""

    code: int | None
    out: str
    log: str
    statements: list[str]
    """The first word of each; `state` before a STATE is printed, `printed` after."""
    seconds: float
    """Of the processor."""


@dataclass
class Running:
    """A load that has stopped at a statement."""

    process: Any
    pipe: Any
    folder: Path

    def go_on(self) -> Done:
        self.pipe.send("go")
        return _done(self.process, self.folder)

    def kill(self) -> Done:
        self.process.kill()
        return _done(self.process, self.folder)


def load(way: Way, arguments: list[str], data: bytes, folder: Path, blow: Blow, prepare: Any = None) -> Done:
    """Run one load to its end.

    Args:
        arguments: of the command; of `Way.KEPT` the warehouse's URL and schema.
        data: stands on stdin.
        folder: for its output.
        prepare: called in the process before all else; something that can be pickled.
    """
    process, _ = _start(way, arguments, data, folder, blow, prepare)
    return _done(process, folder)


def stopped(way: Way, arguments: list[str], data: bytes, folder: Path, at: int) -> Running:
    """The same, as far as a statement."""
    process, pipe = _start(way, arguments, data, folder, Blow(Harm.WAIT, at), None)
    assert pipe.poll(HANG_SECONDS), "it does not get as far"
    pipe.recv()
    return Running(process, pipe, folder)


def _start(way: Way, arguments: list[str], data: bytes, folder: Path, blow: Blow, prepare: Any) -> tuple[Any, Any]:
    (folder / "in.jsonl").write_bytes(data)
    for name in ("out", "log", "told"):
        (folder / name).write_bytes(b"")
    ours, theirs = _context.Pipe()
    process = _context.Process(target=_child, args=(way, arguments, str(folder), blow, prepare, theirs))
    process.start()
    theirs.close()
    return process, ours


def _done(process: Any, folder: Path) -> Done:
    process.join(HANG_SECONDS)
    code = process.exitcode
    if code is None:
        process.kill()
        process.join()
    assert code is not None, "the load hangs"
    told = (folder / "told").read_text().splitlines()
    out, log = ((folder / name).read_text() for name in ("out", "log"))
    return Done(code, out, log, told[1:], float(told[0]) if told else 0.0)


class _Statements:
    """A connection that tells of each statement before it is made."""

    def __init__(self, connection: Any, edge: Callable[[Any, str], None]) -> None:
        self._connection, self._edge = connection, edge

    def __getattr__(self, name: str) -> Any:
        if name == "execute":
            return self._execute
        if name in {"commit", "cursor", "transaction", "register"}:
            self._edge(self._connection, name)
        return getattr(self._connection, name)

    def _execute(self, sql: str, *values: Any) -> Any:
        self._edge(self._connection, sql.split(maxsplit=1)[0])
        return self._connection.execute(sql, *values)


def _child(way: Way, arguments: list[str], folder: str, blow: Blow, prepare: Any, pipe: Any) -> None:
    for number, name, how in ((0, "in.jsonl", os.O_RDONLY), (1, "out", os.O_WRONLY), (2, "log", os.O_WRONLY)):
        os.dup2(os.open(f"{folder}/{name}", how), number)
    sys.stdin, sys.stdout, sys.stderr = os.fdopen(0, closefd=False), os.fdopen(1, "w"), os.fdopen(2, "w")
    made = _arm(blow, pipe)
    if prepare is not None:
        prepare()
    code = 1
    try:
        if blow.harm is Harm.WORK:
            # Ends the process at once, wherever it is; a time of its own work, however busy the machine.
            signal.setitimer(signal.ITIMER_PROF, blow.at)
        began = resource.getrusage(resource.RUSAGE_SELF)
        code = _run(way, arguments)
        ended = resource.getrusage(resource.RUSAGE_SELF)
        seconds = ended.ru_utime + ended.ru_stime - began.ru_utime - began.ru_stime
        signal.setitimer(signal.ITIMER_PROF, 0)
        Path(folder, "told").write_text("\n".join([str(seconds), *made]))
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _run(way: Way, arguments: list[str]) -> int:
    if way is Way.KEPT:
        return _keep(*arguments)
    if way is Way.TARGET:
        from tap_billing_reports.warehouse.target import main as command
    else:
        from tap_billing_reports.cli.warehouse import sync as command
    try:
        command.main(arguments)
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    return 0


def _keep(url: str, schema: str) -> int:
    from tap_billing_reports.warehouse.address import address_of
    from tap_billing_reports.warehouse.databases import open_database
    from tap_billing_reports.warehouse.errors import LoadError
    from tap_billing_reports.warehouse.listen import load_from
    from tap_billing_reports.warehouse.loader import Loader, Options

    try:
        database = open_database(address_of(url), schema)
        load_from(0, Loader(database, Options(commit_seconds=0)))
        database.close()
    except LoadError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _arm(blow: Blow, pipe: Any) -> list[str]:
    """Let the harm come; the statements so far."""
    import duckdb
    import psycopg

    from tap_billing_reports.warehouse import target

    made: list[str] = []
    connect_file, connect_server, tell = duckdb.connect, psycopg.connect, target._tell

    def edge(connection: Any, what: str) -> None:
        made.append(what)
        if len(made) == blow.at + 1:
            _strike(blow.harm, connection, connect_server, pipe)

    def file(*args: Any, **kwargs: Any) -> Any:
        if blow.harm is Harm.FULL:
            _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
            resource.setrlimit(resource.RLIMIT_FSIZE, (int(blow.at), most))
        return _Statements(connect_file(*args, **kwargs), edge)

    def server(*args: Any, **kwargs: Any) -> Any:
        connection = connect_server(*args, **kwargs)
        if blow.harm is Harm.FULL:
            limit = int(blow.at)
            resource.prlimit(connection.info.backend_pid, resource.RLIMIT_FSIZE, (limit, limit))
        return _Statements(connection, edge)

    def tells(state: str) -> None:
        edge(None, "state")
        tell(state)
        edge(None, "printed")

    duckdb.connect, psycopg.connect, target._tell = file, server, tells
    return made


def _strike(harm: Harm, connection: Any, connect: Callable[..., Any], pipe: Any) -> None:
    if harm is Harm.KILL:
        os.kill(os.getpid(), signal.SIGKILL)
        signal.pause()
    elif harm is Harm.TERM:
        os.kill(os.getpid(), signal.SIGTERM)
    elif harm is Harm.WAIT:
        pipe.send("here")
        pipe.recv()
    elif harm is Harm.CUT and connection is not None:
        _cut(connection, connect)
    elif harm is Harm.UNHEARD:
        connection.commit()
        _cut(connection, connect)
        connection.execute("select 1")  # raises what COMMIT without an answer raises
    elif harm is Harm.CRASH and connection is not None:
        os.kill(connection.info.backend_pid, signal.SIGKILL)


def _cut(connection: Any, connect: Callable[..., Any]) -> None:
    with connect(_dsn(connection), autocommit=True) as other:
        other.execute("select pg_terminate_backend(%s, 60000)", [connection.info.backend_pid])


def _dsn(connection: Any) -> str:
    info = connection.info
    return f"host={info.host} port={info.port} user={info.user} dbname={info.dbname}"
