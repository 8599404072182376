"""Vendors that echo the key they were sent: in every spelling, at every length, around every cut of a message."""

from __future__ import annotations

import base64
import html
import json
from itertools import cycle
from typing import TYPE_CHECKING, Any

from tap_billing_reports.http.responses import EXCERPT_LENGTH, LONGEST_MESSAGE
from tap_billing_reports.http.retries import Retries, RetryBudget

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tap_billing_reports.http.client import HttpClient


def _each(write: Callable[[str], str]) -> Callable[[str], str]:
    """Writes every letter that is neither a letter of English nor a digit so: the sandbox's keys have few others."""
    return lambda text: "".join(c if c.isascii() and c.isalnum() else write(c) for c in text)


SPELLINGS: dict[str, Callable[[str], str]] = {
    "raw": str,
    "percent-encoded": _each(lambda c: f"%{ord(c):02X}"),
    "percent-encoded twice": _each(lambda c: f"%25{ord(c):02X}"),
    "escaped for JSON": _each(lambda c: f"\\u{ord(c):04x}"),
    "escaped for HTML": _each(lambda c: f"&#{ord(c)};"),
}
"""Those in which parts of a key are looked for from either end."""
WHOLE: dict[str, Callable[[str], str]] = {
    **SPELLINGS,
    "in Base64": lambda text: base64.b64encode(text.encode()).decode(),
    "as Basic": lambda text: base64.b64encode(f"{text}:".encode()).decode(),
}

# An echo in the retried answers of one call: each is heard, and the call is made again at once.
RETRIED = (500, 409, 503, 429)
# The letters of an envelope that stand before its message in an excerpt, and a few more.
ENVELOPE = 32
BETWEEN = " | "
# What a message may hold of parts: less than the shorter cut.
LONGEST_PACK = EXCERPT_LENGTH - 40


def parts(secret: str) -> Iterator[str]:
    """Its beginnings and ends of every length, in every spelling."""
    for spell in SPELLINGS.values():
        written = spell(secret)
        yield from (written[:length] for length in range(1, len(written) + 1))
        yield from (spell(secret[-length:]) for length in range(1, len(secret)))


def text_of(secrets: Mapping[str, str] | tuple[str, ...], spelling: str = "") -> str:
    """Whole secrets, in one spelling or in all of them."""
    spells = [WHOLE[spelling]] if spelling else list(WHOLE.values())
    return BETWEEN.join(spell(secret) for secret in secrets for spell in spells)


def filled(rule: Any, secrets: tuple[str, ...]) -> Any:
    """A rule or switch with its `@echo` filled in; `@echo-json` and `@echo-xml` within such a text, with all parts.

    `@echo(SPELLING)` is the secrets in that spelling alone.
    """
    every = BETWEEN.join([text_of(secrets), *(part for secret in secrets for part in parts(secret))])
    text = json.dumps(rule)
    if "@echo" not in text:
        return rule
    for token, echo in (
        ("@echo-json", json.dumps(every)[1:-1]),
        ("@echo-xml", html.escape(every)),
        *((f"@echo({name})", text_of(secrets, name)) for name in WHOLE),
        ("@echo", text_of(secrets)),
    ):
        text = text.replace(token, json.dumps(echo)[1:-1])
    return json.loads(text)


def sweep(envelope: Callable[[str], Any], secret: str) -> list[dict[str, Any]]:
    """Rules of answers that are tried again: echoes at every place around both cuts, then parts of every length."""
    texts: list[tuple[str, bool]] = []
    for spell in SPELLINGS.values():
        echo = spell(secret)
        for cut, in_envelope in ((EXCERPT_LENGTH, False), (LONGEST_MESSAGE, True)):
            # A code and a colon stand before the message.
            first = cut - len(echo) - (ENVELOPE if in_envelope else 2)
            texts += [("x" * before + " " + echo + " and more", in_envelope) for before in range(first, cut + 1)]
    pack = ""
    for part in parts(secret):
        if len(pack) + len(part) > LONGEST_PACK:
            texts += [(pack, False), (pack, True)]
            pack = ""
        pack += part + BETWEEN
    texts += [(pack, False), (pack, True)]
    statuses = cycle(RETRIED)
    return [
        {"status": next(statuses), "headers": {}, "body": envelope(text) if in_envelope else text}
        for text, in_envelope in texts
    ]


class _Still:
    """A clock that waits for nothing."""

    def sleep(self, seconds: float) -> None:
        """No time passes."""


def tireless(client: HttpClient) -> HttpClient:
    """The client tries a call again without end and without waiting, as those made from it do."""
    client._retries = Retries(_Still(), RetryBudget(1e9), tries=10**9, waiting_seconds=1e9)  # type: ignore[arg-type]
    another = client.another
    client.another = lambda: tireless(another())  # type: ignore[method-assign]
    return client


def without_source(held: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> dict[str, dict[str, dict[str, Any]]]:
    """What is held, without the vendor's own record, which has the echo's mask in it."""
    return {
        stream: {key: {k: v for k, v in record.items() if k != "source_record"} for key, record in records.items()}
        for stream, records in held.items()
    }
