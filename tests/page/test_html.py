"""The file: every figure in it, nothing from elsewhere, lights that keep their words and colours."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

import pytest

from tap_billing_reports.page.html import INVENTED, STYLE, page
from tap_billing_reports.page.shapes import table
from tap_billing_reports.page.values import Answer, Bar, Facts, Flow, Light, Mark, Money
from tap_billing_reports.page.words import shown

WORDS = {Light.GOOD: "in order", Light.LOOK: "to look at", Light.UNCHECKED: "not checked"}


def written(*answers, is_invented=False, note=""):
    return page(Facts(date(2026, 11, 2), date(2026, 10, 1), is_invented, None, answers), note=note)


def test_the_file_has_every_figure_and_nothing_from_elsewhere(asked):
    found = asked.found
    text = page(found, note="Invented <data>")
    assert "Invented &lt;data&gt;" in text
    assert "&lt;29&gt;" in text
    assert found.money is not None
    tables = [found.money, *(one for answer in found.answers for one in answer.tables)]
    figures = [cell for one in tables for row in one.rows for cell in row if isinstance(cell, Money)]
    figures += [bar.money for answer in found.answers for flow in answer.flows for bar in flow.bars]
    assert figures
    for figure in figures:
        assert f">{shown(figure)}<" in text
    for answer in found.answers:
        assert f'id="{answer.key}"' in text
        assert f'href="#{answer.key}"' in text
    assert "the first 25 of 30" in text
    # Charts are there when the file is opened: nothing is drawn by a script.
    assert not re.search(r"https?://|<script|@import|url\(|<canvas|onload", text)
    assert text.index("in money") < text.index("<nav>")
    assert not re.search(r"\b1 (payouts|balances|invoices|checks|accounts|shipments|documents)\b", text)
    assert not re.search(r"reconciliations\)|_reconciliation\)|added up(?! *\.)|rollforward", _said(found))


def _said(found):
    return " ".join(answer.said for answer in found.answers)


def test_invented_data_are_named_unless_the_caller_says_more():
    assert INVENTED not in written()
    assert f'<p class="note">{INVENTED}</p>' in written(is_invented=True)
    text = written(is_invented=True, note="Of the demo.")
    assert '<p class="note">Of the demo.</p>' in text
    assert INVENTED not in text


@pytest.mark.parametrize("light", Light)
def test_a_light_has_a_word_and_a_colour_wherever_it_stands(light):
    row = table("Rows", ("Verdict",), [(Mark(light, "word"),)])
    text = written(Answer("key", "Asked?", light, "Said.", (row,)))
    assert f'<li class="{light.value}">' in text
    assert f'<section id="key" class="{light.value}">' in text
    assert f'<td class="{light.value}"><span class="light">word</span></td>' in text
    word = WORDS.get(light)
    assert text.count(f'<span class="light">{word}</span>') == (2 if word else 0)
    if word:
        for place in (f"nav li.{light.value}", f"section.{light.value}", f".{light.value} .light"):
            assert place in STYLE


def test_lights_have_colours_of_their_own_in_light_dark_and_print():
    for scheme in re.findall(r"\{[^{}]*--good:[^{}]*\}", STYLE):
        colours = re.findall(r"--(?:good|look|unchecked): (#\w+)", scheme)
        assert len(colours) == 3
        assert len(set(colours)) == 3
    assert len(re.findall("--good:", STYLE)) == 3


def test_print_keeps_the_colours_and_shows_what_is_folded_away():
    assert "print-color-adjust: exact" in STYLE.partition("}")[0]
    in_print = STYLE.partition("@media print")[2]
    assert "details::details-content { content-visibility: visible" in in_print


def test_a_column_without_any_cell_is_left_out():
    rows = table("Rows", ("A", "Empty", "B"), [("x", None, 1), ("y", None, None)])
    text = written(Answer("key", "Asked?", Light.NONE, "Said.", (rows,)))
    assert "Empty" not in text
    assert '<td>x</td><td class="number">1</td>' in text


def test_bars_lie_where_they_begin():
    bar = Bar("Refunds", Money(Decimal(-10), "NOK"), 0.1, 0.9)
    text = written(Answer("key", "Asked?", Light.NONE, "Said.", flows=(Flow("NOK", (bar,)),)))
    assert '<span class="bar minus" style="margin-left:90.00%;width:10.00%"></span>' in text
