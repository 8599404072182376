"""What is hard to hold: each is held exactly, also after a kill, or refused in one line with nothing of it loaded."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from tests.faults.cases import Case, Verdict
from tests.faults.houses import PASSWORD, Held
from tests.faults.loads import Blow, Done, Harm, Way, load
from tests.warehouse.lines import (
    AMOUNT,
    BOOLEAN,
    DAY,
    INSTANT,
    INTEGER,
    NUMBER,
    OBJECT,
    TEXT,
    line,
    record,
    schema,
    state,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.faults.houses import House

BEFORE = schema("before", id=TEXT) + record("before", id="a") + state(1)
MIB = 1 << 20
# A line may have 16 MiB; this is what stands around the cell.
AROUND = len(record(id="a", v=""))


@dataclass(frozen=True)
class Hard:
    """One thing.

    Attributes:
        lines: that hold it.
        held: the value of column `v` in the row `a` of the stream, as Python shows it; None: what an undisturbed load
            holds will do.
        refused: by database: what the line of the refusal says.
        stream: that it comes in.
    """

    lines: list[bytes]
    held: str | None = None
    refused: dict[str, str] = field(default_factory=dict)
    stream: str = "orders"


def _both(said: str) -> dict[str, str]:
    return {"duckdb": said, "postgres": said}


def _cell(kind: Any, value: Any, held: str | None = None, both: str = "", **refused: str) -> Hard:
    said = _both(both) if both else refused
    return Hard([schema(id=TEXT, v=kind), record(id="a", v=value)], held, said)


def _stream(name: str, both: str = "", **refused: str) -> Hard:
    said = _both(both) if both else refused
    return Hard([schema(name, id=TEXT, v=TEXT), record(name, id="a", v="x")], "'x'", said, name)


def _column(name: str, both: str = "", **refused: str) -> Hard:
    said = _both(both) if both else refused
    value: Any = {name: "y"}
    return Hard([schema(id=TEXT, v=TEXT, **{name: TEXT}), record(id="a", v="x", **value)], "'x'", said)


HARD = {
    "an amount of 39 digits": _cell(AMOUNT, "9" * 39, f"Decimal('{'9' * 39}')", duckdb="more digits than the type"),
    "an amount of 13 decimals": _cell(
        AMOUNT, "0.1234567890123", "Decimal('0.1234567890123')", duckdb="more digits than the type"
    ),
    "an amount of 26 digits and 12 decimals": _cell(
        AMOUNT, f"{'9' * 26}.{'9' * 12}", f"Decimal('{'9' * 26}.{'9' * 12}')"
    ),
    "a number of 30 digits": Hard(
        [schema(id=TEXT, v=NUMBER), b'{"type":"RECORD","stream":"orders","record":{"id":"a","v":-1e29}}\n'],
        refused={"duckdb": "more digits than the type"},
    ),
    "no number": _cell(AMOUNT, "1,50", both="is no number"),
    "NaN": _cell(AMOUNT, "NaN", both="is no finite number"),
    "an integer beyond 64 bits": _cell(INTEGER, 1 << 63, both="'v'"),
    "NUL in a text": _cell(TEXT, "a\0b", "'a\ufffdb'"),
    "half a character": _cell(TEXT, "a\ud800b", "'a\ufffdb'"),
    "a whole character in two escapes": _cell(TEXT, "\U0001f600", "'\U0001f600'"),
    "NUL in an object": _cell(OBJECT, {"k\0": ["\ud800", 1.10]}),
    "text for truth": _cell(BOOLEAN, "yes", both="`v`"),
    "no day": _cell(DAY, "2026-02-30", both="no day or instant of the calendar"),
    "no instant": _cell(INSTANT, "soon", both="is no instant"),
    "a cell of nearly 16 MiB": _cell(TEXT, "x" * (16 * MIB - AROUND)),
    "a cell of 18 MiB": _cell(TEXT, "x" * (18 * MIB), both="more than 16 MiB"),
    "a column's name of 63 bytes": _column("n" * 63),
    "a column's name of 64 bytes": _column("n" * 64, both="more than 63 bytes"),
    "a stream's name of 64 bytes": _stream("\u00e5" * 32, both="more than 63 bytes"),
    "a stream's name of 63 bytes": _stream("s" * 63),
    "a stream with capitals": _stream("Orders"),
    "a stream that is a reserved word": _stream("select"),
    "a stream called as the STATE's table": _stream("_state", both="the loader keeps STATE"),
    "a stream called as a staging table": _stream("loader_stage_0"),
    "a stream called as a batch": _stream("loader_batch"),
    "a column that is a reserved word": _column("primary"),
    "a column of the server's own name": _column("ctid", postgres="refused"),
    "two columns that differ in capitals": Hard(
        [schema(id=TEXT, v=TEXT, V=TEXT), record(id="a", v="x", V="y")], "'x'", {"duckdb": "one and the same"}
    ),
    "a row without its key": Hard([schema(id=TEXT), record(v="x")], refused=_both("'id'")),
    "a column whose type cannot become the new one": Hard(
        [schema(id=TEXT, v=DAY), record(id="a"), state(2), schema(id=TEXT, v=INTEGER), record(id="a", v=1)],
        refused=_both("rename the column"),
    ),
    "half a line": Hard([schema(id=TEXT), record(id="a")[:20]], refused=_both("is no JSON")),
    "BATCH": Hard(
        [schema(id=TEXT), line({"type": "BATCH", "stream": "orders"})],
        refused=_both("BATCH messages are not read"),
    ),
}  # fmt: skip


def cases(house: House, folder: Path) -> list[Case]:
    """Each thing by itself, as the target and as `sync` would load it."""
    return [
        Case(f"{house.engine} / {way.value} / {name}", partial(_run, house, folder, way, hard))
        for way in (Way.TARGET, Way.KEPT)
        for name, hard in HARD.items()
    ]


def _run(house: House, folder: Path, way: Way, hard: Hard, verdict: Verdict) -> None:
    place = house.fresh()

    def do(data: bytes, blow: Blow = Blow()) -> Done:  # noqa: B008 - it cannot change
        url, schema_name = place
        arguments = [url, schema_name]
        if way is Way.TARGET:
            config = folder / "target.json"
            config.write_text(f'{{"url": "{url}", "schema": "{schema_name}", "commit_seconds": 0}}')
            arguments = ["--config", str(config)]
        done = load(way, arguments, data, folder, blow)
        verdict.leaked += (done.log + done.out).count(PASSWORD) * len(PASSWORD)
        return done

    do(BEFORE)
    before = house.held()
    data = b"".join([BEFORE, *hard.lines, b"" if hard.lines[-1][-1:] != b"\n" else state(3)])
    done = do(data)
    verdict.ended = f"exit {done.code}"
    found = house.held()
    said = hard.refused.get(house.engine)
    if said is not None:
        _judge_refusal(verdict, said, done, before, found, many=hard.lines.count(state(2)) > 0)
        return
    if done.code:
        verdict.remarks.append(f"refused: {done.log[-500:]}")
        return
    (row,) = found.rows[hard.stream]
    if hard.held is not None and dict(row).get("v") != hard.held:
        verdict.lost += 1
        verdict.remarks.append(f"held as {dict(row).get('v', '')[:200]}")
    # The same once more, killed before its last statements, and then to its end.
    place = house.fresh()
    do(BEFORE)
    killed = do(data, Blow(Harm.KILL, len(done.statements) - 3))
    if killed.code != -9:
        verdict.remarks.append(f"the kill did not hit: {killed.log[-300:]}")
    do(data)
    lost, doubled = found.differs(house.held())
    verdict.lost += lost
    verdict.doubled += doubled


def _judge_refusal(verdict: Verdict, said: str, done: Done, before: Held, found: Held, *, many: bool) -> None:
    if done.code == 0:
        verdict.silent = 1
    lines = [one for one in done.log.splitlines() if "ERROR" in one or len(done.log.splitlines()) == 1]
    if done.code != 1 or len(lines) != 1 or said not in lines[0]:
        verdict.remarks.append(f"it was not refused in one line that says {said!r}: {done.log[-800:]}")
    lost, doubled = before.differs(found)
    verdict.lost += lost
    verdict.doubled += doubled - many  # one row was committed before what is refused
