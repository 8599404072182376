"""Meltano as the demo runs it: a project's meltano.yml with a database of the demo's own."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from scripts.demo.processes import sheltered, status_of
from scripts.venvs import ENVIRONMENTS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

EXTRACTOR = "tap-billing-reports"
LOADER = "target-billing-reports"
ENVIRONMENT = "demo"


def variable(plugin: str, setting: str) -> str:
    """The environment variable in which Meltano looks for a plugin's setting."""
    return f"{plugin}_{setting}".replace("-", "_").upper()


def as_variable(value: Any) -> str:
    """A setting's value as Meltano reads it from an environment variable."""
    return value if isinstance(value, str) else json.dumps(value)


@dataclass(frozen=True)
class Meltano:
    """Meltano in the folder of a project; of the caller's own settings none reaches it.

    Attributes:
        folder: logs, and Meltano's own database with the bookmarks, are there.
        url: the warehouse of the loader.
        settings: flat settings of the tap.
    """

    root: Path
    folder: Path
    url: str
    settings: Mapping[str, Any]
    extractor: str = EXTRACTOR
    inherited: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))

    def environment(self) -> dict[str, str]:
        settings = {variable(self.extractor, name): as_variable(value) for name, value in self.settings.items()}
        ours = {
            variable(LOADER, "url"): self.url,
            "MELTANO_PROJECT_ROOT": str(self.root),
            "MELTANO_DATABASE_URI": f"sqlite:///{self.folder / 'meltano.db'}",
            "MELTANO_SEND_ANONYMOUS_USAGE_STATS": "false",
            # What was tested is what is installed. Relative: these variables split at blanks.
            "UV_CONSTRAINT": "constraints.txt",
            "PIP_CONSTRAINT": "constraints.txt",
        }
        return sheltered(self.inherited) | settings | ours

    def install(self) -> None:
        """Makes the plugins' environments; those that are there and unchanged stay.

        Raises:
            RuntimeError: an installation failed; the message holds the log's end.
        """
        if status := self._call("install.log", "install"):
            said = (self.folder / "install.log").read_text(errors="replace")
            raise RuntimeError(f"meltano install failed ({status}):\n{said[-4000:]}")

    def run(self, log: str) -> int:
        """One sync; Meltano's exit status."""
        return self._call(log, "run")

    def _call(self, log: str, verb: str) -> int:
        program = ENVIRONMENTS["meltano"].python.with_name("meltano")
        options = ("--environment", ENVIRONMENT, "--env-file", os.devnull)
        command = (str(program), *options, verb, self.extractor, LOADER)
        return status_of(command, self.folder / log, cwd=self.root, env=self.environment())
