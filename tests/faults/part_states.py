"""Every STATE is a restart point; damaged, foreign and newer ones are refused before any STATE goes out."""

from __future__ import annotations

import copy
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from tap_billing_reports.core.errors import SyncError
from tap_billing_reports.singer.tap import TapBillingReports
from tests.faults.bench import Bench, failures, held, opened
from tests.faults.cases import Case, Verdict
from tests.faults.worlds import LISTED, ORDERED, WORLDS, World
from tests.running import Result
from tests.typed import some

if TYPE_CHECKING:
    from contextlib import ExitStack

# What may stand in the place of any part of a STATE.
STRANGERS: tuple[Any, ...] = (None, "x", 7, [], {}, [[]], "9999-12-31T00:00:00Z")
# The stream of a world in which a ledger stands.
ROWS: Final = {ORDERED: "bring_invoice_lines", LISTED: "klarna_transactions"}
# What a STATE hands on from sync to sync beside what is done.
GOES_ON: Final = "balance_goes_on"


def _foreign(rows: str) -> dict[str, Any]:
    return {
        "another tap's": {
            "bookmarks": {"orders": {"replication_key": "updated_at", "replication_key_value": "2026-01-01"}}
        },
        "bookmarks a list": {"bookmarks": []},
        "bookmarks a text": {"bookmarks": "invoices"},
        "a bookmark a list": {"bookmarks": {"invoices": []}},
        "partitions an object": {"bookmarks": {"invoices": {"partitions": {}}}},
        "a ledger that is an object": {"bookmarks": {rows: {"ledger": {}}}},
        "a ledger of texts": {"bookmarks": {rows: {"ledger": ["x"]}}},
    }


def cases(stack: ExitStack) -> list[Case]:
    """Each STATE of a sync; each part of the last one replaced, taken away, or of another version."""
    found = [case for world in WORLDS for case in of_world(stack, world)]
    found.append(
        Case(
            "an older version migrates",
            why_not="version 1 is the first: no older one was ever written; any other number is refused",
        )
    )
    return found


