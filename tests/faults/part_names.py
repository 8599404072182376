"""File names made of vendors' values stay inside their folder, on the local disk and in S3."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scripts.venvs import ENVIRONMENTS, ROOT, provide
from tap_billing_reports.core.errors import SyncError
from tap_billing_reports.storage.files import Storage
from tests.faults.bench import Bench, opened
from tests.faults.cases import Case, Verdict
from tests.faults.worlds import WORLDS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import ExitStack

S3 = ENVIRONMENTS["s3"]
HOSTILE = (
    "..", ".", "", "/", "//", "../..", "../../etc/passwd", "/etc/passwd", "a/../../b", "..\\..\\b", "C:\\b", "~",
    "~root",
    "a\0b", "a\nb", "a\rb", "\x1b[2J", "%2e%2e%2f", "..%2f..", "....//", "a//b", "/../", "file:///etc/passwd",
    "s3://other/x", "memory://x", "x" * 5000, "ø" * 300, "e\u0301", "\u00e9", "CON", "nul.txt", ".hidden", "-rf", "a b",
    "*", "?", "[a]", "$HOME", "`id`", "a;b", "|", "\ud800", "\u202e", "\ufeff", "A", "a", "K", "\u212a", "\uff0e\uff0e",
    "..;",
    "a\\", "a.", "a ", "<", ">", ":", '"', "'", "{}", "${x}", "#", "a#b", "a?b", "@", "user@host", "=", "_", "~1",
)  # fmt: skip
SEEDED = 2000


def cases(stack: ExitStack) -> list[Case]:
    """All cells."""
    benches = [opened(stack, world) for world in WORLDS]
    return [
        Case(f"{len(HOSTILE)} hostile and {SEEDED} generated names on the local disk", local_names),
        *(
            Case(bench.world.cell(f"ids that are {text!r} on the local disk"), partial(ids, bench, text))
            for bench in benches
            for text in IDS
        ),
        Case(f"{len(HOSTILE)} hostile and {SEEDED} generated names in S3", partial(in_s3, "names")),
        Case("a sync that keeps files in S3, and one that takes them from there", partial(in_s3, "sync")),
        Case("hostile ids in S3", partial(in_s3, "ids")),
        Case("the lock in S3", partial(in_s3, "lock")),
    ]


def names() -> Iterator[str]:
    """The hostile ones, and others from their pieces; the same every time."""
    yield from HOSTILE
    chance = random.Random(1)
    pieces = [piece for piece in HOSTILE if len(piece) < 20]
    for _ in range(SEEDED):
        yield "".join(chance.choice(pieces) for _ in range(chance.randint(1, 6)))


def keep_all(storage: Storage, verdict: Verdict) -> set[str]:
    """Keep something under every name; the paths. Different names must have different paths."""
    paths: dict[str, str] = {}
    for name in names():
        path = storage.path("files", name, "x")
        folded = path.lower()
        if paths.setdefault(folded, name) != name:
            verdict.remarks.append(f"{name!r} and {paths[folded]!r} are one file")
        try:
            storage.write_json(path, {"name": 1})
        except SyncError as error:
            verdict.remarks.append(f"{name[:50]!r}: {error}")
            continue
        if storage.read_json(path) != {"name": 1}:
            verdict.remarks.append(f"{name[:50]!r} cannot be read again")
    return set(paths)


def local_names(verdict: Verdict) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "a" / "b" / "kept"
        count = len(keep_all(Storage(str(root)), verdict))
        inside = [path for path in root.rglob("*") if path.is_file()]
        outside = [path for path in Path(folder).rglob("*") if path.is_file() and root not in path.parents]
        verdict.ended = f"{len(inside)} files"
        if outside or len(inside) != count:
            verdict.remarks.append(f"outside: {outside[:3]}; {len(inside)} inside instead of {count}")


# What the vendors' ids begin with -> what they begin with instead, in every answer.
IDS = ("../../../", "/../../", "..%2f..%2f", "\\u0000", "a/b/../../../../", "%00")


def ids(bench: Bench, text: str, verdict: Verdict) -> None:
    """The vendors' own ids are hostile: whatever the sync makes of them, nothing lies outside."""
    bench.reset(stored=True)
    assert bench.store is not None
    root = bench.store.parent
    before = set(root.rglob("*"))
    hostile_ids(bench.control, text)
    with tempfile.TemporaryDirectory() as temporary:
        tempfile.tempdir = temporary
        try:
            result = bench.sync(**documents(bench))
        finally:
            tempfile.tempdir = None
        if left := list(Path(temporary).rglob("*")):
            verdict.remarks.append(f"left in the temporary folder: {left[:3]}")
    verdict.ended = f"exit {result.status}"
    outside = [path for path in set(root.rglob("*")) - before if bench.store not in (path, *path.parents)]
    if outside:
        verdict.remarks.append(f"outside: {outside[:3]}")
    if "Traceback" in result.log:
        verdict.remarks.append("a traceback instead of a line")
    bench.judge_leaks(verdict, result)


def documents(bench: Bench) -> dict[str, Any]:
    """The settings with which all files are kept that can be."""
    return {"bring_invoice_documents": True} if "bring" in bench.world.vendors else {}


# Where the ids stand in each vendor's answers: what is before them, and how they begin.
_WHERE = {
    "stripe": ('"', "frr_|file_"),
    "bring": ('"(?:invoiceNumber|customerNumber)":"', ""),
    "vipps": ('"ledgerId":"', ""),
    "klarna": ('"payment_reference":"', ""),
}


def hostile_ids(control: Any, text: str) -> None:
    """Alter the ids in all answers. Of several rules for an answer the first alone is used: each vendor has one."""
    for vendor, (before, begin) in _WHERE.items():
        changed = "\\1" + text.replace("\\", "\\\\") + "\\2"
        control.fault({"alter": {"pattern": f"({before})({begin})", "to": changed}}, {"vendor": vendor})


def in_s3(what: str, verdict: Verdict) -> None:
    """The same in a process that has what S3 needs; it prints its verdict."""
    provide(S3)
    run = subprocess.run(
        [str(S3.python), "-m", "tests.faults.in_s3", what],
        capture_output=True, text=True, cwd=ROOT, check=False, timeout=900,
    )  # fmt: skip
    if run.returncode:
        verdict.remarks.append(f"exit {run.returncode}: {run.stderr[-1500:]}")
        return
    said = json.loads(run.stdout.splitlines()[-1])
    for name, value in said.items():
        setattr(verdict, name, value)


if __name__ == "__main__":
    sys.exit("this is a part of scripts.faults")
