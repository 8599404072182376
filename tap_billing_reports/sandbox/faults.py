"""Which requests go wrong, and how: the rules. What the rules do to the wire is in `disturb`.

A rule is a JSON object:

    {"match": {...}, "skip": 0, "times": null, "do": {...}}

`match` (all given keys must hold): `vendor`, `host`, `method`, `path` (regular expression, searched), `query`
and `form` (text contained in the decoded `a=b&c=d` form, or an object: each key's value contains the text).
The first matching rule with something left to do is used; `skip` lets the first matches pass, `times` limits
the uses (null: every one).

`do` holds one or more of

    delay: seconds before the request is handled
    status (with headers, body as text or JSON): this answer instead of the vendor's
    html: true - a login page with status 200;  empty: true - status 200 without a body
    redirect: URL (with status, default 302)
    stall: true - no answer until the client goes away
    lose: true - the request is processed, its answer never sent, the connection dropped
    reset: n - a TCP reset after n bytes of the body
    cut: {"after": n, "framing": "length" | "chunked" | "close"} - the body ends after n bytes: against its
        declared length, with a correct last chunk, or by closing a connection without any length
    drip: bytes per second
    alter: {"from": text, "to": text}, {"pattern": regular expression, "to": replacement}, or {"drop_line": k}: line k
        from 1, or negative from the end
    signal: {"pid": p, "signal": "KILL" (a name or number), "when": "before" | "after"}: sent before the
        request is handled, or once the answer's last byte has left
"""

from __future__ import annotations

import itertools
import re
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_ANSWERS = ("status", "headers", "body", "html", "empty", "redirect", "stall", "lose")
_CHANGES = ("delay", "reset", "cut", "drip", "alter", "signal")
ACTIONS = frozenset((*_ANSWERS, *_CHANGES))
MATCHES = frozenset({"vendor", "host", "method", "path", "query", "form"})


@dataclass(frozen=True)
class Asked:
    """What a rule looks at: one request, its query and form as decoded text."""

    vendor: str | None
    host: str
    method: str
    path: str
    query: str
    form: str


@dataclass
class Rule:
    """One rule and how often it has matched and been used."""

    number: int
    match: dict[str, Any]
    do: dict[str, Any]
    skip: int = 0
    times: int | None = None
    matched: int = 0
    used: int = 0
    _path: re.Pattern[str] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        unknown = (set(self.match) - MATCHES) | (set(self.do) - ACTIONS)
        if unknown or not self.do:
            raise ValueError(f"a fault rule has unknown parts or does nothing: {sorted(unknown)}")
        if "path" in self.match:
            self._path = re.compile(self.match["path"])

    def holds(self, asked: Asked) -> bool:
        for key in ("vendor", "host", "method"):
            if key in self.match and self.match[key] != getattr(asked, key):
                return False
        if self._path is not None and not self._path.search(asked.path):
            return False
        return all(_contains(getattr(asked, key), self.match[key]) for key in ("query", "form") if key in self.match)

    def as_json(self) -> dict[str, Any]:
        return {
            "number": self.number,
            "match": self.match,
            "do": self.do,
            "skip": self.skip,
            "times": self.times,
            "matched": self.matched,
            "used": self.used,
        }


def _contains(text: str, wanted: str | Mapping[str, Any]) -> bool:
    if isinstance(wanted, str):
        return wanted in text
    pairs: Sequence[tuple[str, str]] = parse_qsl(text, keep_blank_values=True)
    return all(any(key == name and str(value) in held for name, held in pairs) for key, value in wanted.items())


class Faults:
    """The ordered rules. Safe to change while requests are served."""

    def __init__(self) -> None:
        self._rules: list[Rule] = []
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def add(
        self,
        do: Mapping[str, Any],
        match: Mapping[str, Any] | None = None,
        *,
        skip: int = 0,
        times: int | None = None,
    ) -> int:
        """Append a rule and return its number.

        Raises:
            ValueError: the rule has a part that is not known.
        """
        rule = Rule(next(self._numbers), dict(match or {}), dict(do), skip, times)
        with self._lock:
            self._rules.append(rule)
        return rule.number

    def clear(self) -> None:
        with self._lock:
            self._rules.clear()

    def take(self, asked: Asked) -> Rule | None:
        """The rule that this request falls under, counted as used."""
        with self._lock:
            for rule in self._rules:
                if (rule.times is not None and rule.used >= rule.times) or not rule.holds(asked):
                    continue
                rule.matched += 1
                if rule.matched > rule.skip:
                    rule.used += 1
                    return rule
        return None

    def as_json(self) -> list[dict[str, Any]]:
        with self._lock:
            return [rule.as_json() for rule in self._rules]
