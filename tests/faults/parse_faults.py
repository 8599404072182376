"""What can be wrong inside a file that arrived whole.

Stripe declares a file's size, so its damage is of equal length: only the reader can see it.
"""

from __future__ import annotations

from typing import Any

Alter = dict[str, Any]


def _without(element: str) -> Alter:
    return {"pattern": f"<{element}>.*?</{element}>", "to": ""}


NO_LINES: Alter = {
    "pattern": r"(?s)<NumberOfRows>\d+</NumberOfRows>(.*<Lines>).*(</Lines>)",
    "to": r"<NumberOfRows>0</NumberOfRows>\1\2",
}

PARSE_FAULTS: tuple[tuple[str, str, str, Alter], ...] = (
    ("stripe", "CSV", "a quote that never closes", {"from": '"eur"', "to": '"eurx'}),
    ("stripe", "CSV", "cells too many", {"from": '"eur"', "to": '"",""'}),
    ("stripe", "CSV", "cells too few", {"from": '","eur"', "to": 'xxxeur"'}),
    ("stripe", "CSV", "amounts that are none", {"from": ".", "to": "x"}),
    ("stripe", "CSV", "a sign that is none", {"from": "-", "to": "'"}),
    ("stripe", "CSV", "NUL bytes", {"from": "eur", "to": "e\0r"}),
    ("stripe", "CSV", "another separator", {"from": ",", "to": ";"}),
    ("stripe", "CSV", "a column named twice", {"from": "gross", "to": "count"}),
    ("stripe", "CSV", "a column without a name", {"from": '"count","gross"', "to": '"","countgross"'}),
    ("stripe", "CSV", "a column missing, another in its place", {"from": "gross", "to": "grass"}),
    ("stripe", "CSV", "no currency, another column in its place", {"from": '"currency"', "to": '"kurrency"'}),
    ("stripe", "CSV", "no count, another column in its place", {"from": '"count"', "to": '"c0unt"'}),
    ("stripe", "CSV", "no line ends", {"from": "\n", "to": " "}),
    ("stripe", "CSV", "a blank line within", {"from": '"charge","eur"', "to": '\n\n"charge","e"'}),
    ("bring", "XML", "a tag that never closes", {"from": "</Line>", "to": "<Line/>"}),
    ("bring", "XML", "an end without its root", {"from": "</Report>", "to": ""}),
    ("bring", "XML", "amounts that are none", {"from": "<AgreementPrice>", "to": "<AgreementPrice>x"}),
    ("bring", "XML", "a document type with an entity", {"from": "?>", "to": '?><!DOCTYPE Report [<!ENTITY a "b">]>'}),
    ("bring", "XML", "an entity that is not declared", {"from": "<Line>", "to": "<Line>&a;"}),
    ("bring", "XML", "an element named twice", {"from": "<Line>", "to": "<Line><A>1</A><A>2</A>"}),
    ("bring", "XML", "text between the lines", {"from": "<Line>", "to": "x<Line>"}),
    ("bring", "XML", "no lines where they belong", {"from": "Lines>", "to": "Linez>"}),
    ("bring", "XML", "a depth bomb", {"from": "<Lines>", "to": "<Lines>" + "<a>" * 400 + "</a>" * 400}),
    ("bring", "XML", "NUL bytes", {"from": "<Line>", "to": "<Line>\0"}),
    ("bring", "XML", "fewer rows than declared", {"from": "<NumberOfRows>", "to": "<NumberOfRows>1"}),
    ("bring", "XML", "a specification without lines", NO_LINES),
    ("bring", "XML", "a specification without its prices", _without("AgreementPrice")),
    ("bring", "XML", "a specification without its currency", _without("CurrencyCode")),
    ("bring", "XML", "a number of rows that is not there", _without("NumberOfRows")),
    ("bring", "XML", "a number of rows that is none", {"from": "<NumberOfRows>", "to": "<NumberOfRows>x"}),
)
