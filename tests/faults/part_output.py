"""The target dies, a disk is full, what the vendor has is shorter the second time: wherever that can happen."""

from __future__ import annotations

import errno
import json
import os
import resource
import subprocess
import sys
import tempfile
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.faults.bench import Bench, compare, failures, held, opened
from tests.faults.breaking import break_output
from tests.faults.cases import Case, Verdict
from tests.faults.forks import kept
from tests.faults.full_disks import Downloads, Lists, Objects, Writes, steady
from tests.faults.worlds import ORDERED, WORLDS, World
from tests.waiting import HANG_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import ExitStack

    from tap_billing_reports.singer.tap import TapBillingReports
    from tests.running import Result

ROOT = Path(__file__).resolve().parents[2]
STRIPE_ROWS = "stripe_balance_change_from_activity_summary_1"
VANISH_SECONDS = 7200
VIPPS_ROWS, LEDGER, LEDGER_DAY = "vipps_funds", "302321", date(2026, 10, 13)
NONE = 10**6


def cases(stack: ExitStack) -> list[Case]:
    """All cells."""
    return [case for world in WORLDS for case in of_world(stack, world)]


def of_world(stack: ExitStack, world: World) -> list[Case]:
    """The cases of the vendors that share a sandbox."""
    bench = opened(stack, world)
    writes = _counted(bench, Writes()).count
    found = [*_outputs(bench, writes), *_folders(bench), *_storages(bench)]
    shorter = shorter_file if world is ORDERED else shorter_day
    for number in range(writes):
        name = f"a shorter {'file' if world is ORDERED else 'day'} after the target died at write {number + 1}"
        found.append(Case(world.cell(name), partial(shorter, bench, number)))
    found += [Case(world.cell(f"the command: {name}"), partial(command, bench, name)) for name in COMMANDS]
    return found


def _counted(bench: Bench, counter: Any, *, stored: bool = False) -> Any:
    """What an undisturbed sync meets of the things that this counts."""
    bench.reset(stored=stored)
    try:
        assert bench.sync(prepare=counter).status == 0
    finally:
        counter.undo()
    return counter


def _outputs(bench: Bench, writes: int) -> Iterator[Case]:
    for torn in (False, True):
        how = " within a line" if torn else ""
        for number in range(writes):
            for error in (errno.EPIPE, errno.ENOSPC):
                name = f"{errno.errorcode[error]} at write {number + 1}{how}"
                yield Case(bench.world.cell(name), partial(output_fails, bench, number, error, torn))


def _folders(bench: Bench) -> Iterator[Case]:
    """The temporary folder at each file, also those that are only kept, and at each list of rows."""
    is_ordered = bench.world is ORDERED
    files = list(_counted(bench, Downloads(NONE), stored=not is_ordered).files.values())
    assert files
    assert True in files or not is_ordered, "no file was fetched ahead"
    for number, is_ahead in enumerate(files):
        what = f"file {number + 1}{', ahead' if is_ahead else ''}{'' if is_ordered else ' that is only kept'}"
        case = partial(disk_fails, bench, partial(Downloads, number), not is_ordered)
        yield Case(bench.world.cell(f"the temporary folder is full at {what}"), case)
        if is_ahead:
            name = f"the temporary folder is full while file {number + 1} is fetched ahead, not at its turn"
            yield Case(bench.world.cell(name), partial(disk_has_room_again, bench, number))
    for number in range(0 if is_ordered else _counted(bench, Lists(NONE)).count):
        for stored in (False, True):
            name = f"the temporary folder is full at list {number + 1}{' / stored' if stored else ''}"
            yield Case(bench.world.cell(name), partial(disk_fails, bench, partial(Lists, number), stored))


def _storages(bench: Bench) -> Iterator[Case]:
    for number in range(_counted(bench, Objects(NONE), stored=True).count):
        name = f"the storage is full at write {number + 1}"
        yield Case(bench.world.cell(name), partial(disk_fails, bench, partial(Objects, number), True))


