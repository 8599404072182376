"""One running emulator of Klarna, as new before each test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tap_billing_reports.sandbox.core import Sandbox
from tests.vendors.klarna.emulated import NOW, Klarna

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def running_klarna() -> Iterator[Sandbox]:
    with Sandbox(NOW, seed=7, vendors=("klarna",)) as sandbox:
        yield sandbox


@pytest.fixture
def klarna(running_klarna: Sandbox) -> Klarna:
    """With its clock stopped at NOW."""
    running_klarna.control.reset(at=NOW)
    return Klarna(running_klarna)
