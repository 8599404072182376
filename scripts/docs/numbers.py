"""The figures on the pages, each from where a run has left it.

A page marks the place of one: `<!-- figure: csv.ratio_to_sdk:.1f -->14.7<!-- end -->`, a path and, where it needs one,
a format as Python's `format` has it.
"""

from __future__ import annotations

import json
import re
from functools import reduce
from operator import getitem
from typing import Any

from scripts import schema_snapshot
from scripts.venvs import ROOT
from tap_billing_reports.reports.state import journal, layout

_PLACE = re.compile(r"(<!-- figure: ([\w.]+):?(\S*) -->).*?(<!-- end -->)")
_TEST = re.compile(r"`((?:tests|benchmarks)/[\w/.]+\.py)`")
_FAULTS = re.compile(
    r"^faults: (?P<cells>\d+) cells \(\d+ n/a\), "
    r"(?P<lost>\d+) lost, (?P<doubled>\d+) doubled, (?P<leaked>\d+) leaked, (?P<silent>\d+) silent$",
    re.MULTILINE,
)


def faults() -> dict[str, int]:
    """The last line of `make faults`, as docs/reliability.md has it; ValueError where that page has lost it."""
    found = _FAULTS.search((ROOT / "docs" / "reliability.md").read_text(encoding="utf-8"))
    if found is None:
        raise ValueError("docs/reliability.md has no line of `make faults`")
    return {name: int(count) for name, count in found.groupdict().items()}


def promises(page: str) -> list[tuple[str, list[str]]]:
    """The rows of a page's table of promises, each with the tests and benchmarks that hold it."""
    _, _, rest = (ROOT / page).read_text(encoding="utf-8").partition("\n| promise | held by |")
    lines = rest.partition("\n\n")[0].splitlines()[2:]
    return [(line.split(" | ")[0].strip("| "), _TEST.findall(line)) for line in lines]


def known() -> dict[str, Any]:
    """All figures: those of `make bench`, of `make faults`, and what can be counted."""
    measured: dict[str, Any] = json.loads((ROOT / "benchmarks" / "results.json").read_text(encoding="utf-8"))
    promised = promises("docs/reliability.md")
    contract = dict(zip(("streams", "columns"), schema_snapshot.counts(), strict=True))
    contract |= {"ledger": layout.VERSION, "journal": journal.VERSION}
    tests = {name for _promise, names in promised for name in names}
    return measured | {
        "faults": faults(),
        "contract": contract,
        "promises": {"promises": len(promised), "tests": len(tests)},
    }


def filled(text: str) -> str:
    """A page's text with today's figures; KeyError for a path that leads to none."""
    if not _PLACE.search(text):
        return text
    figures = known()

    def figure(place: re.Match[str]) -> str:
        begin, path, form, end = place.groups()
        return f"{begin}{reduce(getitem, path.split('.'), figures):{form}}{end}"

    return _PLACE.sub(figure, text)
