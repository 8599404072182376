"""Opens the database of an address; each one's package is an extra, imported when it is needed."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tap_billing_reports.core.errors import ConfigError
from tap_billing_reports.warehouse.address import Engine
from tap_billing_reports.warehouse.columns import check_schema

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_billing_reports.warehouse.address import Address
    from tap_billing_reports.warehouse.database import Database


def is_there(address: Address) -> bool:
    """Whether it is there: a file that opening would make is not. A server says so itself."""
    return address.engine is not Engine.DUCKDB or Path(address.target).exists()


def check_there(address: Address) -> None:
    """Refuse a file that opening would make.

    Raises:
        ConfigError: there is no such file.
    """
    if not is_there(address):
        raise ConfigError(f"warehouse {address.shown}: there is no such file")


def check_views(address: Address, schema: str) -> None:
    """Refuse a warehouse that can hold tables and no views.

    DuckDB names a database after its file. A name of two parts, as the views have, is ambiguous where the schema has
    that name, too.

    Raises:
        ConfigError: it is one.
    """
    if address.engine is not Engine.DUCKDB:
        return
    database = next(filter(None, Path(address.target).name.split(".")), "")
    if database.lower() == schema.lower():
        raise ConfigError(
            f"warehouse {address.shown}: DuckDB makes no views in a schema with the name of its file, {schema!r}; give "
            f"the file another name, such as duckdb:warehouse.duckdb (one that is there can be renamed), or use "
            f"another --schema"
        )


@contextmanager
def extra_for(address: Address) -> Iterator[None]:
    """What is imported within belongs to the extra for this database.

    Raises:
        ConfigError: it is not installed.
    """
    try:
        yield
    except ImportError as error:
        raise ConfigError(
            f"warehouse {address.shown}: install tap-billing-reports[{address.engine.value}] first ({error})"
        ) from None


def open_database(address: Address, schema: str) -> Database:
    """Connect, with the schema made and a second loader kept out.

    Raises:
        ConfigError: the extra for this database is not installed, or the schema's name is none.
        LoadError: the database refuses.
    """
    check_schema(schema)
    with extra_for(address):
        if address.engine is Engine.DUCKDB:
            from tap_billing_reports.warehouse.duck import DuckDatabase  # noqa: PLC0415 - an extra; slow to import

            return DuckDatabase(address, schema)
        from tap_billing_reports.warehouse.postgres import PostgresDatabase  # noqa: PLC0415 - an extra

        return PostgresDatabase(address, schema)