# -- the output ----------------------------------------------------------------------------------------


def output_fails(bench: Bench, number: int, error: int, torn: bool, verdict: Verdict) -> None:
    bench.reset()
    first = bench.sync(prepare=partial(_dies, number, error, torn))
    verdict.ended = f"{type(first.error).__name__}"
    if first.error is None:
        verdict.silent = int(first.status == 0)
        verdict.remarks.append(f"exit {first.status} although the output failed")
    goes_on(bench, verdict, first)


def _dies(number: int, error: int, torn: bool, tap: TapBillingReports) -> None:
    """The output fails at this write (from 0)."""
    steady(tap)
    break_output(tap, error, torn=torn, after=number)


def goes_on(bench: Bench, verdict: Verdict, first: Result, **changes: Any) -> None:
    """The sync after it delivers the rest."""
    second = bench.sync(state=first.states[-1] if first.states else None, **changes)
    if second.status:
        verdict.remarks.append(f"the next sync failed: {failures(second)}")
    bench.judge_whole(verdict, first, second)
    bench.judge_leaks(verdict, first, second)
    twice = {what: n for what, n in bench.orders().get("stripe", {}).items() if n > 1}
    if twice:
        verdict.remarks.append(f"ordered twice: {twice}")


# -- disks ---------------------------------------------------------------------------------------------


def disk_has_room_again(bench: Bench, number: int, verdict: Verdict) -> None:
    """What was fetched ahead did not fit, but does when it is its turn: nobody needs to know."""
    bench.reset()
    fault = Downloads(number, only_ahead=True)
    try:
        result = bench.sync(prepare=fault)
    finally:
        fault.undo()
    verdict.ended = f"exit {result.status}"
    if not list(fault.files.values())[number]:
        verdict.remarks.append("that file was not fetched ahead")
    if result.status:
        verdict.remarks.append(f"it failed: {failures(result)}")
    bench.judge_whole(verdict, result)
    bench.judge_leaks(verdict, result)


def disk_fails(bench: Bench, make: Callable[[], Downloads | Lists | Objects], stored: bool, verdict: Verdict) -> None:
    bench.reset(stored=stored)
    fault = make()
    try:
        first = bench.sync(prepare=fault)
    finally:
        fault.undo()
    verdict.ended = f"exit {first.status}"
    if fault.count <= fault.number:
        verdict.remarks.append("the fault struck nothing")
    if first.status == 0:
        verdict.silent = 1
        verdict.remarks.append("exit 0 although the disk was full")
    said = failures(first)
    if fault.says not in said or "Traceback" in first.log:
        verdict.remarks.append(f"the failure does not name the {fault.says}: {said[:500]}")
    goes_on(bench, verdict, first)


# -- shorter the second time ---------------------------------------------------------------------------


def shorter_file(bench: Bench, number: int, verdict: Verdict) -> None:
    """The target dies, the vendor forgets its runs, and the next run of the same period has fewer rows."""
    bench.reset()
    bench.control.options["stripe_run_rules"] = [{"do": {"vanish": VANISH_SECONDS}}]
    first = bench.sync(prepare=partial(_dies, number, errno.EPIPE, False))
    bench.control.advance(VANISH_SECONDS + 60)
    bench.control.options["stripe_run_rules"] = [{"do": {"drop_rows": 20}}]
    _judge_shorter(bench, verdict, first, STRIPE_ROWS, 20)


def shorter_day(bench: Bench, number: int, verdict: Verdict) -> None:
    """The target dies, and the next reading of the same day lacks its last entry."""
    bench.reset()
    first = bench.sync(prepare=partial(_dies, number, errno.EPIPE, False))
    books = bench.control.vendor("vipps").books
    # The books are written as far as they have been asked about.
    bench.control.totals(bench.config)
    topics = books._books[LEDGER].days[LEDGER_DAY]
    topics["funds"] = topics["funds"][:-1]
    _judge_shorter(bench, verdict, first, VIPPS_ROWS, 1)


