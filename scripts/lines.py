"""Lines by folder, as `make lint` ends with: what there is to read and to carry."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "tap_billing_reports"
WRITTEN = (".py", ".sql", ".sh", ".md")
"""Endings of what people write; data, pins and pages of generated schemas are not counted."""


def lines(folder: Path, *, below: bool = True) -> int:
    found = folder.rglob("*") if below else folder.glob("*")
    return sum(len(path.read_bytes().splitlines()) for path in found if path.suffix in WRITTEN)


def counts() -> dict[str, int]:
    """Folder -> lines; those of the package one by one, then the others."""
    folders = sorted(path for path in (ROOT / PACKAGE).iterdir() if path.is_dir() and any(path.glob("*.py")))
    inside = {path.relative_to(ROOT).as_posix(): lines(path) for path in folders}
    whole = {PACKAGE: lines(ROOT / PACKAGE, below=False) + sum(inside.values())}
    return inside | whole | {name: lines(ROOT / name) for name in ("dbt", "tests", "scripts", "benchmarks", "docs")}


def main() -> None:
    for name, count in counts().items():
        print(f"{name:32} {count:>7,}")


if __name__ == "__main__":
    main()
