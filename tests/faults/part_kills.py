"""SIGKILL at every point of a sync of all vendors of a world, then on from what a target has kept. None is left out."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from tests.faults.cases import Case, Verdict
from tests.faults.dying import AtState, WithinDownload, WithinWrite, steady
from tests.faults.forks import Forks, known_runs
from tests.faults.worlds import WORLDS, World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import ExitStack

KEEPS = ("last STATE", "an older STATE", "no STATE")


def cases(stack: ExitStack) -> list[Case]:
    """Each point, with and without storage, from each STATE that a target may have kept."""
    return [case for world in WORLDS for case in of_world(stack, world)]


def of_world(stack: ExitStack, world: World) -> list[Case]:
    """The cases of the vendors that share a sandbox."""
    forks = Forks(stack.enter_context(world.sandbox(**world.at_once)), world)
    stack.callback(forks.close)
    return [
        Case(world.cell(f"{name} / {keeps}{' / stored' if stored else ''}"), partial(run, forks, point, keeps, stored))
        for stored in (False, True)
        for name, point in points(forks, stored=stored)
        for keeps in KEEPS
    ]


def points(forks: Forks, *, stored: bool) -> Iterator[tuple[str, Any]]:
    """Every point at which it is killed: a number for a call, else what dies."""
    counts = forks.counts[stored]
    for number in range(counts["calls"]):
        yield f"after call {number + 1}", number
    for number in range(counts["states"]):
        yield f"before STATE {number + 1}", AtState(number, after=False)
        yield f"after STATE {number + 1}", AtState(number, after=True)
    for number, is_ahead in enumerate(forks.downloads[stored]):
        yield f"within download {number + 1}{', ahead' if is_ahead else ''}", WithinDownload(number)
    for number in range(counts["puts"]):
        yield f"within write {number + 1}", WithinWrite(number)


def run(forks: Forks, point: Any, keeps: str, stored: bool, verdict: Verdict) -> None:
    """One kill and the sync after it."""
    forks.reset()

    def arrange(pid: int) -> None:
        forks.control.fault({"signal": {"pid": pid, "signal": "KILL", "when": "after"}}, skip=point, times=1)

    how = {"kill_after": arrange, "prepare": steady} if isinstance(point, int) else {"prepare": point}
    first = forks.sync(stored=stored, **how)
    verdict.ended = f"exit {first.code}"
    if first.code != -9:
        verdict.remarks.append(f"the kill did not hit: {first.log[-500:]}")
    forks.control.clear_faults()
    last_call = forks.control.requests()[-1]["path"] if forks.control.requests() else ""
    before = forks.orders()
    since = len(first.states) - 1 if first.states else None
    if keeps == "no STATE":
        since = None
    elif since is None:
        verdict.why_not = "no STATE had gone out: the same as no STATE"
        return
    elif keeps == "an older STATE":
        if since == 0:
            verdict.why_not = "only one STATE had gone out: there is no older one"
            return
        # Another one for each point, so that all distances are tried.
        since = len(forks.control.requests()) % since
    state = None if since is None else first.states[since]
    second = forks.sync(stored=stored, state=state)
    forks.judge_whole(verdict, first, second, stored=stored, since=since)
    ordering = "/generate/" in last_call and last_call.count("/") == 5
    # With a journal only an order whose answer could not be written down any more is placed again.
    allowed = int(ordering) if stored else before["bring"].total() - known_runs(state)
    forks.judge_orders(verdict, before, allowed=allowed)