def _judge_shorter(bench: Bench, verdict: Verdict, first: Result, stream: str, fewer: int) -> None:
    second = bench.sync(state=first.states[-1] if first.states else None)
    verdict.ended = f"{type(first.error).__name__}, exit {second.status}"
    delivered = held(first, second)
    rows = delivered.get(stream, {})
    whole = bench.whole[stream]
    # Where the period was read to its end before, its longer rows stand; else the shorter ones do.
    long, short = len(whole), len(whole) - fewer
    if len(rows) not in {long, short}:
        verdict.doubled += max(0, len(rows) - short)
        verdict.lost += max(0, short - len(rows))
        verdict.remarks.append(f"{len(rows)} rows, which is neither {long} nor {short}")
    if second.status:
        verdict.remarks.append(f"the next sync failed: {failures(second)}")
    others = {other: records for other, records in bench.whole.items() if other != stream}
    for other, records in others.items():
        verdict.lost += sum(delivered.get(other, {}).get(key) != record for key, record in records.items())
    bench.judge_leaks(verdict, first, second)


# -- the command as a process --------------------------------------------------------------------------


def _run(bench: Bench, folder: Path, arguments: str, **more: Any) -> subprocess.CompletedProcess[bytes]:
    config = folder / "config.json"
    config.write_text(json.dumps(bench.config))
    tap = f"{sys.executable} -m tests.faults.dated {bench.world.now.isoformat()}"
    command = f"set -o pipefail; {tap} --config {config} {arguments}"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(folder)}
    return subprocess.run(
        ["bash", "-c", command],
        capture_output=True,
        env=environment,
        cwd=folder,
        check=False,
        timeout=HANG_SECONDS,
        **more,
    )


COMMANDS = {
    "the target dies at once": "| head -c 0",
    "the target dies within the first SCHEMA": "| head -c 100",
    "the target dies in the middle": "| head -c 60000",
    "stdout on a full disk": "> /dev/full",
    "stdout on a disk with room for little": "> out.jsonl",
    "the temporary folder with room for little": "",
}


def command(bench: Bench, name: str, verdict: Verdict) -> None:
    """A real process; then one that is left alone, from its last STATE."""
    bench.reset()
    bench.control.unfreeze()
    limits = {"stdout on a disk with room for little": 30_000, "the temporary folder with room for little": 1500}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        bound = limits.get(name)
        more: dict[str, Any] = {}
        if bound is not None:
            # A file that may not grow beyond this; Python ignores the signal and sees an error.
            more["preexec_fn"] = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (bound, bound))
        ended = _run(bench, folder, COMMANDS[name], **more)
        out = ended.stdout or ((folder / "out.jsonl").read_bytes() if (folder / "out.jsonl").exists() else b"")
        verdict.ended = f"exit {ended.returncode}"
        if ended.returncode == 0:
            verdict.silent = 1
            verdict.remarks.append("exit 0 although not everything could be delivered")
        first = list(_messages(out))
        states = [message["value"] for message in first if message["type"] == "STATE"]
        arguments = ""
        if states:
            (folder / "state.json").write_text(json.dumps(states[-1]))
            arguments = "--state state.json"
        again = _run(bench, folder, arguments)
        if again.returncode:
            verdict.remarks.append(f"the next sync ended with {again.returncode}: {again.stderr.decode()[-500:]}")
        both = [*first, *_messages(again.stdout)]
        left = [path.name for path in folder.iterdir() if path.is_dir()]
        if left:
            verdict.remarks.append(f"left behind: {left}")
        compare(verdict, bench.whole, kept(both))
        verdict.leaked += bench.canaries.count(
            ended.stderr.decode(), again.stderr.decode(), out.decode(), again.stdout.decode()
        )


def _messages(output: bytes) -> Iterator[dict[str, Any]]:
    """The whole lines."""
    for line in output.split(b"\n")[:-1]:
        yield json.loads(line)
