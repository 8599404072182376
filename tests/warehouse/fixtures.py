"""A warehouse of each kind, empty for each test."""

from __future__ import annotations

import pytest

from scripts.targets.postgres import postgres_server
from tests.warehouse.places import place_in


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """A real PostgreSQL."""
    with postgres_server(tmp_path_factory.mktemp("server") / "postgres.log") as running:
        yield running


@pytest.fixture(params=["duckdb", "postgres"])
def place(request, tmp_path):
    """A warehouse that nothing was loaded into yet."""
    server = request.getfixturevalue("server") if request.param == "postgres" else None
    return place_in(request.param, tmp_path, server)


@pytest.fixture
def server_place(tmp_path, server):
    """The same in PostgreSQL alone."""
    return place_in("postgres", tmp_path, server)


@pytest.fixture
def file_place(tmp_path):
    """The same in DuckDB alone."""
    return place_in("duckdb", tmp_path, None)
