"""Where the warehouse is: `duckdb:PATH` or `postgresql://...`; its password is a secret like any other."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit, urlunsplit

from tap_billing_reports.core import redaction
from tap_billing_reports.core.errors import ConfigError


class Engine(Enum):
    """The database systems that the loader knows."""

    DUCKDB = "duckdb"
    POSTGRES = "postgres"


_POSTGRES: Final = ("postgresql", "postgres")
_SHAPES: Final = "duckdb:PATH or postgresql://USER@HOST/DATABASE"


@dataclass(frozen=True, repr=False)
class Address:
    """Of a warehouse.

    Attributes:
        engine: which database system.
        target: DuckDB: the file's path. PostgreSQL: the URL as libpq takes it, password included.
        shown: for people: without a password.
    """

    engine: Engine
    target: str
    shown: str

    def __repr__(self) -> str:
        return f"Address({self.shown})"


def named(url: str | None, option: str = "--into") -> str:
    """The URL that was given.

    Args:
        url: None or empty where nobody names one.
        option: of the command, that names it.

    Raises:
        ConfigError: none was.
    """
    if not url:
        raise ConfigError(
            f"no warehouse is named: give {option} duckdb:PATH or {option} postgresql://..., set "
            "BILLING_REPORTS_WAREHOUSE, or the setting warehouse"
        )
    return url


def address_of(url: str) -> Address:
    """The warehouse that a URL names; its password is masked from now on.

    Raises:
        ConfigError: it names none. The message does not show the URL, which may hold a password.
    """
    scheme, colon, rest = url.partition(":")
    if colon and scheme == "duckdb":
        path = rest.removeprefix("//") if rest.startswith("///") else rest
        if not path or path.startswith((":memory:", "//")):
            raise ConfigError("the warehouse's URL names no file: give duckdb:PATH, such as duckdb:warehouse.duckdb")
        return Address(Engine.DUCKDB, str(Path(path).expanduser()), f"duckdb:{path}")
    if colon and scheme in _POSTGRES and rest.startswith("//"):
        try:
            parts = urlsplit(url)
            passwords = [parts.password, *parse_qs(parts.query).get("password", [])]
            host = parts.netloc.rpartition("@")[2]
        except ValueError:
            raise ConfigError(f"the warehouse's URL cannot be read: give {_SHAPES}") from None
        if "#" in url or parts.netloc.count("@") > 1 or "@" in parts.path + parts.query:
            # A part of the password would be taken for the host or the database, and shown as such.
            raise ConfigError(
                "the warehouse's URL has one of the signs @ / ? # where it means something else: write those of a user "
                "or password as %40 %2F %3F %23"
            )
        for password in filter(None, passwords):
            redaction.redact.add(password, unquote(password))
        user = f"{parts.username}@" if parts.username else ""
        return Address(Engine.POSTGRES, url, urlunsplit(("postgresql", user + host, parts.path, "", "")))
    raise ConfigError(f"the warehouse's URL has another form than {_SHAPES}")
