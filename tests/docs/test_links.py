"""Every relative link leads to a page, and to a heading of it; every page can be reached from the README."""

from __future__ import annotations

import pytest

from tests.docs.pages import PAGES, ROOT, anchors, links


def target(page, link):
    path, _, anchor = link.partition("#")
    return ((page.parent / path).resolve() if path else page), anchor


@pytest.mark.parametrize(
    "page", [*PAGES, *ROOT.glob("examples/*/README.md")], ids=lambda page: page.relative_to(ROOT).as_posix()
)
def test_relative_links_lead_somewhere(page):
    for link in links(page.read_text()):
        if link.startswith("https://"):
            continue
        path, anchor = target(page, link)
        assert path.is_relative_to(ROOT), link
        assert path.exists(), link
        assert not anchor or anchor in anchors(path.read_text()), link


def test_every_page_is_linked_from_another():
    linked = {target(page, link)[0] for page in PAGES for link in links(page.read_text()) if "://" not in link}
    assert {page for page in PAGES if page.name != "README.md"} <= linked
