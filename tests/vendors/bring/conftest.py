"""One running Bring for the tests of the tap, as new before each; the tap runs in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tap_billing_reports.sandbox.core import Sandbox
from tests.vendors.bring.emulated import NOW, Bring

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def served() -> Iterator[Sandbox]:
    with Sandbox(NOW, seed=7, vendors=("bring",)) as sandbox:
        yield sandbox


@pytest.fixture
def bring(served: Sandbox) -> Bring:
    served.control.reset(at=NOW)
    return Bring(served)
