"""A Redis server for a while: the system's own where there is one, else Debian's, unpacked into the project.

Nothing is installed system-wide. It listens on a loopback port of its own and keeps nothing on disk.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
from typing import TYPE_CHECKING

from scripts.demo.processes import free_port, serving
from scripts.venvs import ROOT, alone

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

UNPACKED = ROOT / ".tools" / "redis"
COMPLETE = UNPACKED / "complete"
# The server and the libraries that a Debian without it may lack.
PACKAGES = ("redis-server", "redis-tools", "libjemalloc2", "liblzf1", "libatomic1")
MISSING = (
    "CeleryExecutor needs a Redis server: install redis-server (Debian, Ubuntu: apt-get install redis-server; "
    "macOS: brew install redis), or run `apt-get update` once so that its package can be fetched"
)


@contextlib.contextmanager
def redis_server(folder: Path) -> Iterator[str]:
    """Its URL; the server is gone when the block is left. Its log is in `folder`.

    Raises:
        RuntimeError: there is no server and none can be had, or it did not answer in time.
    """
    env = dict(os.environ)
    program = shutil.which("redis-server")
    if not program:
        with alone():
            if not COMPLETE.exists():
                _fetch()
        program = str(UNPACKED / "root" / "usr" / "bin" / "redis-server")
        env["LD_LIBRARY_PATH"] = ":".join(map(str, (UNPACKED / "root" / "usr" / "lib").glob("*-linux-*")))
    port = free_port()
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    with serving("Redis", command, folder / "redis.log", lambda: _answers(port), cwd=folder, env=env):
        yield f"redis://127.0.0.1:{port}/0"


def _fetch() -> None:
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        raise RuntimeError(MISSING)
    print("Fetching Debian's redis-server into .tools/redis ...", flush=True)
    shutil.rmtree(UNPACKED, ignore_errors=True)
    UNPACKED.mkdir(parents=True)
    download = ["apt-get", "download", "--quiet", *PACKAGES]
    ran = subprocess.run(download, cwd=UNPACKED, capture_output=True, text=True, check=False)
    if ran.returncode:
        raise RuntimeError(f"{MISSING}.\n{ran.stderr.strip()}")
    for package in UNPACKED.glob("*.deb"):
        subprocess.run(["dpkg-deb", "--extract", str(package), str(UNPACKED / "root")], check=True)
    COMPLETE.touch()


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False
