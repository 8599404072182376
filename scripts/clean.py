"""Removes what the project's verbs made: environments, caches, builds, the demo's output.

What belongs to its user stays: `.env`, Meltano's own system database (it holds bookmarks), other output.
"""

from __future__ import annotations

import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MADE = (
    ".venv", ".tools", "dist", "build", "site", "benchmarks/data", "output/demo*", "output/models", "output/targets",
    "output/airflow*", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", ".coverage*", "coverage.xml",
    "*.egg-info", ".meltano/extractors", ".meltano/loaders", ".meltano/run", ".meltano/logs",
)  # fmt: skip
SOURCES = ("tap_billing_reports", "tests", "benchmarks", "scripts", "docs", "examples")


def main() -> None:
    """Prints a line for each thing that is removed."""
    found = [path for pattern in MADE for path in ROOT.glob(pattern)]
    found += [path for folder in SOURCES for path in (ROOT / folder).rglob("__pycache__")]
    for path in found:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
        print(f"removed {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
