"""The target dies, a disk is full, the vendor's file is shorter the second time: at every place where it can happen."""

from __future__ import annotations

import errno
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tap_billing_reports.sandbox.core import Sandbox
from tests.faults.bench import Bench, failures, held
from tests.faults.breaking import break_output
from tests.faults.cases import Case, Verdict
from tests.faults.forks import kept
from tests.faults.worlds import NOW
from tests.typed import writer_of
from tests.waiting import HANG_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import ExitStack

    from tap_billing_reports.core.about import About
    from tap_billing_reports.singer.tap import TapBillingReports
    from tests.running import Result

ROOT = Path(__file__).resolve().parents[2]
STRIPE_ROWS = "stripe_balance_change_from_activity_summary_1"
VANISH_SECONDS = 7200


def cases(stack: ExitStack) -> list[Case]:
    """All cells."""
    box = stack.enter_context(Sandbox(NOW, stripe_run_seconds=0.2, bring_run_seconds=0.2))
    bench = Bench(box)
    stack.callback(bench.close)
    counter = _Writes()
    bench.reset()
    bench.sync(prepare=counter)
    writes = counter.count
    bench.reset(stored=True)
    kept_files = _Disk(10**6)
    bench.sync(prepare=kept_files)
    bench.reset()
    downloads = _Downloads(10**6)
    bench.sync(prepare=downloads)
    downloads.undo()
    files = list(downloads.files.values())
    assert True in files, "no file was fetched ahead"
    found: list[Case] = []
    for torn in (False, True):
        how = " within a line" if torn else ""
        for number in range(writes):
            place = f"write {number + 1}"
            found.append(Case(f"EPIPE at {place}{how}", partial(output_fails, bench, number, errno.EPIPE, torn)))
            found.append(Case(f"ENOSPC at {place}{how}", partial(output_fails, bench, number, errno.ENOSPC, torn)))
    for number, is_ahead in enumerate(files):
        name = f"the temporary folder is full at file {number + 1}{', ahead' if is_ahead else ''}"
        found.append(Case(name, partial(disk_fails, bench, partial(_Downloads, number), False)))
        if is_ahead:
            name = f"the temporary folder is full while file {number + 1} is fetched ahead, not at its turn"
            found.append(Case(name, partial(disk_has_room_again, bench, number)))
    for number in range(kept_files.count):
        name = f"the storage is full at write {number + 1}"
        found.append(Case(name, partial(disk_fails, bench, partial(_Disk, number), True)))
    for number in range(writes):
        name = f"a shorter file after the target died at write {number + 1}"
        found.append(Case(name, partial(shorter, bench, number)))
    found += [Case(f"the command: {name}", partial(command, bench, name)) for name in COMMANDS]
    return found


# -- the output ----------------------------------------------------------------------------------------


