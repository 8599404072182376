"""docs/targets.md from the facts that `make targets` has seen; nothing in it is said of a target unseen."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from scripts.targets.edge_cases import CASES
from scripts.targets.findings import DIFFERENT, IDENTICAL, NULL
from scripts.targets.loaders import OURS
from scripts.targets.wrongs import state_of, wrongs
from scripts.venvs import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

Facts = dict[str, Any]

FACTS = ROOT / "scripts" / "targets" / "seen.json"
PAGE = ROOT / "docs" / "targets.md"

# What meltano.yml or the README offers: here nothing may be lost.
OFFERED = (
    f"{OURS} (DuckDB)", f"{OURS} (PostgreSQL)",
    "target-duckdb", "meltanolabs-target-postgres", "target-jsonl", "meltanolabs-target-csv",
)  # fmt: skip


def must_be_right(facts: Facts) -> list[str]:
    """What is wrong with the targets that the project offers; empty when all is well."""
    trials = {trial["name"]: trial for trial in facts["trials"]}
    problems = []
    for name in OFFERED:
        found = trials[name]["findings"]
        if not found:
            problems.append(f"{name}: {trials[name]['failure']}")
            continue
        right = {
            "rows": not found["missing"] and not found["surplus"],
            "sums": found["sums_equal"] == found["sums"] > 0,
            "updated rows": found["updated"] == found["updates"] > 0,
            "deleted rows": found["marked"] + found["removed"] == found["deleted"] > 0,
            "the new column": found["new_values_kept"] == found["new_values"] > 0,
            "values": not any(values["outcomes"].get(DIFFERENT, 0) for values in found["values"].values()),
            "values turned NULL": not any(values["outcomes"].get(NULL, 0) for values in found["values"].values()),
            "the state": trials[name]["state_kept"],
        }
        problems += [f"{name}: {what} are not as they should be" for what, well in right.items() if not well]
    return problems


def page(facts: Facts) -> str:
    """The whole page."""
    own = [trial for trial in facts["trials"] if not trial["variant_of"]]
    ran = [trial for trial in own if trial["findings"]]
    parts = [
        _head(facts),
        _matrix(own),
        "## Each target\n",
        *(_section(trial, facts) for trial in own),
        _numbers(ran),
        _edge_cases(ran),
        _rest(),
    ]
    return "\n".join(parts)


def _head(facts: Facts) -> str:
    records = sum(facts["streams"].values())
    return f"""\
# Targets

<!-- Written by `make targets` from what it saw; edits are lost. -->

What well-used Singer targets make of the demo's data, seen on {facts["day"]} with Python {facts["python"]} and
PostgreSQL {facts["postgres"]}.

Two syncs of the emulated vendors, a day apart: {records:,} records in {len(facts["streams"])} streams. Before they are
told to any target, {facts["control_totals"]} of the vendors' control totals are compared with them. The second sync
changes invoices, deletes drafts, and reads one report again that has grown a column and lost lines. Then everything is
read back as text and compared cell by cell. There are negative amounts, amounts of 20 digits, currencies with no and
with three decimals, and texts from several languages.

