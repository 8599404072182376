"""The reconciliations as lights: one for each check that was made, in the state in which it was last seen."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from scripts.pictures import words
from scripts.pictures.parts import Section, Table, View

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scripts.pictures.facts import CheckCount, FailedCheck

MEANINGS: Final = {
    "lines_net": "An invoice's lines add up to its net amount",
    "lines_tax": "An invoice's lines add up to its tax",
    "lines_total": "An invoice's lines add up to its total",
    "itemized_vs_summary": "A report with every transaction agrees with its summary",
    "rows_declared": "A file has as many rows as it says",
    "file_bytes": "A file has as many bytes as its vendor says",
    "blank_lines": "Blank lines of a file are no charges",
    "windows_contiguous": "The periods of a report leave no gap",
    "freshness": "The vendor's data are not too old",
    "unreachable_range": "Days that the vendor no longer lists",
    "unique_ids": "A vendor's list names each thing once",
    "own_report": "An invoice has a report of its own",
    "duplicate_across_accounts": "No two accounts hold the same invoice",
}
STATES: Final = (
    (False, "failed", "fails", "fail"),
    (True, "holds", "holds", "hold"),
    (None, "unsure", "cannot be checked", "cannot be checked"),
)
MOST_LAMPS: Final = 60
"""In a row; with more checks than these a lamp stands for several, and a failed one is never hidden."""


def lights_section(checks: Sequence[CheckCount], failed: Sequence[FailedCheck]) -> Section:
    names = sorted({(found.check, found.source) for found in checks}, key=lambda name: _order(name, checks))
    rows = [_row(name, source, [one for one in checks if (one.check, one.source) == (name, source)])
            for name, source in names]  # fmt: skip
    table = Table(
        "Table: checks and their results",
        ["Check", "Vendor", "Why it cannot be checked", "Fail", "Hold", "Cannot be checked"],
        [
            [
                MEANINGS.get(name, words.words(name)),
                words.vendor(source),
                _reason(checks, name, source),
                *(words.count(_times(checks, name, source, ok)) for ok, *_ in STATES),
            ]
            for name, source in names
        ],
        names=3,
    )
    view = View(
        "All",
        tables=[table, *([_failed(failed)] if failed else [])],
        legend=[(css, text) for _, css, text, _ in STATES],
        html=f'<div class="lamps">{"".join(rows)}</div>',
    )
    return Section(
        key="checks",
        title="Reconciliation lights",
        intro=(
            "The tap checks its own work: each file against its declared size, each invoice's lines against the "
            "invoice, a report against its summary, the periods against the calendar. One lamp is one check."
        ),
        views=[view] if checks else [],
    )


def _row(name: str, source: str, found: Sequence[CheckCount]) -> str:
    times = {ok: sum(one.times for one in found if one.ok is ok) for ok, *_ in STATES}
    worth = -(-sum(times.values()) // MOST_LAMPS)
    lamps = "".join(f'<i class="lamp {css}"></i>' * -(-times[ok] // worth) for ok, css, *_ in STATES)
    said = ", ".join(
        f"{words.count(times[ok])} {one if times[ok] == 1 else many}" for ok, _, one, many in STATES if times[ok]
    )
    said += f" · a lamp is up to {worth}" if worth > 1 else ""
    return (
        f'<div class="check"><div class="what">{escape(MEANINGS.get(name, words.words(name)))}'
        f"<small>{escape(words.vendor(source))} · {escape(said)}</small></div>"
        f'<div class="row" aria-hidden="true">{lamps}</div></div>'
    )


def _failed(failed: Sequence[FailedCheck]) -> Table:
    rows = [
        [
            MEANINGS.get(one.check, words.words(one.check)),
            f"{words.vendor(one.source)} {one.account}",
            one.subject,
            one.reason or "",
            *(" ".join(filter(None, [value, one.currency])) for value in (one.expected, one.actual, one.difference)),
        ]
        for one in failed
    ]
    head = ["Check", "Account", "Subject", "Reason", "Expected", "Actual", "Difference"]
    return Table(f"Table: the newest {len(rows)} that fail", head, rows, names=4)


def _times(checks: Sequence[CheckCount], name: str, source: str, ok: bool | None) -> int:
    return sum(one.times for one in checks if (one.check, one.source) == (name, source) and one.ok is ok)


def _reason(checks: Sequence[CheckCount], name: str, source: str) -> str:
    reasons = {one.reason for one in checks if (one.check, one.source) == (name, source) and one.ok is None}
    return "; ".join(sorted(filter(None, reasons)))


def _order(name: tuple[str, str], checks: Sequence[CheckCount]) -> tuple[bool, int, str]:
    """Rows with a failure first, then in the order of `MEANINGS`."""
    known = list(MEANINGS)
    check, source = name
    return (
        not _times(checks, check, source, False),
        known.index(check) if check in known else len(known),
        f"{check} {source}",
    )
