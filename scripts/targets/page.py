"""What was seen of the targets, as plain tables in docs/targets.md; nothing in them is said of a target unseen."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from scripts.docs.tables import code, table
from scripts.targets.edge_cases import CASES
from scripts.targets.findings import IDENTICAL, MUST_BE_WHOLE, NULLS, RESPELLED, SUMS, Findings
from scripts.targets.loaders import OURS, POSTGRES
from scripts.targets.truth import DECIMAL, KINDS
from scripts.venvs import ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scripts.targets.loaders import Loader
    from scripts.targets.trial import Trial

PAGE = ROOT / "docs" / "targets.md"
MARK = "<!-- From here on written by `make targets` from what it saw; edits are lost. -->\n"

# What meltano.yml or the README offers: here nothing may be lost.
OFFERED = (
    f"{OURS} (DuckDB)", f"{OURS} (PostgreSQL)", "target-duckdb", POSTGRES, "target-jsonl", "meltanolabs-target-csv",
)  # fmt: skip
SHARES = (*MUST_BE_WHOLE, NULLS)


def must_be_right(trials: Sequence[Trial]) -> list[str]:
    """What is wrong with the targets that the project offers; empty when all is well."""
    offered = [trial for trial in trials if trial.loader.name in OFFERED]
    problems = [(trial, trial.findings.lost() if trial.findings else [trial.failure]) for trial in offered]
    return [f"{trial.loader.name}: {problem}" for trial, found in problems for problem in found]


def write(trials: Sequence[Trial], seen: str) -> None:
    """Put the tables below the mark of the page; `seen` says where and when."""
    kept, mark, _ = PAGE.read_text(encoding="utf-8").partition(MARK)
    PAGE.write_text(f"{kept}{mark}\n{tables(trials, seen)}", encoding="utf-8")


def set_up(loader: Loader) -> tuple[str, str, str]:
    """A target, what pip installs, and its settings, as the table names them."""
    return (loader.name, code(" ".join(loader.requirements)), code(json.dumps(loader.shown)) if loader.shown else "")


def tables(trials: Sequence[Trial], seen: str) -> str:
    """All that is below the mark."""
    ran = [(trial, trial.findings) for trial in trials if trial.findings]
    whole = [(trial.loader.name, found, trial.numbers) for trial, found in ran if trial.numbers]
    cases = {case: [found.edge_cases[case] for _, found, _ in whole] for case in CASES}
    kept = [case for case, came in cases.items() if {*came} == {IDENTICAL}]
    parts = {
        "What was seen": table(
            ("target", "installed", "settings", *SHARES, "rows stored"),
            [(*set_up(trial.loader), *_outcomes(trial)) for trial in trials],
        ),
        "Columns and values": table(
            ("target", *KINDS, "seen with", "seconds"),
            [
                (trial.loader.name, *(_came(found, kind) for kind in KINDS),
                 ", ".join(f"{name} {version}" for name, version in trial.versions.items()),
                 " and ".join(f"{second:g}" for second in found.seconds))
                for trial, found in ran
            ],
        ),
        "Amounts as JSON numbers": table(
            ("target", SUMS, "amounts", "for instance"),
            [
                (name, str(numbers.shares[SUMS]), _came(numbers, DECIMAL),
                 " became ".join(map(code, numbers.examples.get(DECIMAL, ()))))
                for name, _, numbers in whole
            ],
        ),
        "Values that are easily lost": table(
            ("value", *(name for name, _, _ in whole)),
            [(case, *map(_said, came)) for case, came in cases.items() if case not in kept],
        )
        + f"\nKept by all: {', '.join(kept)}.\n",
    }  # fmt: skip
    return f"{seen}\n\n" + "\n".join(f"## {title}\n\n{text}" for title, text in parts.items())


def _outcomes(trial: Trial) -> tuple[str, ...]:
    found = trial.findings
    if found is None:
        return (trial.failure, *[""] * len(SHARES))
    return (*(str(found.shares[name]) for name in SHARES), f"{found.stored:,}")


def _came(found: Findings, kind: str) -> str:
    """The target's types for a kind of columns, and how many of the values came through."""
    return f"{' or '.join(sorted(found.types[kind]))}: {found.shares[kind]}" if found.types[kind] else ""


def _said(outcome: str) -> str:
    what, _, value = outcome.partition(": ")
    words = {IDENTICAL: "kept", RESPELLED: "same value"}.get(what, what)
    return f"{words} {code(value)}" if value else words
