"""The declared vendor on loopback."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.declare.shop import Shop, served

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def shop() -> Iterator[Shop]:
    with served(Shop()) as shop:
        yield shop
