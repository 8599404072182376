"""The targets that are tried: how each is installed, set up and read back.

Two kinds are not here: those that need an account (BigQuery, Snowflake, Redshift, S3), and, but for target-duckdb,
those that are not on the package registry.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from scripts.targets.postgres import USER
from scripts.targets.stores import csv_files, jsonl_files
from scripts.venvs import ENVIRONMENTS, ROOT, Environment
from scripts.warehouse import FILE, tables

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from scripts.targets.postgres import Server
    from scripts.warehouse import Table

SCHEMA = "billing"
POSTGRES = "meltanolabs-target-postgres"
OURS = "target-billing-reports"


@dataclass(frozen=True)
class Place:
    """Where one trial of a target stores: a folder of its own and a database of its own."""

    folder: Path
    database: str
    server: Server

    @property
    def file_url(self) -> str:
        return f"{FILE}{self.folder / 'warehouse.duckdb'}"

    @property
    def database_url(self) -> str:
        return self.server.url(self.database)


class Kind(NamedTuple):
    """How a target is told where to store, and how that is read back."""

    where: Callable[[Place], dict[str, Any]]
    read: Callable[[Place], dict[str, Table]]


def _file(where: Callable[[Place], dict[str, Any]]) -> Kind:
    return Kind(where, lambda place: tables(place.file_url, SCHEMA))


def _database(where: Callable[[Place], dict[str, Any]]) -> Kind:
    return Kind(where, lambda place: tables(place.database_url, SCHEMA))


def _server(database: str) -> Kind:
    """`database` is the setting's name, in which the targets differ."""
    fixed = {"host": "127.0.0.1", "user": USER, "password": "unused", "default_target_schema": SCHEMA}
    return _database(lambda place: {**fixed, "port": place.server.port, database: place.database})


def _folder(setting: str, read: Callable[[Path], dict[str, Table]]) -> Kind:
    return Kind(lambda place: {setting: str(place.folder)}, lambda place: read(place.folder))


@dataclass(frozen=True)
class Loader:
    """A target with one way to set it up; how it is told of in the page."""

    name: str
    requirements: tuple[str, ...]
    executable: str
    kind: Kind
    shown: dict[str, Any] = field(default_factory=dict)
    """The settings that matter to somebody who copies them."""
    constraints: str | None = None
    is_variant: bool = False
    """Another way to set up the one before it."""
    source: str = ""
    """The git repository that it is installed from; empty for the package registry."""

    def settings(self, place: Place) -> dict[str, Any]:
        return self.shown | self.kind.where(place)

    def read(self, place: Place) -> dict[str, Table]:
        return self.kind.read(place)

    def place(self, folder: Path, what: str, server: Server) -> Place:
        """A new folder and a new database for one use of it."""
        name = re.sub(r"\W", "_", f"{self.name}_{what}".replace("-", "_"))
        (folder / name).mkdir(parents=True)
        server.create(name)
        return Place(folder / name, name, server)

    def command(self, place: Place, **settings: Any) -> list[str]:
        """What loads messages from its stdin; the settings, with these more, are in a file beside the folder."""
        config = place.folder.parent / f"{place.database}.config.json"
        config.touch(mode=0o600)
        config.write_text(json.dumps(self.settings(place) | settings))
        return [str(self.environment.path / "bin" / self.executable), "--config", str(config)]

    @property
    def environment(self) -> Environment:
        """Ours is in the project's; each other has one of its own."""
        if self.executable == OURS:
            return ENVIRONMENTS["project"]
        names = [re.sub(r" @ \S+/", "-from-", requirement) for requirement in self.requirements]
        folder = "-".join(name.replace("==", "-").replace("<", "-below-") for name in names)
        path = ROOT / ".tools" / "targets" / folder
        return Environment(path=path, requirements=self.requirements, constraints=self.constraints)


