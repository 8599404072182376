"""What a vendor's HTTP answer says: its problem if it has one, and how long to wait."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any, Literal
from urllib.parse import urlsplit

import simplejson
from lxml import etree

from tap_billing_reports.errors import Unavailable

# Enough of an unexpected body to recognise it by, too little to leak a record into a log.
EXCERPT_BYTES = 200

Kind = Literal["authentication", "throttled", "unavailable", "missing", "refused"]


@dataclass(frozen=True)
class Answer:
    """One whole HTTP answer. `about` names the request without its query, which may hold a key."""

    about: str
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_html(self) -> bool:
        """Whether the body is a web page, whatever the headers call it."""
        head = self.body[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
        return head.startswith((b"<!doctype html", b"<html"))

    def json(self) -> Any:
        """The body as JSON; fractional numbers as Decimal with the digits that the vendor wrote.

        Raises:
            Unavailable: it is no complete JSON.
        """
        try:
            return simplejson.loads(self.body.decode("utf-8-sig"), use_decimal=True)
        except ValueError:
            raise Unavailable(f"{self.about}: the answer is no complete JSON") from None

    def xml(self) -> etree._Element:
        """The body as XML; entities and external references are never resolved.

        Raises:
            Unavailable: it is no complete XML.
        """
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
        try:
            return etree.fromstring(self.body, parser)
        except (etree.XMLSyntaxError, ValueError):
            raise Unavailable(f"{self.about}: the answer is no complete XML") from None


def to_json(value: Any) -> str:
    """Compact JSON text; Decimals keep their digits as numbers."""
    return simplejson.dumps(value, use_decimal=True, ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True)
class Problem:
    """Why an answer is no success. `kind` None leaves the judgement to the HTTP status."""

    kind: Kind | None = None
    message: str = ""
    code: str = ""
    param: str = ""
    status: int = 0

    @property
    def said(self) -> str:
        parts = [part for part in (self.code, self.message) if part]
        return f" ({': '.join(parts)})" if parts else ""


def describe(method: str, url: str) -> str:
    """`GET https://host/path`, without query, user or fragment."""
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    return f"{method} {parts.scheme}://{parts.hostname}{port}{parts.path}"


def problem_of(answer: Answer, read_problem: Callable[[Answer], Problem | None] | None) -> Problem | None:
    """The answer's problem, or None for a success. The vendor's own reading of a body comes first."""
    read = read_problem(answer) if read_problem is not None else None
    if 200 <= answer.status < 300:
        if answer.is_html:
            return Problem("authentication", "a web page instead of data: most likely a login page", status=answer.status)
        if read is None:
            return None
    known = read or Problem(message="" if answer.is_html else _excerpt(answer.body))
    kind = known.kind or _kind_of(answer)
    if answer.status == 406:
        hint = "the vendor does not accept the language or format asked for"
        known = Problem(kind, f"{hint}. {known.message}".strip(), known.code)
    return Problem(kind, known.message, known.code, known.param, answer.status)


def _kind_of(answer: Answer) -> Kind:
    should_retry = answer.headers.get("Stripe-Should-Retry", "").lower()
    if answer.status == 429:
        return "throttled"
    if should_retry == "false":
        return "missing" if answer.status in {404, 410} else _refusal_kind(answer.status)
    if should_retry == "true" or answer.status in {408, 409, 425} or answer.status >= 500:
        return "unavailable"
    return _refusal_kind(answer.status)


def _refusal_kind(status: int) -> Kind:
    if status in {401, 403}:
        return "authentication"
    return "missing" if status in {404, 410} else "refused"


def retry_after(answer: Answer, now: datetime) -> float | None:
    """Seconds to wait by the Retry-After header, given in seconds or as a date; None without one."""
    value = answer.headers.get("Retry-After", "").strip()
    if value.isdigit():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except (TypeError, ValueError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    # The vendor's clock and ours may differ: trust its own Date where it sends one.
    try:
        now = parsedate_to_datetime(answer.headers["Date"])
    except (KeyError, TypeError, ValueError):
        pass
    return max(0.0, (moment - now).total_seconds())


def _excerpt(body: bytes) -> str:
    return " ".join(body[:EXCERPT_BYTES].decode("utf-8", "replace").split())
