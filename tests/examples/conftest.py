"""The example vendor, built and installed as a package of its own into a folder that nothing else sees."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile

import pytest

from scripts import venvs
from tests.examples.places import EXAMPLE, ROOT
from tests.meltano.project import forking_meltano, started_once
from tests.waiting import HANG_SECONDS

__all__ = ["forking_meltano", "started_once"]

# Meltano has an environment of its own, which `make demo` makes.
collect_ignore = [] if (ROOT / ".tools" / "meltano" / "bin" / "meltano").exists() else ["test_acme_meltano.py"]
# So has dlt, which `make dlt` makes.
if not venvs.ENVIRONMENTS["dlt"].python.exists():
    collect_ignore.append("test_dlt.py")


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """A folder to put on the path: the wheel that the package's own backend builds, unpacked as installers do it."""
    folder = tmp_path_factory.mktemp("acme")
    program = "import sys, hatchling.build as backend; backend.build_wheel(sys.argv[1])"
    subprocess.run([sys.executable, "-c", program, str(folder)], cwd=EXAMPLE, capture_output=True, check=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


@pytest.fixture
def with_acme(site):
    """Runs Python with the package installed, in a folder."""

    def run(*arguments, cwd, **environment):
        env = {**os.environ, "PYTHONPATH": f"{site}{os.pathsep}{ROOT}", **environment}
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=cwd,
            env=env,
            capture_output=True,
            text=True,
            timeout=HANG_SECONDS,
            check=False,
        )

    return run
