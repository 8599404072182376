"""dbt, in an environment of its own: it must not decide which versions the tap gets."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from scripts.demo.processes import status_of
from scripts.venvs import ENVIRONMENTS, ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from scripts.models.stores import Store

ENVIRONMENT = ENVIRONMENTS["dbt"]


def write_profile(folder: Path, stores: Sequence[Store]) -> None:
    """One target a warehouse; YAML reads JSON."""
    outputs = {store.name: store.profile() for store in stores}
    profile = {"billing_reports": {"target": stores[0].name, "outputs": outputs}}
    (folder / "profiles.yml").write_text(json.dumps(profile))


def run(folder: Path, store: Store, *words: str, **variables: Any) -> int:
    """One command of dbt's against one warehouse; the exit status. Its words go to `dbt-NAME.log` in the folder."""
    options = [
        "--target", store.name, "--profiles-dir", str(folder), "--target-path", str(folder / f"target-{store.name}"),
        "--log-path", str(folder / "logs"), "--vars", json.dumps({"billing_schema": store.schema, **variables}),
    ]  # fmt: skip
    command = [str(ENVIRONMENT.python.with_name("dbt")), *words, *options]
    env = {**os.environ, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "NO_COLOR": "1"}
    return status_of(command, folder / f"dbt-{store.name}.log", cwd=ROOT / "dbt", env=env)
