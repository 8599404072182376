"""Singer messages with everything in them that a warehouse may stumble over, in groups with a STATE behind each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.warehouse.lines import AMOUNT, INSTANT, INTEGER, OBJECT, TEXT, line, record, schema, state

if TYPE_CHECKING:
    from collections.abc import Iterable

LONG_NAME = "n" * 63
MANY = 3000


def groups(*, without_key: bool) -> list[bytes]:
    """Each group begins with its SCHEMAs, so that a tap may go on with any of them; the last has no STATE behind it.

    Args:
        without_key: with rows that no key tells apart.
    """
    odd: Any = {LONG_NAME: "v", "\u00e5 b": "\u00e6"}
    log = [schema("log", keys=(), n=INTEGER)] if without_key else []
    found = [
        [],  # a STATE and nothing else
        [schema(id=TEXT, total=AMOUNT), *_orders(range(40))],
        # Keys that were there, keys that come twice, new ones.
        [schema(id=TEXT, total=AMOUNT), *_orders(range(20, 60)), *_orders(range(30, 50)), *_orders([30, 30, 30])],
        # A column that comes in the middle.
        [
            *(schema(id=TEXT, total=AMOUNT), *_orders(range(50, 70))),
            *(schema(id=TEXT, total=AMOUNT, note=TEXT), *_orders(range(60, 80), note="later")),
        ],
        # Types that change.
        [
            *(schema("Counts", id=TEXT, v=INTEGER), *(record("Counts", id=str(n), v=n) for n in range(9))),
            *(schema("Counts", id=TEXT, v=AMOUNT), *(record("Counts", id=str(n), v="7.25") for n in range(5, 12))),
            *(schema("Words", id=TEXT, v=INTEGER), *(record("Words", id=str(n), v=n) for n in range(9))),
            *(schema("Words", id=TEXT, v=TEXT), *(record("Words", id=str(n), v="many") for n in range(5, 12))),
        ],
        # Reserved words, capitals, the longest name.
        [
            schema("Select", keys=("Order", "group"), Order=TEXT, group=INTEGER, **{LONG_NAME: TEXT, "\u00e5 b": TEXT}),
            *(record("Select", Order="x", group=n, **odd) for n in range(20)),
        ],
        # Rows of an older version go.
        [
            schema("versions", id=TEXT),
            *(record("versions", 1, id=str(n)) for n in range(10)),
            line({"type": "ACTIVATE_VERSION", "stream": "versions", "version": 1}),
            *(record("versions", 2, id=str(n)) for n in range(5, 15)),
            line({"type": "ACTIVATE_VERSION", "stream": "versions", "version": 2}),
        ],
        # Rows that are marked as deleted, one of which comes back; what no database takes.
        [
            schema("gone", id=TEXT, data=OBJECT, _sdc_deleted_at=INSTANT),
            *(record("gone", id=str(n), data={"n": n, "t": "a\0b\ud800"}) for n in range(10)),
            *(record("gone", id=str(n), _sdc_deleted_at="2026-11-28T10:00:00Z") for n in range(5)),
            record("gone", id="3", data={}),
        ],
        [],
        [
            schema("left", id=TEXT, v=AMOUNT),
            schema("right", id=TEXT, v=INTEGER),
            *(
                record("left", id=str(n), v=f"{n}.25") if n % 3 else record("right", id=str(n), v=n)
                for n in range(MANY)
            ),
        ],
    ]
    whole = [
        b"".join([*(log if lines else []), *lines, *(log and lines and [record("log", n=number)] * 2), state(number)])
        for number, lines in enumerate(found)
    ]
    return [*whole, schema(id=TEXT, total=AMOUNT, note=TEXT) + b"".join(_orders(range(75, 85), note="last"))]


def _orders(numbers: Iterable[int], **more: Any) -> list[bytes]:
    return [record(id=f"{n:03}", total=f"{n}.{place:02}", **more) for place, n in enumerate(numbers)]