`make targets` tries it again and writes this page. It makes an environment for each target under
`.tools/`, and takes some minutes. How long a sync took says something only on a machine that does nothing else; these
were taken on a busy one.
"""


def _matrix(trials: Sequence[Facts]) -> str:
    rows = [["target", "rows", "exact sums", "amounts become", "second sync", "deleted rows", "new column", "nulls"]]
    for trial in trials:
        name = f"[{trial['name']}](#{_anchor(trial['name'])})"
        found = trial["findings"]
        if not found:
            rows.append([name, trial["failure"].partition(":")[0], *[""] * 6])
            continue
        lost = sum(found["missing"].values())
        state = state_of(found)
        rows.append(
            [
                name,
                f"{lost} of {found['living']:,} lost" if lost else f"all {found['living']:,}",
                f"{found['sums_equal']} of {found['sums']}",
                " or ".join(found["types"].get("decimal", [])),
                state.second_sync,
                state.deleted,
                found["new_column"] or "not there",
                state.nulls,
            ]
        )
    return table(rows)


def _section(trial: Facts, facts: Facts) -> str:
    lines = [f"### {trial['name']}\n", f"`pip install {_shell(trial['requirements'])}`"]
    if trial["settings"]:
        lines[-1] += f", with `{json.dumps(trial['settings'])}`"
    lines[-1] += "."
    if not trial["findings"]:
        return "\n".join([*lines, f"\nIt {trial['failure']}.\n"])
    versions = ", ".join(f"{name} {version}" for name, version in trial["versions"].items())
    lines += [f"Seen with {versions}; {_seconds(trial)}.\n"]
    lines += [_types(trial["findings"]["types"])]
    lines += [f"- {wrong}" for wrong in wrongs(trial)] or ["Nothing wrong was seen."]
    for variant in facts["trials"]:
        if variant["variant_of"] == trial["name"]:
            worse = wrongs(variant, than=trial) or [f"no difference was seen; {_seconds(variant)}"]
            lines.append(f"- With {variant['title']}: {'; '.join(_small(text) for text in worse)}.")
    return "\n".join([*lines, ""])


def _anchor(heading: str) -> str:
    """As GitHub and the site name it."""
    return "".join(letter for letter in heading.lower().replace(" ", "-") if letter.isalnum() or letter == "-")


def _seconds(trial: Facts) -> str:
    return "the syncs took " + " and ".join(f"{second:g} s" for second in trial["seconds"])


def _small(text: str) -> str:
    """A sentence as a part of one."""
    return text[:1].lower() + text[1:].rstrip(".")


def _types(types: Mapping[str, Sequence[str]]) -> str:
    cells = [", ".join(found) for found in types.values()]
    return table([list(types), cells])


def _numbers(trials: Sequence[Facts]) -> str:
    rows = [["target", "column type", "exact sums", "amounts changed", "for instance"]]
    for trial in trials:
        seen = trial["numbers"]
        changed = seen["outcomes"].get(DIFFERENT, 0)
        example = " became ".join(f"`{text}`" for text in seen["examples"][0]) if seen["examples"] else ""
        rows.append([
            trial["name"], " or ".join(seen["types"]), f"{seen['sums_equal']} of {seen['sums']}", str(changed), example,
        ])  # fmt: skip
    return f"""\
## Why amounts leave as text

The same first sync with `decimals_as: number`, so that amounts are JSON numbers:

{table(rows)}
Sums over amounts of usual size may be right and still go wrong with the first long one. Keep `decimals_as: string`, and
cast where they are text: `CAST(total_amount AS DECIMAL(38, 12))` in DuckDB, `total_amount::numeric` in PostgreSQL.
"""


def _edge_cases(trials: Sequence[Facts]) -> str:
    rows = [["value", *(trial["name"] for trial in trials)]]
    kept = []
    for case in CASES:
        outcomes = [trial["findings"]["edge_cases"][case] for trial in trials]
        if all(outcome == IDENTICAL for outcome in outcomes):
            kept.append(case)
        else:
            rows.append([case, *(_outcome(text) for text in outcomes)])
    return f"""\
## Values that are easily lost

A stream of its own, told beside the tap's. The tap never sends an empty text: where a vendor has none, it sends null.

{table(rows)}
Kept by all: {", ".join(kept)}.
"""


def _outcome(text: str) -> str:
    what, _, value = text.partition(": ")
    words = {IDENTICAL: "kept", "respelled": "same value"}.get(what, what)
    return f"{words} `{value}`" if value else words


def _rest() -> str:
    return """\
## Not tried

BigQuery, Snowflake, Redshift and S3 targets need an account. Targets that are not on the package registry, among them
the maintained `target-sqlite` and `target-parquet`, are not tried either.

Whichever target it is: it should upsert by key. A period that is read again overwrites itself by its key, and rows that
are no longer there come once more with `_sdc_deleted_at`. With a target that only appends, take the last record of each
key, and leave out those with `_sdc_deleted_at`.
"""


def _shell(requirements: Iterable[str]) -> str:
    return " ".join(f"'{text}'" if {*"< ["} & {*text} else text for text in requirements)


def table(rows: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    rule = "|" + "---|" * len(rows[0])
    return "\n".join([lines[0], rule, *lines[1:]]) + "\n"