class _Writes:
    """Counts the writes to stdout."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, tap: TapBillingReports) -> None:
        steady(tap)
        writer = writer_of(tap)
        write = writer._put

        def put(data: bytes | bytearray) -> None:
            self.count += 1
            write(data)

        writer._put = put  # type: ignore[method-assign]


def steady(tap: TapBillingReports) -> None:
    """The number of writes does not depend on how fast the machine is."""
    writer_of(tap).max_age = float("inf")


def output_fails(bench: Bench, number: int, error: int, torn: bool, verdict: Verdict) -> None:
    bench.reset()

    def prepare(tap: TapBillingReports) -> None:
        steady(tap)
        break_output(tap, error, torn=torn, after=number)

    first = bench.sync(prepare=prepare)
    verdict.ended = f"{type(first.error).__name__}"
    if first.error is None:
        verdict.silent = int(first.status == 0)
        verdict.remarks.append(f"exit {first.status} although the output failed")
    goes_on(bench, verdict, first)


def goes_on(bench: Bench, verdict: Verdict, first: Result, **changes: Any) -> None:
    """The sync after it delivers the rest."""
    second = bench.sync(state=first.states[-1] if first.states else None, **changes)
    if second.status:
        verdict.remarks.append(f"the next sync failed: {failures(second)}")
    bench.judge_whole(verdict, first, second)
    bench.judge_leaks(verdict, first, second)
    twice = {what: n for what, n in bench.orders()["stripe"].items() if n > 1}
    if twice:
        verdict.remarks.append(f"ordered twice: {twice}")


# -- disks ---------------------------------------------------------------------------------------------


class _Downloads:
    """The temporary folder is full when this file (from 0) comes down, whichever thread fetches it.

    Args:
        only_ahead: it has room again once the main thread fetches the file itself.
    """

    def __init__(self, number: int, *, only_ahead: bool = False) -> None:
        self.number, self._only_ahead = number, only_ahead
        self.files: dict[str, bool] = {}
        """Each file in order of its first try, and whether that was ahead."""

    @property
    def count(self) -> int:
        """Files so far."""
        return len(self.files)

    def __call__(self, tap: TapBillingReports) -> None:
        from tap_billing_reports.http import received

        steady(tap)
        original = received.write

        def write(to: Any, first: bytes, rest: Any, about: About) -> Any:
            name = getattr(to, "_file", to).name
            is_ahead = threading.current_thread() is not threading.main_thread()
            self.files.setdefault(name, is_ahead)
            is_it = list(self.files).index(name) == self.number
            target: Any = _Full(to) if is_it and (is_ahead or not self._only_ahead) else to
            return original(target, first, rest, about)

        received.write = write
        self.undo = lambda: setattr(received, "write", original)


class _Disk:
    """The storage is full when this object (from 0) is written."""

    def __init__(self, number: int) -> None:
        self.number, self.count = number, 0

    def __call__(self, tap: TapBillingReports) -> None:
        storage = tap.session.storage
        assert storage is not None
        original = storage._replacing

        def replacing(path: str) -> Any:
            number, self.count = self.count, self.count + 1
            return _Replacing(original(path)) if number == self.number else original(path)

        storage._replacing = replacing  # type: ignore[method-assign]
        self.undo: Callable[[], None] = lambda: None


class _Full:
    """Takes half of what is written into a file, and then no more."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def write(self, data: bytes) -> int:
        self._file.write(data[: len(data) // 2])
        self._file.flush()
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class _Replacing:
    """An object of the storage that does not get its bytes."""

    def __init__(self, replacing: Any) -> None:
        self._replacing = replacing

    def __enter__(self) -> _Full:
        return _Full(self._replacing.__enter__())

    def __exit__(self, *error: object) -> None:
        self._replacing.__exit__(*error)


def disk_has_room_again(bench: Bench, number: int, verdict: Verdict) -> None:
    """What was fetched ahead did not fit, but does when it is its turn: nobody needs to know."""
    bench.reset()
    fault = _Downloads(number, only_ahead=True)
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


def disk_fails(bench: Bench, make: Callable[[], Any], stored: bool, verdict: Verdict) -> None:
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
    wanted = "storage_url" if stored else "temporary folder"
    if wanted not in said or "Traceback" in first.log:
        verdict.remarks.append(f"the failure does not name the {wanted}: {said[:500]}")
    goes_on(bench, verdict, first)


# -- a shorter file ------------------------------------------------------------------------------------


def shorter(bench: Bench, number: int, verdict: Verdict) -> None:
    """The target dies, the vendor forgets its runs, and the next run of the same period has fewer rows."""
    bench.reset()
    rule = {"do": {"vanish": VANISH_SECONDS}}
    bench.control.options["stripe_run_rules"] = [rule]

    def prepare(tap: TapBillingReports) -> None:
        steady(tap)
        break_output(tap, errno.EPIPE, torn=False, after=number)

    first = bench.sync(prepare=prepare)
    bench.control.advance(VANISH_SECONDS + 60)
    bench.control.options["stripe_run_rules"] = [{"do": {"drop_rows": 20}}]
    second = bench.sync(state=first.states[-1] if first.states else None)
    verdict.ended = f"{type(first.error).__name__}, exit {second.status}"
    delivered = held(first, second)
    rows = delivered.get(STRIPE_ROWS, {})
    whole = bench.whole[STRIPE_ROWS]
    # Where the period was read to its end before, its longer file stands; else the shorter one does.
    long, short = len(whole), len(whole) - 20
    if len(rows) not in {long, short}:
        verdict.doubled += max(0, len(rows) - short)
        verdict.lost += max(0, short - len(rows))
        verdict.remarks.append(f"{len(rows)} rows, which is neither {long} nor {short}")
    if second.status:
        verdict.remarks.append(f"the next sync failed: {failures(second)}")
    others = {stream: records for stream, records in bench.whole.items() if stream != STRIPE_ROWS}
    for stream, records in others.items():
        verdict.lost += sum(delivered.get(stream, {}).get(key) != record for key, record in records.items())
    bench.judge_leaks(verdict, first, second)


# -- the command as a process --------------------------------------------------------------------------


def _run(bench: Bench, folder: Path, arguments: str, **more: Any) -> subprocess.CompletedProcess[bytes]:
    config = folder / "config.json"
    config.write_text(json.dumps(bench.config))
    tap = f"{sys.executable} -m tests.faults.dated {NOW.isoformat()}"
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
        from tests.faults.bench import compare

        compare(verdict, bench.whole, kept(both))
        verdict.leaked += bench.canaries.count(
            ended.stderr.decode(), again.stderr.decode(), out.decode(), again.stdout.decode()
        )


def _messages(output: bytes) -> Iterator[dict[str, Any]]:
    """The whole lines."""
    for line in output.split(b"\n")[:-1]:
        yield json.loads(line)
