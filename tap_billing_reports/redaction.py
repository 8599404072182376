"""Keeps every known secret out of whatever leaves the process: logs, exceptions, messages for people."""

from __future__ import annotations

import base64
import json
import logging
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from collections.abc import Iterable

MASK = "[redacted]"

# A shorter text would mask ordinary words; no vendor hands out credentials this short.
SHORTEST_SECRET = 4

_PERCENT = re.compile("%[0-9A-F]{2}")


class Redactor:
    """Replaces secrets by a mask in the forms in which they travel: raw, quoted, URL-encoded, Base64 and Basic."""

    def __init__(self) -> None:
        self._needles: tuple[str, ...] = ()

    def add(self, *secrets: str | None) -> None:
        """Learn more secrets; empty ones and ones too short to mask safely are ignored."""
        needles = set(self._needles)
        for secret in secrets:
            if secret and len(secret) >= SHORTEST_SECRET:
                needles.update(_spellings(secret))
        # Longest first: a secret inside another one must not leave the rest of it behind.
        self._needles = tuple(sorted(needles, key=len, reverse=True))

    def __call__(self, text: str) -> str:
        """The text with every known secret masked."""
        for needle in self._needles:
            if needle in text:
                text = text.replace(needle, MASK)
        return text


def _spellings(secret: str) -> Iterable[str]:
    raw = secret.encode("utf-8", "surrogatepass")
    yield secret
    # Within JSON text, and within what repr() shows.
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret, ensure_ascii=False)[1:-1]
    yield repr(secret)[1:-1]
    for quoted in (quote(raw), quote(raw, safe=""), quote_plus(raw)):
        yield quoted
        yield _PERCENT.sub(lambda found: found[0].lower(), quoted)
    # The second as the user name of HTTP Basic with an empty password, which is how Stripe's keys are also sent.
    for form in (raw, raw + b":"):
        yield base64.b64encode(form).decode()
        yield base64.urlsafe_b64encode(form).decode()
        yield base64.b64encode(form).decode().rstrip("=")


redact = Redactor()
"""The process's one redactor: settings, authenticators and the log all share it."""


def sentence(text: str) -> str:
    """The text for a message: without secrets, on one line, and without what would steer a terminal."""
    return redact(" ".join("".join(c if c.isprintable() else " " for c in text).split()))


def _redacting(make_record: Any) -> Any:
    def factory(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record: logging.LogRecord = make_record(*args, **kwargs)
        try:
            text = record.getMessage()
        except (TypeError, ValueError, KeyError):
            # A message that does not fit its arguments is shown with both by logging's own error report.
            text = f"{record.msg} {record.args}"
        masked = redact(text)
        if masked != text:
            record.msg, record.args = masked, ()
        if record.exc_info:
            trace = logging.Formatter().formatException(record.exc_info)
            masked = redact(trace)
            if masked != trace:
                # The cached text is what formatters print; without the tuple none can format it anew.
                record.exc_text, record.exc_info = masked, None
        return record

    factory.redacts = True  # type: ignore[attr-defined]
    return factory


def install() -> None:
    """Mask secrets in every log record of the process, whichever library writes it. Safe to call again."""
    current = logging.getLogRecordFactory()
    if not getattr(current, "redacts", False):
        logging.setLogRecordFactory(_redacting(current))
