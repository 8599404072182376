"""What else is on the machine is no matter of a run of the tests: its user's shell, and what other runs leave."""

from __future__ import annotations

import os
import shutil
import tempfile
from multiprocessing.util import Finalize
from pathlib import Path

# What the tap, its loader, Meltano, Airflow and PostgreSQL's client read of a shell.
OF_A_SHELL = ("AIRFLOW", "BILLING_", "MELTANO_", "PG", "TAP_BILLING_REPORTS_", "TARGET_")
# Short: the path of a socket below it has room for a hundred characters.
TEMPORARY = "t-"


def forget_the_shell() -> None:
    """Take the settings of the user's shell out of the environment."""
    for name in [name for name in os.environ if name.startswith(OF_A_SHELL)]:
        del os.environ[name]


def own_temporary_folder() -> None:
    """Give this process, and those that it starts, a temporary folder of its own, until it ends.

    Syncs look into theirs for what killed ones have left, and other runs leave theirs in the machine's. Pytest's own
    folders stay where they are looked for.
    """
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", tempfile.gettempdir())
    folder = Path(tempfile.mkdtemp(prefix=TEMPORARY))
    # PostgreSQL has its data below, as another user.
    folder.chmod(0o711)
    os.environ["TMPDIR"] = tempfile.tempdir = str(folder)
    # After what multiprocessing removes of it, which has the number -100.
    Finalize(None, shutil.rmtree, (folder, True), exitpriority=-200)
