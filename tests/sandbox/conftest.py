"""One running sandbox for the core's and Stripe's tests, as new before each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tap_billing_reports.sandbox.core import Sandbox
from tests.sandbox.stripe_calls import NOW, StripeCalls

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def running() -> Iterator[Sandbox]:
    with Sandbox(NOW, seed=7, vendors=("stripe",)) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: Sandbox) -> Sandbox:
    """With its clock stopped at NOW."""
    running.control.reset(at=NOW)
    return running


@pytest.fixture
def calls(sandbox: Sandbox) -> Iterator[StripeCalls]:
    found = StripeCalls(sandbox)
    yield found
    found.session.close()
