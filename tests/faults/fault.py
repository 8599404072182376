"""A way to go wrong: what a fault does, for how long, and what the sync that meets it must do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

LASTING: dict[str, Any] = {"once": False, "heals": False}
IN_PARSE = "happens to what a file holds"
NOT_CALLS = ("parse", "emit")


@dataclass(frozen=True)
class Fault:
    """A way to go wrong.

    Attributes:
        do: the sandbox's rule; `by_vendor` where it differs.
        divert: where the call is led instead: see `diverting`.
        options: the sandbox's switches, by vendor.
        breaks: the errno with which stdout fails, and whether in the middle of a line.
        once: it happens one time and passes; else it lasts as long as the sync.
        heals: True: it may end well; False: the sync must end non-zero; None: either.
        recovers: the sync after it, undisturbed, must deliver the rest; False where the vendor never will.
        waits: seconds before which the call must not be made again.
        phases: where it makes sense, and why not elsewhere; none: to every call. vendors: likewise; none: to all.
        extra_orders: orders of one thing beyond the first that the fault makes necessary.
        sweeps: the vendor's answers are those of `echoing.sweep`, one after the other.
        in_records: what it changes becomes records, which must have all the rest as ever.
    """

    name: str
    do: dict[str, Any] = field(default_factory=dict)
    once: bool = True
    heals: bool | None = True
    waits: float = 0.0
    phases: tuple[str, ...] = ()
    why_not: str = "happens to calls: parsing and emitting make none"
    vendors: tuple[str, ...] = ()
    why_not_there: str = ""
    by_vendor: dict[str, dict[str, Any]] = field(default_factory=dict)
    divert: str = ""
    options: dict[str, dict[str, Any]] = field(default_factory=dict)
    breaks: tuple[int, bool] | None = None
    recovers: bool = True
    extra_orders: int = 0
    sweeps: bool = False
    in_records: bool = False
    after_calm: bool = False
    """An undisturbed sync goes before: what vanishes has to have been there."""
    says: str = ""
    """What the log of the disturbed sync must have."""
    defers: bool = False
    """The vendor's own words for what is not there yet: the sync ends well, says so, and calls nothing done."""
    then: float = 0.0
    """Seconds that pass before the next sync."""

    def strikes(self, phase: str) -> bool:
        """Whether it makes sense in this phase."""
        return phase in self.phases if self.phases else phase not in NOT_CALLS


def altered(old: str, new: str) -> dict[str, Any]:
    """A rule that changes a text of the vendor's answer into another."""
    return {"alter": {"from": old, "to": new}}


def replaced(pattern: str, to: str = "") -> dict[str, Any]:
    """The same by a regular expression."""
    return {"alter": {"pattern": pattern, "to": to}}


def misplaced(name: str, phases: tuple[str, ...], old: str, new: str) -> tuple[Fault, Fault]:
    """An answer to another question: once, and for ever."""
    facts: dict[str, Any] = {"phases": phases, "why_not": "no such answer comes there", "do": altered(old, new)}
    return Fault(f"{name} once", **facts), Fault(name, **facts, **LASTING)


def vanishes(name: str, says: str, do: dict[str, Any], phase: str, *, heals: bool | None = False) -> Fault:
    """What earlier lists had and later ones have not. `on_mismatch` is fail."""
    return Fault(
        name,
        do,
        phases=(phase,),
        why_not="only lists of accounts and invoices are held against earlier ones",
        once=False,
        after_calm=True,
        says=says,
        heals=heals,
    )
