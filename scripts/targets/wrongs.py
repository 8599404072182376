"""What is wrong with a target, in sentences, from what was seen of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scripts.targets.findings import DIFFERENT, NULL

if TYPE_CHECKING:
    from collections.abc import Mapping

Facts = dict[str, Any]


@dataclass(frozen=True)
class State:
    """The state that two syncs leave a target in, in a word or two each."""

    second_sync: str
    deleted: str
    nulls: str


def state_of(found: Facts) -> State:
    """In a few words what the second sync did, what became of deleted rows, and of nulls."""
    keyed = found["living"] + found["marked"]
    if sum(found["missing"].values()) > found["living"] // 10:
        second = "replaces the first"
    elif found["stored"] > keyed + len(found["edge_cases"]):
        second = "appended"
    elif found["updated"] == found["updates"]:
        second = "updates by key"
    else:
        second = f"{found['updated']} of {found['updates']} updated"
    alive = found["deleted"] - found["marked"] - found["removed"]
    deleted = "still there" if alive else "marked" if found["marked"] else "removed"
    nulls = "kept" if found["nulls_kept"] == found["nulls"] else "as empty text"
    return State(second, deleted, nulls)


def wrongs(trial: Facts, *, than: Facts | None = None) -> list[str]:
    """A sentence for each thing that a target gets wrong; with `than`, only what that one does not."""
    if not trial["findings"]:
        return [f"It {trial['failure']}."]
    said = list(_sentences(trial))
    known = set(_sentences(than)) if than else set()
    return [text for text in said if text not in known]


def _sentences(trial: Facts) -> list[str]:
    found = trial["findings"]
    return [*_rows(found), *_values(found), *_types(found), *_second_sync(found, trial)]


def _rows(found: Facts) -> list[str]:
    said = []
    if found["missing"]:
        lost = sum(found["missing"].values())
        streams = ", ".join(f"`{name}` {rows:,}" for name, rows in sorted(found["missing"].items()))
        said.append(f"Loses {lost:,} of {found['living']:,} rows, and says nothing: {streams}.")
    if found["surplus"]:
        said.append(f"Holds {sum(found['surplus'].values()):,} rows that it was never told.")
    if found["sums_equal"] != found["sums"]:
        said.append(f"{found['sums'] - found['sums_equal']} of {found['sums']} sums are wrong.")
    return said


def _values(found: Facts) -> list[str]:
    said = []
    for kind, values in found["values"].items():
        changed = values["outcomes"].get(DIFFERENT, 0)
        if changed and not found["missing"]:
            told, held = next((one for one in values["examples"] if one[1] != "None"), ("", ""))
            said.append(f"Changes {changed:,} values of kind {kind}: {_shown(told)} became {_shown(held)}.")
        emptied = values["outcomes"].get(NULL, 0)
        if emptied and not found["missing"]:
            said.append(f"Turns {emptied:,} values of kind {kind} into NULL.")
    if found["nulls_kept"] != found["nulls"]:
        said.append("NULL and empty text cannot be told apart.")
    if found["edge_cases"].get("empty text") == NULL:
        said.append("Loads empty text as NULL. The tap sends none.")
    return said


def _types(found: Facts) -> list[str]:
    types: Mapping[str, list[str]] = found["types"]
    said = []
    if any("without time zone" in name or name == "TIMESTAMP" for name in types.get("date-time", [])):
        said.append("Times are kept without a zone; they are UTC.")
    if len(types.get("date-time", [])) > 1:
        said.append("`_sdc_deleted_at` becomes text beside other times that are timestamps.")
    texts = {"VARCHAR", "character varying", "text"}
    if set(types.get("decimal", [])) & texts and len({tuple(names) for names in types.values()}) > 1:
        said.append("Amounts are columns of text: exact, but cast them before you sum.")
    if set(types.get("date", [])) & texts and len({tuple(names) for names in types.values()}) > 1:
        said.append("Dates are columns of text.")
    if len({tuple(names) for names in types.values()}) == 1:
        said.append("Everything is text.")
    return said


def _second_sync(found: Facts, trial: Facts) -> list[str]:
    said = []
    state = state_of(found)
    if state.second_sync == "appended":
        said.append(
            f"Appends: {found['stored']:,} rows are stored for {found['living']:,} living ones. "
            "The last of a key counts."
        )
    elif state.second_sync == "replaces the first":
        said.append("The second sync replaces what the first has stored.")
    elif found["updated"] != found["updates"] and not found["missing"]:
        said.append(f"Only {found['updated']:,} of {found['updates']:,} changed rows are updated.")
    alive = found["deleted"] - found["marked"] - found["removed"]
    if alive:
        said.append(f"{alive} rows that the vendor no longer has cannot be told from living ones.")
    if found["new_values"] and not found["new_column"]:
        said.append("A column that comes later is left out.")
    elif found["new_values_kept"] != found["new_values"] and not found["missing"]:
        said.append(
            f"Of the new column {found['new_values'] - found['new_values_kept']:,} "
            f"of {found['new_values']:,} values are lost."
        )
    if not trial["state_kept"]:
        said.append("The last STATE does not come out again.")
    return said


def _shown(text: str) -> str:
    short = text if len(text) <= 60 else text[:57] + "..."
    return f"`{short!r}`"
