"""What the proof has to know of a vendor: one file of this folder declares one of these, and that is all of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tap_billing_reports.sandbox.disturb import LOGIN_PAGE
from tests.faults.fault import IN_PARSE, LASTING, Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Rule = dict[str, Any]

PAGE_404: Rule = {
    "status": 404,
    "headers": {"Content-Type": "text/html; charset=utf-8"},
    "body": LOGIN_PAGE.decode().replace("Log in", "404 Not Found"),
}
BARE_404: Rule = {"status": 404, "body": ""}


@dataclass(frozen=True)
class Phase:
    """Where something happens: calls of a method to a path (a regular expression) with that text in their query.

    Attributes:
        skip: so many of them go well before.
    """

    method: str
    path: str
    query: str = ""
    skip: int = 0


@dataclass(frozen=True)
class Vendor:
    """A vendor in the proof.

    Attributes:
        phases: name -> its calls, in the order of the cells; `download` is the main thread's, `ahead` that of the
            thread which fetches the next file, `parse` what a whole file holds, `emit` what takes the output.
        files: those of them in which a file comes that was ordered.
        without: phases that others have, and why this one does not.
        not_stored: phases in which storage changes nothing, and why; "" stands for all of them.
        only_stored: phases that are there with storage alone.
        settings: beside those of its emulator.
        keys: the settings that it echoes. `pairs`: user and password that go together as HTTP Basic.
        tokens: what must be nowhere as a whole, and is no setting.
        envelope: its error with this message.
        needed: phase -> what each record must have by its documents. Keys of JSON or tags of XML.
        in_records: phase -> where an echo is put into an answer whose fields become records.
        not_there: the ways in which a 404 of it is no proof of absence, and the one that is: name -> rule.
        damage: what can be wrong inside a file that arrived whole: form, name, how it is changed.
        faults: its own, beside those of all vendors.
        heals: (phase, fault) -> why it leaves nothing undelivered although it lasts.
        passed_on: (phase, fault) -> why there is nothing to judge: what a file holds is kept or passed on as it comes.
        defers: (phase, fault) that the vendor's documents call "not yet".
        kept: suffixes of its files that are kept as they are, beside those that are read.
        extra_orders: by phase: a run that is gone or cannot be had is ordered again, so often at most.
    """

    name: str
    phases: Mapping[str, Phase]
    keys: tuple[str, ...]
    envelope: Callable[[str], Any]
    files: tuple[str, ...] = ()
    without: Mapping[str, str] = field(default_factory=dict)
    not_stored: Mapping[str, str] = field(default_factory=dict)
    only_stored: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    pairs: tuple[tuple[str, str], ...] = ()
    tokens: tuple[str, ...] = ()
    needed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    in_records: Mapping[str, Rule] = field(default_factory=dict)
    not_there: Mapping[str, Rule] = field(default_factory=dict)
    damage: tuple[tuple[str, str, Rule], ...] = ()
    faults: tuple[Fault, ...] = ()
    heals: Mapping[tuple[str, str], str] = field(default_factory=dict)
    passed_on: Mapping[tuple[str, str], str] = field(default_factory=dict)
    defers: frozenset[tuple[str, str]] = frozenset()
    kept: tuple[str, ...] = ()
    extra_orders: Mapping[str, int] = field(default_factory=dict)

    def own_faults(self) -> tuple[Fault, ...]:
        """What only its answers can have wrong."""
        lacking = [
            Fault(
                f"{self.name}'s {phase} without {name}",
                {"alter": {"pattern": rf'(["</]){name}([">])', "to": r"\1gone\2"}},
                **LASTING,
                phases=(phase,),
                why_not="each phase has fields of its own",
            )
            for phase, names in self.needed.items()
            for name in names
        ]
        echoed = [
            Fault(
                "keys in what becomes a record",
                {"alter": alter},
                once=False,
                phases=(phase,),
                why_not="nothing of its answers becomes a record, or it is a file, whose cells are passed on",
                in_records=True,
            )
            for phase, alter in self.in_records.items()
        ]
        damaged = [
            Fault(name, {"alter": alter}, **LASTING, phases=("parse",), why_not=IN_PARSE)
            for _form, name, alter in self.damage
        ]
        return (*lacking, *echoed, *damaged, *self.faults)
