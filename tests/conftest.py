"""For all tests: none depends on how fast or busy the machine is, nor on what else is on it; long ones begin first."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from unittest import mock

import pytest
from hypothesis import HealthCheck, settings

from tests.order import UNMEASURED, longest_first
from tests.sheltered import forget_the_shell, own_temporary_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

# An example may take as long as it takes, and so may the making of examples.
settings.register_profile("steady", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("steady")


def pytest_configure(config: pytest.Config) -> None:
    """See `tests.sheltered`; a worker is sheltered by the run that has started it."""
    forget_the_shell()
    if not hasattr(config, "workerinput"):
        own_temporary_folder()


@pytest.fixture(autouse=True)
def environment_of_its_own() -> Iterator[None]:
    """What a test or a command reads into the environment, such as a `.env`, no later test sees."""
    with mock.patch.dict(os.environ):
        yield


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items[:] = [items[place] for place in longest_first([item.nodeid for item in items])]
    for item in items:
        if item.nodeid.partition("::")[0] in UNMEASURED:
            item.add_marker("no_cover")
