"""How Sphinx builds the site of the pages, where they lie in the tree.

Chosen for what it has long been good at: Markdown by MyST, every link held, a search and pages that need neither server
nor network. A link to a page leads to it, one to another file brings a copy of that file along.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

CONTENTS = {
    "First steps": ("docs/glossary", "docs/quick-start", "docs/faq"),
    "Vendors": tuple(f"docs/sources/{vendor}" for vendor in ("stripe", "bring", "brp", "vipps", "klarna")),
    "Running it": (
        "docs/operations", "docs/warehouse", "docs/singer", "docs/models", "docs/second-sync", "docs/backfill",
        "docs/recovery", "docs/targets", "docs/container", "docs/pictures", "docs/privacy",
    ),
    "Reference": ("docs/streams", "docs/report-columns", "docs/settings", "docs/state", "docs/compatibility"),
    "How well it works": ("docs/numbers", "docs/reliability", "docs/performance", "docs/scale"),
    "Development": (
        "docs/architecture", "docs/decisions/README",
        *sorted(f"docs/decisions/{path.stem}" for path in Path(__file__).parents[2].glob("docs/decisions/[0-9]*.md")),
        "docs/add-a-source", "docs/releasing", "CONTRIBUTING", "SECURITY", "CHANGELOG",
    ),
}  # fmt: skip
"""Heading of the site's contents -> its pages."""

project = "tap-billing-reports"
extensions = ["myst_parser"]
# Anchors as repository hosts make them, so that a link holds in both places.
myst_heading_anchors = 4

root_doc = "README"
include_patterns = ["*.md", "docs/**", "examples/*/README.md"]
exclude_patterns = [".*", "output", "site"]
# The examples' pages are reached by their links alone; a test looks for all others in `CONTENTS`.
suppress_warnings = ["toc.not_included"]

html_theme = "furo"
html_title = project
html_copy_source = False
html_show_sourcelink = False
html_show_copyright = False
html_show_sphinx = False


def add_contents(_sphinx: Any, page: str, text: list[str]) -> None:
    """The first page declares the site's contents; a reader of the repository does not see them."""
    if page == root_doc:
        for heading, pages in CONTENTS.items():
            text[0] += f"\n```{{toctree}}\n:hidden:\n:caption: {heading}\n\n" + "".join(f"{one}\n" for one in pages)
            text[0] += "```\n"


def setup(sphinx: Any) -> None:
    sphinx.connect("source-read", add_contents)
