"""The views of a warehouse, read and never changed."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from tap_billing_reports.core.errors import ConfigError
from tap_billing_reports.views.models import models
from tap_billing_reports.warehouse.address import Address, Engine
from tap_billing_reports.warehouse.database import literal, quoted, refused
from tap_billing_reports.warehouse.databases import check_there, extra_for

if TYPE_CHECKING:
    from collections.abc import Iterator


class Reading(Protocol):
    """An open warehouse."""

    def has(self, table: str) -> bool:
        """Whether the schema has a table or view of this name.

        Raises:
            LoadError: the warehouse refuses.
        """
        ...

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """All rows of a query that names the schema as `{schema}`; amounts are Decimal.

        Raises:
            LoadError: the warehouse refuses.
        """
        ...

    def answer(self, sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
        """The names of the columns, and all rows, of a person's own query, which is passed on as it is.

        Raises:
            LoadError: the warehouse refuses; also where the query would change anything.
        """
        ...


@contextmanager
def opened(address: Address, schema: str, *, with_views: bool = True) -> Iterator[Reading]:
    """The warehouse for a while, read only; a loader may be at work in PostgreSQL meanwhile.

    Args:
        address: of the warehouse.
        schema: that tables and views are in.
        with_views: refuse a schema that has no views.

    Raises:
        ConfigError: there is no such file, the extra is not installed, or the schema has no views.
        LoadError: the warehouse refuses.
    """
    with extra_for(address):
        connection = _connect(address)
    try:
        reading = _Connection(connection, address, schema)
        if with_views:
            reading.check()
        yield reading
    finally:
        connection.close()


def _connect(address: Address) -> Any:
    if address.engine is Engine.DUCKDB:
        import duckdb  # noqa: PLC0415 - an extra

        check_there(address)
        try:
            connection: Any = duckdb.connect(address.target, read_only=True)
            connection.execute("set timezone = 'UTC'")
        except duckdb.Error as error:
            raise refused(f"warehouse {address.shown}", error, is_loading=False) from None
        return connection
    import psycopg  # noqa: PLC0415 - an extra

    from tap_billing_reports.warehouse.postgres import CONNECT_SECONDS  # noqa: PLC0415 - an extra

    try:
        connection = psycopg.connect(
            address.target,
            connect_timeout=CONNECT_SECONDS,
            application_name="billing-reports",
            options="-c timezone=UTC",
        )
        connection.read_only = True
    except psycopg.Error as error:
        raise refused(f"warehouse {address.shown}", error, is_loading=False) from None
    return connection


class _Connection:
    def __init__(self, connection: Any, address: Address, schema: str) -> None:
        self._connection = connection
        self._address, self._schema = address, schema
        # With the database, for a file of the schema's own name: two parts are ambiguous there.
        ((database,),) = self.answer("select current_database()")[1]
        self._within = f"{quoted(database)}.{quoted(schema)}"

    def has(self, table: str) -> bool:
        return table in self._there()

    def _there(self) -> set[str]:
        named = f"select table_name from information_schema.tables where table_schema = {literal(self._schema)}"
        return {name for (name,) in self.rows(named)}

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self.answer(sql.replace("{schema}", self._within))[1]

    def answer(self, sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
        try:
            done = self._connection.execute(sql)
            # A statement that has no answer, such as SET, has no columns either.
            return ([column[0] for column in done.description], list(done.fetchall())) if done.description else ([], [])
        except Exception as error:  # noqa: BLE001 - each package has errors of its own
            raise refused(f"warehouse {self._address.shown}", error, is_loading=False) from None

    def check(self) -> None:
        """Refuse a schema that has none of the views.

        Raises:
            ConfigError: so it is.
        """
        missing = sorted(set(models().marts) - self._there())
        if missing:
            raise ConfigError(
                f"warehouse {self._address.shown}: the schema {self._schema!r} lacks the views {', '.join(missing)}; "
                f"make them first: billing-reports views --in URL"
            )
