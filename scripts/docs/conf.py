"""How Sphinx builds the site. Chosen for what it has long been good at: Markdown by MyST, every link held, a search and
pages that need neither server nor network."""

from __future__ import annotations

project = "tap-billing-reports"
extensions = ["myst_parser"]
# Anchors as repository hosts make them, so that a link holds in both places.
myst_heading_anchors = 4

html_theme = "furo"
html_title = project
html_copy_source = False
html_show_sourcelink = False
html_show_copyright = False
html_show_sphinx = False
