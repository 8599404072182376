"""Makes the page from a DuckDB file that is opened read-only.

python -m scripts.pictures                                  output/demo.duckdb -> output/demo.html
python -m scripts.pictures --database FILE --output FILE    another warehouse of the demo's streams

Runs in .tools/pictures, which has duckdb and Plotly. Exit status 1 with one line when there is nothing to draw.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scripts.demo.warehouse import DuckDb
from scripts.pictures.facts import SCHEMA, Reader
from scripts.pictures.page import page

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT = Path(__file__).resolve().parent.parent.parent


def plotly_script(figures: Sequence[Mapping[str, Any]]) -> str:
    """The library's script; every figure has been held against the library's own rules before.

    Raises:
        ValueError: a figure has a property that the library does not know.
    """
    # Not installed where types are checked, hence not imported by name.
    graph_objects, offline = (importlib.import_module(f"plotly.{name}") for name in ("graph_objects", "offline"))
    for figure in figures:
        graph_objects.Figure(dict(figure))
    script: str = offline.get_plotlyjs()
    return script.replace("</script", "<\\/script")


def make(database: Path, output: Path) -> None:
    """Writes the page.

    Raises:
        ValueError: the database is not there, or holds none of what is drawn.
        RuntimeError: duckdb refused a query, for instance because the file is being written.
    """
    if not database.is_file():
        raise ValueError(f"{database} is not there; `make demo` makes output/demo.duckdb")
    facts = Reader(DuckDb(database, Path(sys.executable), SCHEMA)).read()
    if not (facts.invoices or facts.products or facts.balance or facts.runs):
        raise ValueError(f"{database} holds no invoices and no reports in the schema {SCHEMA}")
    html = page(facts, database=database.name, library=plotly_script)
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(html, encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m scripts.pictures", description=__doc__.partition("\n")[0])
    parser.add_argument("--database", type=Path, default=ROOT / "output" / "demo.duckdb")
    parser.add_argument("--output", type=Path, help="default: beside the database, .html")
    arguments = parser.parse_args()
    output = arguments.output or arguments.database.with_suffix(".html")
    try:
        make(arguments.database, output)
    except (OSError, RuntimeError, ValueError) as error:
        print(f"pictures: {error}", file=sys.stderr)
        return 1
    size = output.stat().st_size / 1_000_000
    print(f"pictures: {output} ({size:.1f} MB, opens without a network)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
