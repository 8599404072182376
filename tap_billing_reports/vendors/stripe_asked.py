"""What Stripe's answers give back of a question: ids, times, the mode; held against what was asked.

Facts: Stripe's OpenAPI description (`id`, `created` and `livemode` are required of invoices, runs and types; a list
takes `created`), its page on keys (the mode is a part of the key), and a run's file as published in stripe-cli's
issue 1262: the file of run `frr_1` is called `frr_1.csv`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tap_billing_reports.declare.paths import value_at

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tap_billing_reports import declare as d

# sk_test_, rk_live_ and the like; an organisation's keys have more before it.
_MODE = re.compile(r"[a-z_]{2,16}?_(test|live)_")
_RUN_FILE = re.compile(r"(frr_\w+)\.\w+")


def realm(values: d.Values) -> Mapping[str, str]:
    """Test or live, by the key's prefix; nothing for a key of another form: then the answers tell."""
    found = _MODE.match(str(values["stripe_api_key"]))
    return {"mode": found[1]} if found else {}


def realm_of(record: d.Record) -> Mapping[str, str]:
    """Test or live, by an object's own word."""
    mode = record.get("livemode")
    return {"mode": "live" if mode else "test"} if isinstance(mode, bool) else {}


def same_id(name: str) -> Callable[[d.Asked], d.Objection]:
    """Objects to another object than the one of the path's name."""

    def objection(asked: d.Asked) -> d.Objection:
        wanted = asked.path[name]

        def said(records: Sequence[d.Record]) -> str | None:
            other = next((record["id"] for record in records if record.get("id", wanted) != wanted), None)
            return None if other is None else f"it is {other}, and {wanted} was asked"

        return said

    return objection


def same_run(asked: d.Asked) -> d.Objection:
    """Objects to another run, and to another run's file."""
    wanted, same = asked.path["run_id"], same_id("run_id")(asked)

    def said(records: Sequence[d.Record]) -> str | None:
        for record in records:
            file = _RUN_FILE.fullmatch(str(value_at(record, "result.filename")))
            if file is not None and file[1] != wanted:
                return f"its file is that of {file[1]}, and {wanted} was asked"
        return same(records)

    return said


def created_within(asked: d.Asked) -> d.Objection:
    """Objects to what was made outside the span that the list was asked for."""
    first = int(asked.params.get("created[gte]", 0))
    end = int(asked.params["created[lt]"]) if "created[lt]" in asked.params else None

    def said(records: Sequence[d.Record]) -> str | None:
        for record in records:
            created = record.get("created")
            if isinstance(created, int) and (created < first or (end is not None and created >= end)):
                span = f"from {first} on" if end is None else f"from {first} to {end}"
                return f"{record.get('id')} was created at {created}, and {span} was asked"
        return None

    return said
