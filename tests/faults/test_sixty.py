"""Sixty cells of `make faults`, always the same ones: at least one of each kind of fault, phase and vendor."""

from __future__ import annotations

import importlib
from contextlib import ExitStack

import pytest

SIXTY = {
    "matrix": (
        "stripe / list / 429 Retry-After 7",
        "bring / list / 429 Retry-After date",
        "brp / list / 429 bare",
        "stripe / order / 429 for ever",
        "bring / order / 503 Retry-After 7",
        "stripe / poll / 500",
        "brp / list / 503 for ever",
        "stripe / types / 408",
        "stripe / order / 409",
        "stripe / order / refused",
        "bring / list / refused for ever",
        "brp / accounts / connect time-out",
        "stripe / download / certificate of a stranger",
        "bring / order / certificate for another host",
        "brp / list / certificate expired",
        "bring / poll / stall before headers",
        "stripe / download / drip 1 byte/s",
        "stripe / list / reset",
        "bring / download / short Content-Length",
        "stripe / download / cut, chunked",
        "bring / download / cut, chunked, for ever",
        "stripe / download / cut, closed, for ever",
        "stripe / download / cut at a line's end",
        "stripe / download / a line left out",
        "bring / download / more rows declared than there are",
        "bring / poll / HTML 200",
        "stripe / download / HTML 200",
        "brp / list / empty 200",
        "stripe / runs / malformed JSON",
        "brp / list / malformed XML",
        "bring / accounts / wrong shape",
        "stripe / list / 401",
        "bring / order / 403",
        "stripe / poll / 404",
        "stripe / download / 410",
        "bring / download / 404 once",
        "stripe / order / lost answer",
        "bring / order / lost answer",
        "bring / order / lost answer / stored",
        "stripe / download / redirect to a foreign host",
        "brp / list / redirect to a foreign host",
        "bring / download / redirect to http",
        "stripe / poll / a run fails",
        "bring / poll / a run of unknown status",
        "stripe / poll / runs that never end",
        "stripe / download / expired link",
        "stripe / parse / a column missing, another in its place",
        "bring / parse / a document type with an entity",
        "brp / emit / the target dies within a line",
        "stripe / emit / the output's disk is full",
    ),
    "calendar": (
        "stripe / Oslo has an hour twice",
        "bring / the clock is a day ahead / in between",
        "brp / the end of the year",
    ),
    "kills": (
        "after call 9 / last STATE",
        "after call 14 / no STATE",
        "before STATE 5 / an older STATE / stored",
        "within download 1 / last STATE / stored",
        "within write 20 / last STATE",
    ),
    "alone": (
        "stripe answers 503, an account of bring is refused",
        "bring refuses its key, an account of brp is refused",
    ),
}
CELLS = [(part, name) for part, names in SIXTY.items() for name in names]


@pytest.fixture(scope="module")
def parts():
    """Part -> its cases by name, opened when first asked for."""
    with ExitStack() as stack:
        found = {}

        def cases(part):
            if part not in found:
                module = importlib.import_module(f"tests.faults.part_{part}")
                found[part] = {case.name: case for case in module.cases(stack)}
            return found[part]

        yield cases


def test_there_are_sixty():
    assert len(set(CELLS)) == 60


@pytest.mark.parametrize(("part", "name"), CELLS, ids=[f"{part}: {name}" for part, name in CELLS])
def test_cell(parts, part, name):
    verdict = parts(part)[name].verdict()
    assert not verdict.why_not, verdict.why_not
    assert verdict.is_good, verdict.said()
