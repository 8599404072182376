"""The targets that are tried: how each is installed, set up and read back.

Two kinds are not here: those that need an account (BigQuery, Snowflake, Redshift, S3), and, but for target-duckdb,
those that are not on the package registry.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from scripts.targets import stores
from scripts.targets.postgres import USER
from scripts.venvs import ENVIRONMENTS, ROOT, Environment

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from scripts.targets.findings import Table
    from scripts.targets.postgres import Server

POSTGRES = "meltanolabs-target-postgres"
OURS = "target-billing-reports"
TELLING = ("singer-sdk", "singer-python", "pipelinewise-singer-python", "duckdb", "sqlalchemy", "psycopg")


@dataclass(frozen=True)
class Place:
    """Where one trial of a target stores: a folder of its own and a database of its own."""

    folder: Path
    database: str
    server: Server
    python: Path
    """The interpreter of the target's environment."""


@dataclass(frozen=True)
class Loader:
    """A target with one way to set it up."""

    name: str
    requirements: tuple[str, ...]
    executable: str
    settings: Callable[[Place], dict[str, Any]]
    read: Callable[[Place], dict[str, Table]]
    constraints: str | None = None
    title: str = ""
    """What is different from the target's first way; empty for that one."""
    variant_of: str = ""
    shown: dict[str, Any] = field(default_factory=dict)
    """The settings that matter to somebody who copies them."""
    source: str = ""
    """The git repository that it is installed from; empty for the package registry."""
    is_ours: bool = False
    """It comes with the project, and is in the project's environment."""
    telling: tuple[str, ...] = TELLING
    """Packages whose versions decide how values come through, beside those that are required."""

    @property
    def environment(self) -> Environment:
        if self.is_ours:
            return ENVIRONMENTS["project"]
        names = [re.sub(r" @ \S+/", "-from-", requirement) for requirement in self.requirements]
        folder = "-".join(name.replace("==", "-").replace("<", "-below-") for name in names)
        return Environment(
            path=ROOT / ".tools" / "targets" / folder,
            requirements=self.requirements,
            constraints=self.constraints,
        )


def _folder(setting: str, **more: Any) -> Callable[[Place], dict[str, Any]]:
    return lambda place: {setting: str(place.folder), **more}


def _duckdb(*, metadata: bool) -> Callable[[Place], dict[str, Any]]:
    def settings(place: Place) -> dict[str, Any]:
        return {
            "filepath": str(place.folder / "warehouse.duckdb"),
            "default_target_schema": stores.SCHEMA,
            "add_metadata_columns": metadata,
        }

    return settings


def _read_duckdb(place: Place) -> dict[str, Table]:
    return stores.duckdb_file(place.folder / "warehouse.duckdb", place.python)


def _postgres(database: str, **more: Any) -> Callable[[Place], dict[str, Any]]:
    """`database` is the setting's name, in which the targets differ."""
    return lambda place: {
        "host": "127.0.0.1",
        "port": place.server.port,
        "user": USER,
        "password": "unused",
        database: place.database,
        "default_target_schema": stores.SCHEMA,
        **more,
    }


def _read_postgres(place: Place) -> dict[str, Table]:
    return stores.postgres_database(place.server, place.database)


def _ours(url: Callable[[Place], str]) -> Callable[[Place], dict[str, Any]]:
    return lambda place: {"url": url(place), "schema": stores.SCHEMA}


def _postgres_url(place: Place) -> str:
    return f"postgresql://{USER}@127.0.0.1:{place.server.port}/{place.database}"


def _duckdb_url(place: Place) -> str:
    return f"duckdb:{place.folder / 'warehouse.duckdb'}"


def _read_jsonl(place: Place) -> dict[str, Table]:
    return stores.jsonl_files(place.folder)


def _read_csv(place: Place) -> dict[str, Table]:
    return stores.csv_files(place.folder)


# What makes meltanolabs-target-postgres faster and loses nothing: the tap's records match their schemas.
TUNED: dict[str, Any] = {"batch_size_rows": 50_000, "validate_records": False}
# What would make it faster still, at a price that the page tells.
BY_COPY: dict[str, Any] = {"use_copy": True}
WITHOUT_METADATA: dict[str, Any] = {"add_record_metadata": False, "activate_version": False}
_REPOSITORY = "https://github.com/MeltanoLabs/target-duckdb"
_TIMED = "{stream_name}-{timestamp}.csv"

