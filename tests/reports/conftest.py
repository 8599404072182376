"""A vendor in memory at a fixed instant, and syncs against it."""

from __future__ import annotations

import uuid
from functools import partial
from typing import TYPE_CHECKING

import pytest

from tap_billing_reports.storage.files import Storage
from tests.fakes import FakeClock
from tests.reports.moment import NOW
from tests.reports.syncs import Sync, Target
from tests.reports.vendor import Vendor

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOW)


@pytest.fixture
def vendor(clock: FakeClock) -> Vendor:
    return Vendor(clock)


@pytest.fixture
def unkeyed(clock: FakeClock) -> Vendor:
    return Vendor(clock, keyed=False)


@pytest.fixture
def storage() -> Storage:
    return Storage(f"memory://{uuid.uuid4().hex}")


@pytest.fixture
def target() -> Target:
    return Target()


@pytest.fixture
def sync(tmp_path, target: Target) -> Callable[..., Sync]:
    """Makes one sync; its rows go to the test's target."""
    return partial(Sync, folder=tmp_path, target=target)
