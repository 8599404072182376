"""Sixty cells of `make faults`, always the same ones, from all its parts.

Four parts have none here: the stateful model, the hostile files and the warehouses are tests of their own, with fewer
examples, and the kills against PostgreSQL need a target's environment. Two of Bring's four customers are read: half as
many runs, of which some are still fetched ahead.
"""

from __future__ import annotations

import importlib
from contextlib import ExitStack

import pytest

from tests.faults import bench

SIXTY = {
    "matrix": (
        "stripe / list / 429 Retry-After 7",
        "bring / list / 429 Retry-After date",
        "stripe / order / 429 for ever",
        "bring / order / 503 Retry-After 7",
        "brp / list / 503 for ever",
        "stripe / order / refused",
        "brp / accounts / connect time-out",
        "stripe / download / certificate of a stranger",
        "brp / list / certificate expired",
        "bring / poll / stall before headers",
        "stripe / ahead / drip 1 byte/s",
        "stripe / list / reset",
        "bring / ahead / reset",
        "bring / ahead / short Content-Length",
        "stripe / download / cut, closed, for ever",
        "stripe / ahead / cut at a line's end",
        "bring / download / more rows declared than there are",
        "bring / poll / HTML 200",
        "stripe / runs / malformed JSON",
        "bring / accounts / wrong shape",
        "stripe / list / 401",
        "bring / order / 403",
        "stripe / poll / 404",
        "stripe / order / lost answer",
        "bring / order / lost answer / stored",
        "stripe / ahead / redirect to a foreign host",
        "brp / list / redirect to a foreign host",
        "bring / download / redirect to http",
        "stripe / poll / a run fails",
        "bring / poll / a run of unknown status",
        "stripe / poll / runs that never end",
        "stripe / download / expired link",
        "stripe / parse / a column missing, another in its place",
        "bring / parse / a document type with an entity",
        "brp / emit / the target dies within a line",
    ),
    "kills": (
        "after call 9 / last STATE",
        "after call 14 / no STATE",
        "before STATE 5 / an older STATE / stored",
        "within download 1 / last STATE / stored",
        "within download 3, ahead / last STATE",
        "within write 20 / last STATE",
    ),
    "signals": (
        "SIGTERM after call 16",
        "SIGINT and SIGTERM within log line 5",
    ),
    "output": (
        "EPIPE at write 9",
        "ENOSPC at write 12 within a line",
        "the temporary folder is full at file 3, ahead",
        "the storage is full at write 5",
        "a shorter file after the target died at write 20",
    ),
    "states": (
        "from STATE 6",
        "foreign: partitions an object",
        "the last STATE: bookmarks.bring_invoice_lines.ledger.0.subjects_done.0.1 = 7",
        "the last STATE: newer version at bookmarks.bring_invoice_lines.ledger.0.version = 2",
    ),
    "secrets": (
        "the command: a sync that keeps files",
        "stripe echoes its key in Base64 in an error",
        "setting brp_password: an object with the secret as its key",
    ),
    "calendar": (
        "stripe / Oslo has an hour twice",
        "bring / the clock is a day ahead / in between",
    ),
    "alone": (
        "stripe answers 503, an account of bring is refused",
        "a second sync of the same storage",
    ),
    "names": ("ids that are '../../../' on the local disk",),
}
CUSTOMERS = ["20000770011", "20000770022"]
OF_ALL_CUSTOMERS = {"bring / accounts / wrong shape", "stripe answers 503, an account of bring is refused"}
CELLS = [(part, name) for part, names in SIXTY.items() for name in names]


@pytest.fixture(scope="module")
def parts():
    """A part's case by its name; the part is opened when it is first asked for."""
    with ExitStack() as stack:
        found = {}

        def cases(part, name):
            # Customers that are named are not asked for.
            customers = None if name in OF_ALL_CUSTOMERS else CUSTOMERS
            key = (part, customers is None)
            if key not in found:
                with pytest.MonkeyPatch.context() as patch:
                    patch.setattr(bench, "CUSTOMERS", customers)
                    module = importlib.import_module(f"tests.faults.part_{part}")
                    found[key] = {case.name: case for case in module.cases(stack)}
            return found[key][name]

        yield cases


def test_there_are_sixty():
    assert len(set(CELLS)) == 60


@pytest.mark.parametrize(("part", "name"), CELLS, ids=[f"{part}: {name}" for part, name in CELLS])
def test_cell(parts, part, name):
    verdict = parts(part, name).verdict()
    assert not verdict.why_not, verdict.why_not
    assert verdict.is_good, verdict.said()
