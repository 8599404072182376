"""Tests of which `make test` tries a sample, with every case of theirs."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from tests.faults.cases import Case
from tests.faults.part_model import pytest
from tests.sampling import EVERY_CASE

if TYPE_CHECKING:
    from contextlib import ExitStack

TESTS = (
    "tests/vendors/stripe/test_kill.py",
    "tests/vendors/bring/test_bring_kill.py",
    "tests/vendors/vipps/test_vipps_kill.py",
    "tests/vendors/klarna/test_klarna_kill.py",
    "tests/examples/test_acme_package.py::test_killed_after_each_call",
    "tests/singer/test_termination.py",
    "tests/warehouse/test_changes.py::test_many_streams_and_columns_in_one_transaction",
)


def cases(_stack: ExitStack) -> list[Case]:
    return [Case(where, partial(pytest, where, 1, EVERY_CASE, 1)) for where in TESTS]
