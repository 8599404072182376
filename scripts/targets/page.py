"""What was seen of the targets, as plain tables in docs/targets.md; nothing in them is said of a target unseen."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from scripts.docs.tables import code, table
from scripts.targets.edge_cases import CASES
from scripts.targets.findings import DIFFERENT, IDENTICAL, NULL, RESPELLED
from scripts.targets.loaders import OURS, POSTGRES
from scripts.targets.truth import DECIMAL, KINDS
from scripts.venvs import ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scripts.targets.findings import Findings
    from scripts.targets.loaders import Loader
    from scripts.targets.trial import Trial

PAGE = ROOT / "docs" / "targets.md"
MARK = "<!-- From here on written by `make targets` from what it saw; edits are lost. -->\n"

# What meltano.yml or the README offers: here nothing may be lost.
OFFERED = (
    f"{OURS} (DuckDB)", f"{OURS} (PostgreSQL)", "target-duckdb", POSTGRES, "target-jsonl", "meltanolabs-target-csv",
)  # fmt: skip


def must_be_right(trials: Sequence[Trial]) -> list[str]:
    """What is wrong with the targets that the project offers; empty when all is well."""
    problems = []
    for trial in trials:
        name, found = trial.loader.name, trial.findings
        if name not in OFFERED:
            continue
        if found is None:
            problems.append(f"{name}: {trial.failure}")
            continue
        right = {
            "rows": not found.missing and not found.surplus,
            "sums": found.sums_equal == found.sums > 0,
            "updated rows": found.updated == found.updates > 0,
            "deleted rows": found.deleted > 0 and not found.alive,
            "the new column": found.new_values_kept == found.new_values > 0,
            "values": not found.changed(),
            "values turned NULL": not found.changed(NULL),
            "the state": trial.state_kept,
        }
        problems += [f"{name}: {what} are not as they should be" for what, well in right.items() if not well]
    return problems


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
    outcomes = ("rows", "exact sums", "values changed", "second sync", "deleted rows", "new column", "nulls", "STATE")
    cases = {case: [found.edge_cases[case] for _, found, _ in whole] for case in CASES}
    kept = [case for case, came in cases.items() if {*came} == {IDENTICAL}]
    parts = {
        "What was seen": table(
            ("target", "installed", "settings", *outcomes),
            [(*set_up(trial.loader), *_outcomes(trial)) for trial in trials],
        ),
        "Types of columns": table(
            ("target", *KINDS, "seen with", "seconds"),
            [
                (trial.loader.name, *(" or ".join(found.types.get(kind, [])) for kind in KINDS),
                 ", ".join(f"{name} {version}" for name, version in trial.versions.items()),
                 " and ".join(f"{second:g}" for second in trial.seconds))
                for trial, found in ran
            ],
        ),
        "Amounts as JSON numbers": table(
            ("target", "column type", "exact sums", "amounts changed", "for instance"),
            [(name, *_amounts(numbers)) for name, _, numbers in whole],
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
        return (trial.failure, *[""] * 7)
    lost, surplus = sum(found.missing.values()), sum(found.surplus.values())
    changed = [f"{count:,} of {kind}" for kind, count in found.changed().items()]
    changed += [f"{count:,} of {kind} to NULL" for kind, count in found.changed(NULL).items()]
    new_lost = found.new_values - found.new_values_kept
    return (
        (f"{lost:,} of {found.living:,} lost" if lost else f"all {found.living:,}")
        + (f", {surplus:,} never told" if surplus else ""),
        f"{found.sums_equal} of {found.sums}",
        ", ".join(changed) or "none",
        second_sync(found),
        f"{found.alive} still there" if found.alive else "marked" if found.marked else "removed",
        (found.new_column or "not there") + (f", {new_lost:,} of {found.new_values:,} values lost" if new_lost else ""),
        "kept" if found.nulls_kept == found.nulls else "as empty text",
        "kept" if trial.state_kept else "lost",
    )


def second_sync(found: Findings) -> str:
    """In a few words what the second sync did to the first one's rows."""
    if sum(found.missing.values()) > found.living // 10:
        return "replaces the first"
    if found.stored > found.living + found.marked + len(found.edge_cases):
        return f"appends: {found.stored:,} rows"
    if found.updated == found.updates:
        return "updates by key"
    return f"{found.updated:,} of {found.updates:,} updated"


def _amounts(found: Findings) -> tuple[str, ...]:
    changed = found.values[DECIMAL].outcomes.get(DIFFERENT, 0)
    example = " became ".join(map(code, found.values[DECIMAL].examples[0])) if changed else ""
    return (" or ".join(found.types[DECIMAL]), f"{found.sums_equal} of {found.sums}", str(changed), example)


def _said(outcome: str) -> str:
    what, _, value = outcome.partition(": ")
    words = {IDENTICAL: "kept", RESPELLED: "same value"}.get(what, what)
    return f"{words} {code(value)}" if value else words
