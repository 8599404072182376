"""Loads into DuckDB and PostgreSQL that are killed, cut off or out of room, and the load after each.

Tables and STATE must agree at once: what the warehouse holds is what an undisturbed load holds at that STATE, row by
row. The load that goes on from there ends with what an undisturbed one holds.
"""

from __future__ import annotations

import random
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.targets.postgres import postgres_server
from tests.faults import lives, warehouse_syncs, warehouse_values
from tests.faults.cases import Case, Verdict
from tests.faults.houses import PASSWORD, FileHouse, Held, House, ServerHouse
from tests.faults.loads import Blow, Done, Harm, Way, load, stopped

if TYPE_CHECKING:
    from contextlib import ExitStack

RANDOM_KILLS = 50  # of each database and way
SIZES = 16  # of a file that may grow no more
OTHERS = 8  # every so manieth statement that is no transaction's edge
CUT_EVERY = 5
CRASH_EVERY = 40
EDGES = {"begin", "commit", "state", "printed"}
WAYS = (Way.TARGET, Way.KEPT)
NO_SERVER = "there is no server: the process is the database"


def cases(stack: ExitStack) -> list[Case]:
    """Each way into each database, and each harm that may come to it."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="warehouse-", ignore_cleanup_errors=True)))
    folder.chmod(0o711)
    server = stack.enter_context(postgres_server(folder / "postgres.log"))
    found: list[Case] = []
    for house in (FileHouse(folder), ServerHouse(server)):
        for way in WAYS:
            found += _of(Pipe(house, way, folder))
        found += warehouse_values.cases(house, folder)
    return found + warehouse_syncs.cases(stack, [FileHouse(folder), ServerHouse(server)], folder)


def _of(pipe: Pipe) -> list[Case]:
    name = f"{pipe.house.engine} / {pipe.way.value}"
    made = pipe.whole_load.statements
    # `sync` and the target load alike: of one every statement, of the other the ends of transactions and some more.
    kills = [
        at
        for at, what in enumerate(made)
        if pipe.way is Way.KEPT or what in EDGES or made[at - 1] in EDGES or at % OTHERS == 0
    ]
    found = [_at_statement(pipe, Harm.KILL, at) for at in kills]
    found += [
        Case(f"{name} / a random kill, {seed}", partial(_random_kill, pipe, seed)) for seed in range(RANDOM_KILLS)
    ]
    for harm, every in ((Harm.CUT, CUT_EVERY), (Harm.CRASH, CRASH_EVERY)):
        if pipe.house.engine == "duckdb":
            found.append(Case(f"{name} / {harm.value}", None, NO_SERVER))
        else:
            found += [
                _at_statement(pipe, harm, at)
                for at, what in enumerate(made)
                # What is told to stdout needs no connection.
                if at % every == 0 and what not in {"state", "printed"}
            ]
            found += [_at_statement(pipe, harm, at) for at, what in enumerate(made) if what == "commit" and at % every]
    if pipe.house.engine == "duckdb":
        found.append(Case(f"{name} / {Harm.UNHEARD.value}", None, NO_SERVER))
    else:
        found += [_at_statement(pipe, Harm.UNHEARD, at) for at, what in enumerate(made) if what == "commit"]
    found += [
        Case(f"{name} / files of {size} bytes at most", partial(_run, pipe, Blow(Harm.FULL, size)))
        for size in pipe.sizes()
    ]
    found.append(Case(f"{name} / two at once", partial(_two, pipe)))
    return found


def _at_statement(pipe: Pipe, harm: Harm, at: int) -> Case:
    name = f"{pipe.house.engine} / {pipe.way.value} / {harm.value} before statement {at + 1}"
    return Case(f"{name}, {pipe.whole_load.statements[at]}", partial(_run, pipe, Blow(harm, at)))


class Pipe:
    """One way into one database.

    Attributes:
        groups: of messages, each but the last with a STATE at its end.
        at: what an undisturbed load holds at each STATE, and at the end.
        whole_load: how an undisturbed load ended.
    """

    def __init__(self, house: House, way: Way, folder: Path) -> None:
        self.house, self.way, self.folder = house, way, folder
        self.groups = lives.groups(without_key=way is Way.KEPT)
        self._place = house.fresh()
        self.at: list[Held] = []
        for group in self.groups:
            done = self.load(group)
            assert done.code == 0, done.log
            self.at.append(house.held())
        self._place = house.fresh()
        self.whole_load = self.load(b"".join(self.groups))
        assert self.whole_load.code == 0, self.whole_load.log
        assert self.at[-1].differs(house.held()) == (0, 0), "one load or many: the same tables"

    def sizes(self) -> list[int]:
        """Bytes that a file may have, from none to about what they come to."""
        most = 1 << 19 if self.house.engine == "duckdb" else 1 << 20
        return [place * most // SIZES for place in range(SIZES)]

    def begin(self) -> None:
        self._place = self.house.fresh()

    def load(self, data: bytes, blow: Blow = Blow()) -> Done:  # noqa: B008 - it cannot change
        return load(self.way, self.arguments(), data, self.folder, blow)

    def arguments(self) -> list[str]:
        url, schema = self._place
        if self.way is Way.KEPT:
            return [url, schema]
        config = self.folder / "target.json"
        config.write_text(f'{{"url": "{url}", "schema": "{schema}", "commit_seconds": 0}}')
        return ["--config", str(config)]

    def judge(self, verdict: Verdict, done: Done) -> int:
        """Hold the tables against STATE; the number of the STATE to go on from, -1 for none."""
        found = self.house.held()
        if self.way is Way.KEPT:
            number = int(found.states.get("default", "-1"))
            candidates = [number]
        else:
            printed = [line for line in done.out.split("\n")[:-1] if line]
            number = int(printed[-1]) if printed else -1
            candidates = [number, number + 1]
        if candidates[-1] == len(self.groups) - 2:
            candidates.append(len(self.groups) - 1)  # rows behind the last STATE may be there, all or none
        differences = [
            (self.at[one] if one >= 0 else Held()).differs(found) for one in candidates if one < len(self.at)
        ]
        lost, doubled = min(differences, key=sum)
        verdict.lost += lost
        verdict.doubled += doubled
        if lost or doubled:
            verdict.remarks.append(f"the tables do not agree with STATE {number}")
        return number

    def go_on(self, verdict: Verdict, number: int) -> None:
        """The next load, from there."""
        done = self.load(b"".join(self.groups[number + 1 :]))
        said(verdict, done)
        if done.code:
            verdict.remarks.append(f"the next load ended with {done.code}: {done.log[-800:]}")
        found = self.house.held()
        lost, doubled = self.at[-1].differs(found)
        verdict.lost += lost
        verdict.doubled += doubled
        if lost or doubled:
            verdict.remarks.append(f"not the same: {', '.join(self.at[-1].differing(found))}")
        if self.at[-1].types != found.types:
            verdict.remarks.append("columns or their types differ")


def said(verdict: Verdict, done: Done) -> None:
    """What a load says: never a password, and for people."""
    verdict.leaked += (done.log + done.out).count(PASSWORD) * len(PASSWORD)
    if "Traceback" in done.log:
        verdict.remarks.append(f"a traceback: {done.log[-1500:]}")


def _run(pipe: Pipe, blow: Blow, verdict: Verdict) -> None:
    pipe.begin()
    done = pipe.load(b"".join(pipe.groups), blow)
    verdict.ended = f"exit {done.code}"
    said(verdict, done)
    if blow.harm is Harm.KILL and done.code != -9:
        verdict.remarks.append(f"the kill did not hit: {done.log[-500:]}")
    number = pipe.judge(verdict, done)
    if blow.harm is Harm.UNHEARD and done.code == 0:
        verdict.remarks.append("nobody was told that the answer is missing")
    if done.code == 0 and pipe.at[-1].differs(pipe.house.held()) != (0, 0):
        verdict.silent = 1
    pipe.go_on(verdict, number)


def _random_kill(pipe: Pipe, seed: int, verdict: Verdict) -> None:
    """Ended by its own timer, which runs while it works; a load that was done before that is killed earlier."""
    seconds = pipe.whole_load.seconds * random.Random(f"{pipe.way}{seed}").uniform(0.01, 0.95)
    done = None
    while done is None or done.code == 0:
        pipe.begin()
        done = pipe.load(b"".join(pipe.groups), Blow(Harm.WORK, seconds))
        seconds /= 2
    verdict.ended = f"exit {done.code}"
    said(verdict, done)
    pipe.go_on(verdict, pipe.judge(verdict, done))


def _two(pipe: Pipe, verdict: Verdict) -> None:
    """While one is at work another is refused; the first one ends well, and one that is killed leaves no lock."""
    half = len(pipe.whole_load.statements) // 2
    other = pipe.folder / "other"
    other.mkdir(exist_ok=True)
    for kill in (False, True):
        pipe.begin()
        first = stopped(pipe.way, pipe.arguments(), b"".join(pipe.groups), pipe.folder, half)
        second = load(pipe.way, pipe.arguments(), b"".join(pipe.groups), other, Blow())
        done = first.kill() if kill else first.go_on()
        verdict.ended = f"exit {done.code}, the second {second.code}"
        said(verdict, second)
        if second.code != 1 or ("another" not in second.log or len(second.log.splitlines()) > 1):
            verdict.remarks.append(f"the second one was not refused in one line: {second.log[-500:]}")
        if not kill and done.code:
            verdict.remarks.append(f"the first one was disturbed: {done.log[-500:]}")
        pipe.go_on(verdict, pipe.judge(verdict, done))
