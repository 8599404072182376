"""dbt, in an environment of its own: it must not decide which versions the tap gets."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scripts.demo.processes import status_of
from scripts.venvs import ENVIRONMENTS, ROOT, provide

if TYPE_CHECKING:
    from pathlib import Path

    from scripts.models.stores import Store

ENVIRONMENT = ENVIRONMENTS["dbt"]


@dataclass(frozen=True)
class Dbt:
    """The package of `dbt/`, with a profile that has one target a warehouse."""

    folder: Path

    @staticmethod
    def install() -> None:
        provide(ENVIRONMENT)

    def profile(self, stores: list[Store]) -> None:
        """Write dbt's profile; YAML reads JSON."""
        outputs = {store.name: store.profile() for store in stores}
        profile = {"billing_reports": {"target": stores[0].name, "outputs": outputs}}
        (self.folder / "profiles.yml").write_text(json.dumps(profile))

    def run(self, store: Store, *words: str, **variables: Any) -> int:
        """One command of dbt's against one warehouse; the exit status. Its words go to a log."""
        options = [
            "--target", store.name, "--profiles-dir", str(self.folder),
            "--target-path", str(self.folder / f"target-{store.name}"), "--log-path", str(self.folder / "logs"),
            "--vars", json.dumps({"billing_schema": store.schema, **variables}),
        ]  # fmt: skip
        command = [str(ENVIRONMENT.path / "bin" / "dbt"), *words, *options]
        env = {**os.environ, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "NO_COLOR": "1"}
        return status_of(command, self.log(store), cwd=ROOT / "dbt", env=env)

    def log(self, store: Store) -> Path:
        return self.folder / f"dbt-{store.name}.log"
