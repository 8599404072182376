"""Bring and Stripe with a storage, and what lies there as Parquet afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tap_billing_reports.sandbox.core import Sandbox
from tests.reports.bulk.bench import NOW, Bulk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def served() -> Iterator[Sandbox]:
    with Sandbox(NOW, seed=7, vendors=("stripe", "bring"), stripe_run_seconds=0) as sandbox:
        yield sandbox


@pytest.fixture
def bulk(served: Sandbox, tmp_path: Path) -> Bulk:
    served.control.reset(at=NOW)
    return Bulk(served, tmp_path / "store")
