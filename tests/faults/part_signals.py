"""SIGTERM and SIGINT after each call and within each log line: whole lines, a true STATE, exit status 143 or 130."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from tests.faults.cases import Case, Verdict
from tests.faults.dying import WithinLogLine, steady
from tests.faults.forks import Forks
from tests.faults.worlds import WORLDS, World

if TYPE_CHECKING:
    from contextlib import ExitStack

    from tests.killing import Ended

STATUSES = {"TERM": 143, "INT": 130}
# In turn, one for each line.
LINES = (("TERM",), ("INT", "TERM"), ("TERM", "TERM"))


def cases(stack: ExitStack) -> list[Case]:
    """Each signal after each call, with and without storage; twice in a row as well."""
    return [case for world in WORLDS for case in of_world(stack, world)]


def of_world(stack: ExitStack, world: World) -> list[Case]:
    """The cases of the vendors that share a sandbox."""
    forks = Forks(stack.enter_context(world.sandbox(**world.at_once)), world)
    stack.callback(forks.close)
    found = [
        Case(
            world.cell(
                f"SIG{name}{' twice' if times > 1 else ''} after call {call + 1}{' / stored' if stored else ''}"
            ),
            partial(run, forks, name, call, times, stored),
        )
        for stored in (False, True)
        for name in STATUSES
        for times in (1, 2)
        for call in range(forks.counts[stored]["calls"])
    ]
    for line in range(forks.counts[False]["lines"]):
        signals = LINES[line % len(LINES)]
        named = " and ".join(f"SIG{name}" for name in signals)
        found.append(
            Case(world.cell(f"{named} within log line {line + 1}"), partial(within_line, forks, line, signals))
        )
    return found


def run(forks: Forks, name: str, call: int, times: int, stored: bool, verdict: Verdict) -> None:
    """One signal and the sync after it."""
    forks.reset()

    def arrange(pid: int) -> None:
        for when in ("after", "before")[:times]:
            forks.control.fault({"signal": {"pid": pid, "signal": name, "when": when}}, skip=call, times=1)

    first = forks.sync(stored=stored, kill_after=arrange, prepare=steady)
    forks.control.clear_faults()
    last = call + 1 == forks.counts[stored]["calls"]
    # After the last call there may be nothing left to interrupt.
    _judge(forks, verdict, first, {STATUSES[name], 0 if last else STATUSES[name]}, stored=stored)


def within_line(forks: Forks, line: int, signals: tuple[str, ...], verdict: Verdict) -> None:
    """The signals come while the log's stream is writing: certainly, not by chance of timing."""
    forks.reset()
    first = forks.sync(stored=False, prepare=WithinLogLine(line, signals))
    # A signal waits until the closing lines are out.
    if len(first.log.splitlines()) < line:
        verdict.remarks.append(f"the log has {len(first.log.splitlines())} lines: {first.log[-500:]}")
    _judge(forks, verdict, first, {STATUSES[signals[0]]}, stored=False)


def _judge(forks: Forks, verdict: Verdict, first: Ended, statuses: set[int], *, stored: bool) -> None:
    """How the sync ended, and what the one after it makes of that."""
    verdict.ended = f"exit {first.code}"
    if first.code not in statuses:
        verdict.remarks.append(f"ended with {first.code} instead of {statuses}: {first.log[-500:]}")
    if "Traceback" in first.log:
        verdict.remarks.append(
            f"a traceback instead of a line: {first.log[first.log.find('Traceback') - 200 :][:2000]}"
        )
    if first.messages and first.code != 0 and first.messages[-1]["type"] != "STATE" and _has_news(first):
        verdict.remarks.append(f"the last message is a {first.messages[-1]['type']}, no STATE")
    before = forks.orders()
    since = len(first.states) - 1 if first.states else None
    state = first.state
    second = forks.sync(stored=stored, state=state)
    forks.judge_whole(verdict, first, second, stored=stored, since=since)
    # A signal waits until an order's answer is written down.
    forks.judge_orders(verdict, before, allowed=0)


def _has_news(first: Any) -> bool:
    """Whether anything that a STATE tells of came after the last one: a STATE that is unchanged is not repeated."""
    messages = first.messages
    places = [place for place, message in enumerate(messages) if message["type"] == "STATE"]
    after = messages[places[-1] + 1 :] if places else messages
    return any(message["type"] == "RECORD" for message in after) and not places
