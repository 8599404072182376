"""What every part of the proof is made of: cases that can be run by name, and the verdict on each."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass
class Verdict:
    """What a cell showed. Anything but zeros and no remark is a fault of ours.

    Attributes:
        cell: its name, unique within its part.
        lost, doubled: records that differ from the undisturbed sync's after upsert by key.
        leaked: bytes of canary secrets where none may be, and credentials that a foreign host has seen.
        silent: 1 where a sync ended in exit status 0 with something lost or undelivered.
        ended: how the disturbed sync ended.
        remarks: everything else that must not be.
        why_not: why there was nothing to run; else empty.
        seconds: how long it took, real time.
    """

    cell: str
    lost: int = 0
    doubled: int = 0
    leaked: int = 0
    silent: int = 0
    ended: str = ""
    remarks: list[str] = field(default_factory=list)
    why_not: str = ""
    seconds: float = 0.0

    @property
    def is_good(self) -> bool:
        return not (self.lost or self.doubled or self.leaked or self.silent or self.remarks)

    def said(self) -> str:
        """One line for people."""
        counts = [f"{name} {n}" for name in ("lost", "doubled", "leaked", "silent") if (n := getattr(self, name))]
        return f"{self.cell}: {self.ended}; {'; '.join([*counts, *self.remarks]) or 'good'}"


@dataclass(frozen=True)
class Case:
    """One cell: what runs it, or why there is nothing to run. `run` fills in the verdict that it is given."""

    name: str
    run: Callable[[Verdict], None] | None = None
    why_not: str = ""

    def verdict(self) -> Verdict:
        """Run it. Whatever escapes is its finding: a sync's own exceptions are judged before they get here."""
        verdict = Verdict(self.name, why_not=self.why_not)
        if self.run is None:
            assert self.why_not, self.name
            return verdict
        began = time.monotonic()
        try:
            self.run(verdict)
        except Exception as error:  # noqa: BLE001
            verdict.remarks.append(f"escaped: {type(error).__name__}: {error}"[:2000])
            verdict.ended = verdict.ended or "escaped"
        verdict.seconds = time.monotonic() - began
        return verdict
