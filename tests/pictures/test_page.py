"""The whole page from a small warehouse: complete, exact, and alone."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
from html.parser import HTMLParser

import pytest

from tests.pictures import loading

SECTIONS = {
    "invoices": "Invoices by month, vendor and status",
    "products": "Cost lines by product",
    "balance": "Balance change over time",
    "checks": "Reconciliation lights",
    "runs": "Timeline of the report runs",
}


class Page(HTMLParser):
    """The page without its scripts: tags, tables by their caption, and text."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.tables, self.scripts = [], {}, {}
        self.words: list[str] = []
        self._open, self._rows = [], []
        self.feed(html)
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self._open.append(tag)
        if tag == "table":
            self._rows = []
            self.tables[self.words[-1]] = self._rows
        elif tag == "tr":
            self._rows.append([])
        elif tag in {"td", "th"}:
            self._rows[-1].append("")

    def handle_endtag(self, tag):
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data):
        data = data.replace("\N{MINUS SIGN}", "-")
        if self._open[-1:] == ["script"]:
            self.scripts[self.tags[-1][1].get("id", len(self.scripts))] = data
        elif {"td", "th"} & set(self._open[-1:]):
            self._rows[-1][-1] += data
        elif data.strip() and "style" not in self._open:
            self.words.append(data.strip())


def draw(database, output):
    command = [str(loading.PYTHON), "-m", "scripts.pictures", "--database", str(database), "--output", str(output)]
    return subprocess.run(command, cwd=loading.ROOT, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    loading.make_tools()
    return tmp_path_factory.mktemp("pictures")


@pytest.fixture(scope="module")
def html(folder):
    database = loading.load(folder / "small.duckdb", loading.STREAMS)
    before = hashlib.sha256(database.read_bytes()).digest()
    database.chmod(0o444)
    done = draw(database, folder / "small.html")
    assert done.returncode == 0, done.stderr
    assert hashlib.sha256(database.read_bytes()).digest() == before
    return (folder / "small.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(html):
    return Page(html)


def row(page, table, first):
    (found,) = (cells for cells in page.tables[table] if cells[0] == first)
    return found[1:]


def test_every_section_is_there_with_something_to_see(page):
    found = [attributes["id"] for tag, attributes in page.tags if tag == "section"]
    assert found == list(SECTIONS)
    assert all(title in page.text for title in SECTIONS.values())
    assert "Nothing of this was loaded" not in page.text


def test_tables_have_the_exact_sums_of_each_currency(page):
    assert row(page, "Table: number of invoices", "All") == ["2", "2", "3", "7"]
    assert row(page, "Table: amounts in USD", "Stripe · paid") == ["0.30", "", "", "0.30"]
    assert row(page, "Table: amounts in KWD", "All")[-1] == "-1,234.567"
    assert row(page, "Table: amounts in SEK", "All")[-1] == "123,456,789,012,345,679.95"
    assert row(page, "Table: cost lines in NOK", "Pakke <levert>") == ["2", "10.05"]
    assert row(page, "Table: cost lines in NOK", "All products") == ["3", "13.05"]
    assert row(page, "Table: cost lines in EUR", "Frakt") == ["1", "1,000,000,000,000.00"]
    assert page.tables["Table: by week in USD"] == [
        ["Week from", "charges", "others", "net"],
        ["2026-05-11", "100.03", "", "100.03"],
        ["2026-05-18", "", "", "0.00"],
        ["2026-05-25", "", "-3.50", "-3.50"],
        ["All weeks", "100.03", "-3.50", "96.53"],
    ]
    assert row(page, "Table: by reporting category in USD", "brand new category") == ["1", "-3.50"]


def test_a_deleted_invoice_is_not_counted_among_the_others(page):
    captions = [words for words in page.words if " · " in words and "invoice" in words]
    assert captions == ["Bring · 1 invoice", "BRP Systems · 2 invoices", "Stripe · 3 invoices, 1 deleted"]


def test_what_is_too_large_to_draw_is_said(page):
    assert "1 amount of a million million or more, together 123,456,789,012,345,678.90 SEK" in page.text
    figures = json.loads(page.scripts["figures"])
    heights = [
        value for figure in figures for trace in figure["data"] for value in trace["y"] if trace["type"] == "bar"
    ]
    assert max(value for value in heights if isinstance(value, float)) < 10**12


def test_a_failed_check_and_a_failed_run_are_seen(page):
    lamps = [attributes["class"] for tag, attributes in page.tags if attributes.get("class", "").startswith("lamp ")]
    assert lamps == ["lamp failed", "lamp holds", "lamp holds", "lamp unsure"]
    (failed,) = page.tables["Table: the newest 1 that fail"][1:]
    assert failed[1:] == ["Stripe acct_1", "report <1>", "a byte is missing", "10", "9", "-1"]
    assert ("tr", {"class": "bad"}) in page.tags
    assert "1 failed check 2 hold, 1 cannot be checked" in page.text


def test_runs_far_apart_stand_on_time_lines_of_their_own(page):
    assert "Ordered 2026-06-02, 08:00:00 to 08:14:00 · 2 runs" in page.text
    assert "Ordered 2026-06-03, 08:00:00 to 08:01:00 · 2 runs" in page.text
    assert len(page.tables["Table: the runs"]) == 5


def test_the_page_loads_nothing(html, page):
    for tag, attributes in page.tags:
        assert tag not in {"iframe", "img", "object", "embed", "base"}
        assert "src" not in attributes
        assert re.match(r"#|data:,$", attributes.get("href") or "#"), attributes
    style = html.partition("<style>")[2].partition("</style>")[0]
    assert "url(" not in style
    assert "@import" not in style
    # And the browser holds it to that.
    (policy,) = (a["content"] for tag, a in page.tags if tag == "meta" and a.get("http-equiv"))
    assert policy.startswith("default-src 'none';")
    assert "http" not in policy


def test_every_place_for_a_figure_has_its_figure(page):
    places = [int(attributes["data-figure"]) for _, attributes in page.tags if "data-figure" in attributes]
    figures = json.loads(page.scripts["figures"])
    assert places == list(range(len(figures)))
    assert all(figure["data"] for figure in figures)
    assert all(trace["x"] and trace["y"] for figure in figures for trace in figure["data"] if trace.get("name"))
    labels = [attributes["aria-label"] for _, attributes in page.tags if "data-figure" in attributes]
    assert all(labels)


def test_every_colour_of_a_figure_is_in_the_style_for_light_and_dark(html, page):
    light, dark = re.findall(r":root \{(.*?)\}", html, re.DOTALL)[:2]
    for figure in json.loads(page.scripts["figures"]):
        for trace in figure["data"]:
            name = f"--{trace['meta']['colour']}:"
            assert name in light
            assert name in dark


def test_without_a_warehouse_there_is_one_line_and_no_page(folder):
    done = draw(folder / "absent.duckdb", folder / "absent.html")
    assert done.returncode == 1
    assert re.fullmatch(r"pictures: .*absent\.duckdb is not there; .*\n", done.stderr)
    assert not (folder / "absent.html").exists()


def test_a_warehouse_without_what_is_drawn_is_refused(folder):
    database = loading.load(folder / "other.duckdb", {"accounts": [{"account_id": "a"}]})
    done = draw(database, folder / "other.html")
    assert done.returncode == 1
    assert "holds no invoices and no reports" in done.stderr
    assert not (folder / "other.html").exists()
