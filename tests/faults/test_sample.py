"""Thirty cells of `make faults`, always the same ones, from nearly all its parts.

The stateful model, the hostile files, the calendar and the warehouses are tests of their own, with fewer examples; the
kills against PostgreSQL need a target's environment. Two of Bring's four customers are read: half as many runs, of
which some are still fetched ahead.
"""

from __future__ import annotations

import importlib
from contextlib import ExitStack

import pytest

from tests.faults import bench
from tests.faults.worlds import ORDERED

SAMPLE = {
    "matrix": (
        "bring / list / 429 Retry-After date",
        "vipps / renewal / 404 without a body",
        "brp / accounts / connect time-out",
        "stripe / download / certificate of a stranger",
        "stripe / ahead / drip 1 byte/s",
        "bring / ahead / short Content-Length",
        "stripe / download / cut, closed, for ever",
        "bring / download / more rows declared than there are",
        "bring / poll / HTML 200",
        "stripe / list / 401",
        "stripe / poll / 404",
        "bring / order / lost answer / stored",
        "klarna / page / another payout's rows",
        "stripe / parse / a column missing, another in its place",
        "brp / emit / the target dies within a line",
    ),
    "kills": (
        "after call 9 / last STATE",
        "after call 14 / no STATE",
        "before STATE 5 / an older STATE / stored",
        "within download 3, ahead / last STATE",
        "within write 20 / last STATE",
    ),
    "signals": (
        "SIGTERM after call 16",
        "SIGINT and SIGTERM within log line 5",
    ),
    "output": (
        "ENOSPC at write 12 within a line",
        "the temporary folder is full at file 3, ahead",
    ),
    "states": (
        "the last STATE: bookmarks.bring_invoice_lines.ledger.0.subjects_done.0.1 = 7",
        "the last STATE: newer version at bookmarks.bring_invoice_lines.ledger.0.version = 2",
    ),
    "secrets": (
        "stripe echoes its key in Base64 in an error",
        "setting brp_password: an object with the secret as its key",
    ),
    "alone": ("a second sync of the same storage",),
    "names": ("ids that are '../../../' on the local disk",),
}
CUSTOMERS = ["20000770011", "20000770022"]
CELLS = [(part, name) for part, names in SAMPLE.items() for name in names]


@pytest.fixture(scope="module")
def parts():
    """A part's case by its name; the part is opened when it is first asked for."""
    with ExitStack() as stack:
        found = {}

        def case_of(part, name):
            if part not in found:
                with pytest.MonkeyPatch.context() as patch:
                    patch.setattr(bench, "CUSTOMERS", CUSTOMERS)
                    module = importlib.import_module(f"tests.faults.part_{part}")
                    # Of processes that end, those of one world: another has an undisturbed sync of its own.
                    of_world = getattr(module, "of_world", None)
                    cases = module.cases(stack) if of_world is None else of_world(stack, ORDERED)
                    found[part] = {case.name: case for case in cases}
            return found[part][name]

        yield case_of


def test_there_are_thirty():
    assert len(set(CELLS)) == 30


@pytest.mark.parametrize(("part", "name"), CELLS, ids=[f"{part}: {name}" for part, name in CELLS])
def test_cell(parts, part, name):
    verdict = parts(part, name).verdict()
    assert not verdict.why_not, verdict.why_not
    assert verdict.is_good, verdict.said()