# What makes meltanolabs-target-postgres faster and loses nothing: the tap's records match their schemas.
TUNED: dict[str, Any] = {"batch_size_rows": 50_000, "validate_records": False}
# What would make it faster still, at a price that the page tells.
BY_COPY: dict[str, Any] = {"use_copy": True}
WITHOUT_METADATA: dict[str, Any] = {"add_record_metadata": False, "activate_version": False}
_PINS = "constraints.txt"
_REPOSITORY = "https://github.com/MeltanoLabs/target-duckdb"
_METADATA = {"add_metadata_columns": True}
_TIMED = {"file_naming_scheme": "{stream_name}-{timestamp}.csv", "add_record_metadata": True}

_DUCKDB = _file(lambda place: {"filepath": place.file_url.removeprefix(FILE), "default_target_schema": SCHEMA})
_OUR_FILE = _file(lambda place: {"url": place.file_url, "schema": SCHEMA})
_OUR_DATABASE = _database(lambda place: {"url": place.database_url, "schema": SCHEMA})
_NOTHING = Kind(lambda place: {"database": str(place.folder / "warehouse")}, lambda _place: {})

_OLD_DUCKDB = (("target-duckdb==0.8.0", "duckdb<1.3"), "target-duckdb", _DUCKDB)
_NEW_DUCKDB = (("target-duckdb==0.8.0", "duckdb==1.3.0"), "target-duckdb", _DUCKDB)
_GIT_DUCKDB = ((f"target-duckdb @ git+{_REPOSITORY}",), "target-duckdb", _DUCKDB)
_POSTGRES = (("meltanolabs-target-postgres==0.8.1",), "target-postgres", _server("database"))
_CSV = (("meltanolabs-target-csv==0.5.0",), "target-csv", _folder("output_path", csv_files))
_OLD_CSV = (("target-csv==0.3.0", "setuptools<81"), "target-csv", _folder("destination_path", csv_files))
_JSONL = (("target-jsonl==0.1.4",), "target-jsonl", _folder("destination_path", jsonl_files))

LOADERS: tuple[Loader, ...] = (
    Loader(f"{OURS} (DuckDB)", (".[duckdb]",), OURS, _OUR_FILE, {"url": "duckdb:warehouse.duckdb"}),
    Loader(f"{OURS} (PostgreSQL)", (".[postgres]",), OURS, _OUR_DATABASE, {"url": "postgresql://..."}),
    Loader("target-duckdb", *_OLD_DUCKDB, _METADATA),
    Loader("target-duckdb without metadata columns", *_OLD_DUCKDB, {"add_metadata_columns": False}, is_variant=True),
    Loader("target-duckdb with duckdb 1.3", *_NEW_DUCKDB, _METADATA, is_variant=True),
    Loader("target-duckdb (repository)", *_GIT_DUCKDB, _METADATA, source=_REPOSITORY),
    Loader(POSTGRES, *_POSTGRES, TUNED, _PINS),
    Loader(f"{POSTGRES} as it comes", *_POSTGRES, constraints=_PINS, is_variant=True),
    Loader(f"{POSTGRES} by COPY", *_POSTGRES, TUNED | BY_COPY, _PINS, is_variant=True),
    Loader(f"{POSTGRES} without metadata", *_POSTGRES, TUNED | WITHOUT_METADATA, _PINS, is_variant=True),
    Loader(
        "pipelinewise-target-postgres", ("pipelinewise-target-postgres==2.1.2",), "target-postgres", _server("dbname")
    ),
    Loader("target-jsonl", *_JSONL, {"do_timestamp_file": False}),
    Loader("meltanolabs-target-csv", *_CSV, _TIMED, _PINS),
    Loader(
        "meltanolabs-target-csv as it comes", *_CSV, {"overwrite_behavior": "append_records"}, _PINS, is_variant=True
    ),
    Loader("target-csv", *_OLD_CSV, {"disable_collection": True}),
    Loader("target-sqlite", ("target-sqlite==0.2.0",), "target-sqlite", _NOTHING),
    Loader("target-parquet", ("target-parquet==0.0.1",), "target-parquet", _NOTHING),
)


def loader_of(name: str) -> Loader:
    return next(loader for loader in LOADERS if loader.name == name)