def of_world(stack: ExitStack, world: World) -> list[Case]:
    """The cases of the vendors that share a sandbox."""
    bench = opened(stack, world)
    found: list[Case] = []
    following = _next_day(bench)
    for stored in (False, True):
        bench.reset(stored=stored)
        number = len(bench.sync(prepare=often).states)
        found += [
            Case(
                world.cell(f"from STATE {k + 1}{' / stored' if stored else ''}"),
                partial(restart, bench, k, stored, following),
            )
            for k in range(number)
        ]
    bench.reset()
    middle, last = _states(bench)
    for name, state in _foreign(ROWS[world]).items():
        found.append(Case(world.cell(f"foreign: {name}"), partial(damaged, bench, state, True)))
    for which, state in (("a STATE in the middle", middle), ("the last STATE", last)):
        text = json.dumps(state)
        for place, changed in _versions(state):
            name = world.cell(f"{which}: newer version at {place}")
            found.append(Case(name, partial(damaged, bench, changed, True)))
        for place, changed in _replaced(state):
            found.append(Case(world.cell(f"{which}: {place}"), partial(damaged, bench, changed, False)))
        for end in range(0, len(text) - 1, max(1, len(text) // 40)):
            found.append(Case(world.cell(f"{which}: cut after {end} characters"), partial(cut, bench, text[:end])))
    return found


def often(tap: TapBillingReports) -> None:
    """A STATE whenever one may go out."""
    tap.session._pace.allows = lambda *, at_once: True  # type: ignore[method-assign]


def _states(bench: Bench) -> tuple[dict[str, Any], dict[str, Any]]:
    """One with runs that are open, and the last one."""
    states = bench.sync(prepare=often).states
    opened = [state for state in states if '"open"' in json.dumps(state)]
    return opened[len(opened) // 2], states[-1]


# -- restart points ------------------------------------------------------------------------------------


def restart(bench: Bench, k: int, stored: bool, following: Counter[str], verdict: Verdict) -> None:
    """The records before STATE k together with a sync from it are the whole, and nothing is ordered twice.

    Args:
        following: what the checks of the next day say that hold it against this one.
    """
    bench.reset(stored=stored)
    first = bench.sync(prepare=often)
    # By now the vendors have all orders of that sync; Bring's after STATE k are not known from it.
    second = bench.sync(state=first.states[k], prepare=often)
    verdict.ended = f"exit {second.status}"
    if second.status:
        verdict.remarks.append(failures(second))
    bench.judge_whole(verdict, _before(first, k), second)
    bench.judge_whole(verdict, first, second)
    bench.judge_leaks(verdict, first, second)
    for vendor, orders in bench.orders().items():
        twice = {what: n for what, n in orders.items() if n > 1}
        if twice and (vendor == "stripe" or stored):
            verdict.remarks.append(f"{vendor}: ordered twice: {twice}")
    if following:
        bench.control.next_day()
        third = bench.sync(state=second.state)
        if third.status:
            verdict.remarks.append(f"the sync of the next day failed: {failures(third)}")
        if (found := _going_on(third)) != following:
            verdict.remarks.append(f"{GOES_ON} says {found - following} instead of {following - found}")


def _next_day(bench: Bench) -> Counter[str]:
    """What the checks from sync to sync say after a day, when nothing happens to the first sync; none are made."""
    bench.reset()
    first = bench.sync()
    if not _going_on(first):
        return Counter()
    bench.control.next_day()
    following = _going_on(bench.sync(state=first.state))
    assert any(said.endswith("True") for said in following), following
    return following


def _going_on(result: Result) -> Counter[str]:
    """Of each such check what it is about, and what it says."""
    about = ("source", "account_id", "subject", "ok")
    return Counter(
        " ".join(str(record[name]) for name in about)
        for record in result.of("reconciliations")
        if record["check"] == GOES_ON
    )


def _before(result: Result, k: int) -> Result:
    """What a target held when it kept STATE k."""
    part = Result(status=result.status, schemas=result.schemas, keys=result.keys)
    for kind, stream, value in result.messages[: _place(result, k)]:
        if kind == "RECORD":
            part.records.setdefault(some(stream), []).append(value)
    return part


def _place(result: Result, k: int) -> int:
    return [place for place, message in enumerate(result.messages) if message[0] == "STATE"][k]


# -- damage --------------------------------------------------------------------------------------------


def damaged(  # noqa: C901 - one judgement, told in order
    bench: Bench, state: Any, is_foreign: bool, verdict: Verdict
) -> None:
    """Refused without any STATE, or gone on from so that nothing is missing.

    Args:
        is_foreign: it must be refused.
    """
    try:
        TapBillingReports(config=dict(bench.config), state=copy.deepcopy(state))
        bench.reset()
        whole = bench.sync()
        before = bench.orders()
        result = bench.sync(state=state)
    except SyncError as error:
        verdict.ended = f"refused: {error}"[:200]
        if "Traceback" in str(error) or len(str(error).splitlines()) != 1:
            verdict.remarks.append(f"not one line: {error}")
        return
    verdict.ended = f"exit {result.status}"
    if is_foreign:
        verdict.remarks.append("it was not refused")
    if result.status:
        # Not refused at once: then it must have said why.
        if not failures(result):
            verdict.remarks.append("it failed without a word")
        if not result.states or result.states[-1] == state:
            return
        # One period failed and others went on: what is not named must be there all the same.
    # The target has the first sync's records; a day later, everything that is new must arrive.
    bench.control.next_day()
    second = bench.sync(state=result.states[-1] if result.states else state)
    if second.status and not result.status:
        verdict.remarks.append(f"the next sync failed: {failures(second)}")
    fresh = bench.sync()
    found, expected = held(whole, result, second), held(fresh)
    for stream, records in expected.items():
        missing = [key for key, record in records.items() if found.get(stream, {}).get(key) != record]
        verdict.lost += len(missing)
        if missing:
            verdict.silent = 1
            verdict.remarks.append(f"{stream}: {len(missing)} records are missing or old, as {missing[0]}")
    for vendor, orders in bench.orders().items():
        grown = {
            what: n for what, n in orders.items() if vendor == "stripe" and n > max(1, before[vendor].get(what, 0))
        }
        if grown:
            verdict.remarks.append(f"{vendor}: ordered twice: {grown}")


def cut(bench: Bench, text: str, verdict: Verdict) -> None:
    """A file that ends too early is refused by the command."""
    import io

    from tap_billing_reports.core.errors import StateError
    from tap_billing_reports.singer.command import _object_in

    try:
        _object_in(io.StringIO(text), StateError, "--state")
    except StateError as error:
        verdict.ended = f"refused: {error}"
        return
    verdict.silent = 1
    verdict.remarks.append("half a STATE was taken for a whole one")


def _versions(state: Any) -> Iterator[tuple[str, Any]]:
    """The STATE with each of its version numbers raised, lowered, made a text, taken away."""
    for path in _paths(state):
        if path[-1] == "version":
            for version in (2, 0, 99, "1", None):
                yield f"{_shown(path)} = {version!r}", _with(state, path, version)
            yield f"{_shown(path)} taken away", _with(state, path, _GONE)


def _replaced(state: Any) -> Iterator[tuple[str, Any]]:
    """The STATE with each of its parts replaced by each stranger, or taken away."""
    for path in _paths(state):
        if path[-1] == "version":
            continue
        for stranger in STRANGERS:
            yield f"{_shown(path)} = {json.dumps(stranger)}", _with(state, path, stranger)
        yield f"{_shown(path)} taken away", _with(state, path, _GONE)


_GONE = object()


def _paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The places of all parts, of lists only the first and the last item: the others are of the same kind."""
    if path:
        yield path
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _paths(inner, (*path, key))
    elif isinstance(value, list):
        for place in sorted({0, len(value) - 1} if value else ()):
            yield from _paths(value[place], (*path, place))


def _with(state: Any, path: tuple[Any, ...], value: Any) -> Any:
    changed = copy.deepcopy(state)
    inner = changed
    for step in path[:-1]:
        inner = inner[step]
    if value is _GONE:
        del inner[path[-1]]
    else:
        inner[path[-1]] = copy.deepcopy(value)
    return changed


def _shown(path: tuple[Any, ...]) -> str:
    return ".".join(map(str, path))
