"""A warehouse of each kind, empty for each test."""

from tests.warehouse.fixtures import file_place, place, server, server_place

__all__ = ["file_place", "place", "server", "server_place"]
