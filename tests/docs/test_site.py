"""The site's pages: all in the contents, nothing from another host. Their links: test_links.py."""

from __future__ import annotations

import pytest

from scripts.docs.conf import CONTENTS, add_contents
from scripts.docs.foreign import foreign
from tests.docs.pages import PAGES, ROOT


def test_every_page_stands_in_the_contents_once():
    listed = [f"{name}.md" for pages in CONTENTS.values() for name in pages]
    assert len(listed) == len(set(listed))
    assert {*listed, "README.md"} == {page.relative_to(ROOT).as_posix() for page in PAGES}


def test_the_first_page_alone_declares_the_contents():
    first, other = ["# First\n"], ["# Other\n"]
    add_contents(None, "README", first)
    add_contents(None, "docs/faq", other)
    assert first[0].count("\n```{toctree}\n") == len(CONTENTS)
    assert "\ndocs/faq\n" in first[0]
    assert other == ["# Other\n"]


@pytest.mark.parametrize(
    "fetched",
    [
        '<script src="https://cdn.example/a.js"></script>',
        '<img src="//cdn.example/a.png">',
        '<img srcset="a.png 1x, https://cdn.example/b.png 2x">',
        '<link rel="stylesheet" href="https://fonts.example/css">',
        '<link rel="preconnect" href="https://fonts.example">',
        '<p style="background: url(https://cdn.example/a.png)">',
        "<style>@import 'https://fonts.example/css';</style>",
        '<iframe src="http://frames.example"></iframe>',
    ],
)
def test_what_a_page_would_load_from_elsewhere_is_found(tmp_path, fetched):
    (tmp_path / "page.html").write_text(f"<html><body>{fetched}</body></html>")
    assert len(foreign(tmp_path)) == 1


def test_fonts_of_a_style_are_found_and_plain_links_are_not(tmp_path):
    (tmp_path / "page.html").write_text(
        '<a href="https://x.example">x</a><img src="a.png"><link rel="next" href="b.html">'
    )
    assert foreign(tmp_path) == []
    (tmp_path / "a.css").write_text("@font-face {src: url('https://fonts.example/a.woff2')}")
    assert foreign(tmp_path) == ["a.css: https://fonts.example/a.woff2"]