LOADERS: tuple[Loader, ...] = (
    Loader(
        f"{OURS} (DuckDB)", (".[duckdb]",), OURS, _ours(_duckdb_url), _read_duckdb,
        shown={"url": "duckdb:warehouse.duckdb"}, is_ours=True, telling=("tap-billing-reports", "duckdb", "pyarrow"),
    ),
    Loader(
        f"{OURS} (PostgreSQL)", (".[postgres]",), OURS, _ours(_postgres_url), _read_postgres,
        shown={"url": "postgresql://..."}, is_ours=True, telling=("tap-billing-reports", "psycopg"),
    ),
    Loader(
        "target-duckdb", ("target-duckdb==0.8.0", "duckdb<1.3"), "target-duckdb",
        _duckdb(metadata=True), _read_duckdb,
        shown={"add_metadata_columns": True},
    ),
    Loader(
        "target-duckdb without metadata columns", ("target-duckdb==0.8.0", "duckdb<1.3"), "target-duckdb",
        _duckdb(metadata=False), _read_duckdb,
        title="`add_metadata_columns` left out", variant_of="target-duckdb",
        shown={"add_metadata_columns": False},
    ),
    Loader(
        "target-duckdb with duckdb 1.3", ("target-duckdb==0.8.0", "duckdb==1.3.0"), "target-duckdb",
        _duckdb(metadata=True), _read_duckdb,
        title="duckdb 1.3.0 instead of an older one", variant_of="target-duckdb",
        shown={"add_metadata_columns": True},
    ),
    Loader(
        "target-duckdb (repository)", (f"target-duckdb @ git+{_REPOSITORY}",), "target-duckdb",
        _duckdb(metadata=True), _read_duckdb,
        shown={"add_metadata_columns": True}, source=_REPOSITORY,
    ),
    Loader(
        POSTGRES, ("meltanolabs-target-postgres==0.8.1",), "target-postgres",
        _postgres("database", **TUNED), _read_postgres, "constraints.txt",
        shown=TUNED,
    ),
    Loader(
        f"{POSTGRES} as it comes", ("meltanolabs-target-postgres==0.8.1",), "target-postgres",
        _postgres("database"), _read_postgres, "constraints.txt",
        title="these settings left out", variant_of=POSTGRES,
    ),
    Loader(
        f"{POSTGRES} by COPY", ("meltanolabs-target-postgres==0.8.1",), "target-postgres",
        _postgres("database", **TUNED, **BY_COPY), _read_postgres, "constraints.txt",
        title="`use_copy` as well", variant_of=POSTGRES,
        shown=TUNED | BY_COPY,
    ),
    Loader(
        f"{POSTGRES} without metadata", ("meltanolabs-target-postgres==0.8.1",), "target-postgres",
        _postgres("database", **TUNED, **WITHOUT_METADATA), _read_postgres, "constraints.txt",
        title="`add_record_metadata` and `activate_version` turned off as well", variant_of=POSTGRES,
        shown=TUNED | WITHOUT_METADATA,
    ),
    Loader(
        "pipelinewise-target-postgres", ("pipelinewise-target-postgres==2.1.2",), "target-postgres",
        _postgres("dbname"), _read_postgres,
    ),
    Loader(
        "target-jsonl", ("target-jsonl==0.1.4",), "target-jsonl",
        _folder("destination_path", do_timestamp_file=False), _read_jsonl,
        shown={"do_timestamp_file": False},
    ),
    Loader(
        "meltanolabs-target-csv", ("meltanolabs-target-csv==0.5.0",), "target-csv",
        _folder("output_path", file_naming_scheme=_TIMED, add_record_metadata=True), _read_csv, "constraints.txt",
        shown={"file_naming_scheme": _TIMED, "add_record_metadata": True},
    ),
    Loader(
        "meltanolabs-target-csv as it comes", ("meltanolabs-target-csv==0.5.0",), "target-csv",
        _folder("output_path", overwrite_behavior="append_records"), _read_csv, "constraints.txt",
        title="`overwrite_behavior: append_records` instead of both settings", variant_of="meltanolabs-target-csv",
        shown={"overwrite_behavior": "append_records"},
    ),
    Loader(
        "target-csv", ("target-csv==0.3.0", "setuptools<81"), "target-csv",
        _folder("destination_path", disable_collection=True), _read_csv,
    ),
    Loader(
        "target-sqlite", ("target-sqlite==0.2.0",), "target-sqlite",
        lambda place: {"database": str(place.folder / "warehouse")}, lambda _place: {},
    ),
    Loader(
        "target-parquet", ("target-parquet==0.0.1",), "target-parquet",
        _folder("destination_path"), lambda _place: {},
    ),
)  # fmt: skip
