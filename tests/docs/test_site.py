"""The site's pages: all in the contents, links that lead to where the pages stand, nothing from another host."""

from __future__ import annotations

import pytest

from scripts.docs import staging
from scripts.docs.foreign import foreign
from tests.docs.pages import PAGES, ROOT, blocks, links


@pytest.fixture(scope="module")
def staged(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    staging.stage(folder)
    return folder


def test_every_page_stands_in_the_contents_once():
    listed = [page for pages in staging.CONTENTS.values() for page in pages]
    assert len(listed) == len(set(listed))
    assert {f"{name}.md" for name in listed} | {"index.md"} == {staging.place(page) for page in PAGES}


def test_links_lead_to_where_the_pages_stand(staged):
    seen = 0
    for page in staged.rglob("*.md"):
        for link in links(page.read_text()):
            path = link.partition("#")[0]
            if path and "://" not in link:
                seen += 1
                assert (page.parent / path).resolve().is_file(), (page, link)
    assert seen > 50


def test_what_lies_outside_the_pages_comes_along(staged):
    assert (staged / "tree" / "meltano.yml").read_bytes() == (ROOT / "meltano.yml").read_bytes()
    acme = (staged / "tree" / "examples" / "tap-billing-reports-acme" / "README.md").read_text()
    assert acme.startswith("---\norphan: true\n---\n")
    assert (staged / "images" / "pictures.png").is_file()


def test_code_is_left_as_it_is(staged):
    for page in PAGES:
        copy = (staged / staging.place(page)).read_text()
        for language in ("sh", "json", "python"):
            assert blocks(copy, language) == blocks(page.read_text(), language)


@pytest.mark.parametrize("link", ["nowhere.md", "images", "../../outside.md"])
def test_a_broken_link_ends_the_build(tmp_path, monkeypatch, link):
    monkeypatch.setattr(staging, "ROOT", tmp_path)
    (tmp_path / "docs" / "images").mkdir(parents=True)
    page = tmp_path / "docs" / "page.md"
    page.write_text(f"`[code](gone.md)` and [words]({link})\n")
    with pytest.raises(staging.BrokenLinkError, match=r"^docs/page\.md: "):
        staging.relinked(page, lambda _target: None)
    page.write_text("`[code](gone.md)` [web](https://x.example) [here](#top) [it](page.md#top)\n")
    assert staging.relinked(page, lambda _target: None).endswith("[it](page.md#top)\n")


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
