"""What a vendor's HTTP answer says: its problem if it has one, and how long to wait."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from tap_billing_reports.core.errors import AccountError, Unavailable
from tap_billing_reports.core.redaction import sentence
from tap_billing_reports.http.bodies import Remarks, read_json, read_xml
from tap_billing_reports.http.sent import Sent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lxml import etree

    from tap_billing_reports.core.about import About

# Enough of an unexpected body to recognise it by, too little to leak a record into a log.
EXCERPT_LENGTH = 200
# Bytes of it that are looked through for secrets. More blanks than this at its beginning are no answer worth showing.
EXCERPT_FROM = 1 << 16
# A vendor's own message, for a person to read.
LONGEST_MESSAGE = 500

Kind = Literal["authentication", "throttled", "unavailable", "missing", "refused"]

_BLANK = b"\xef\xbb\xbf \t\r\n"
# A page may begin with comments and an XML declaration; only its start is looked at.
_HTML = re.compile(
    rb"(?:\s|<!--.*?-->|<\?.*?\?>)*<(?:!doctype\s+html|html|head|body|script)\b", re.DOTALL | re.IGNORECASE
)
_HTML_HEAD = 4096
# The successes that bring what was asked for; 203 has passed through a proxy.
WHOLE = frozenset({200, 201, 202, 203})


@dataclass(frozen=True)
class Answer:
    """One whole HTTP answer.

    `about` names the source, the account and the request without its query, which may hold a key.
    """

    about: About
    status: int
    headers: Mapping[str, str]
    body: bytes
    remarks: Remarks = field(default_factory=Remarks, compare=False)
    """Where it is noted what was odd about the body."""
    sent: Sent = field(default_factory=Sent, compare=False)
    """What was asked, for a reader of an answer that does not say it itself."""

    @property
    def is_html(self) -> bool:
        """Whether the body is a web page: by its first bytes, or by its declared type if it is no data either."""
        if _HTML.match(self.body[:_HTML_HEAD].lstrip(_BLANK)):
            return True
        start = self.body.lstrip(_BLANK)[:1]
        declared = self.headers.get("Content-Type", "").strip().lower().startswith("text/html")
        return declared and start not in {b"", b"{", b"[", b"<"}

    @property
    def is_xml(self) -> bool:
        """Whether the body is XML by its first byte: vendors answer in another format than asked now and then."""
        return self.body.lstrip(_BLANK).startswith(b"<")

    def parsed(self) -> Any:
        """The body as `xml()` or `json()` gives it, by its first byte."""
        return self.xml() if self.is_xml else self.json()

    def json(self) -> Any:
        """The body as JSON; fractional numbers as Decimal with the digits that the vendor wrote.

        Raises:
            Unavailable: it is no complete JSON.
            Unreadable: it is nested deeper than anything that a vendor sends.
        """
        return self._json

    def record(self) -> dict[str, Any]:
        """The body as one JSON object.

        Raises:
            Unavailable: it is none.
        """
        value = self._json
        if not isinstance(value, dict):
            raise Unavailable("the answer is no JSON object", about=self.about)
        return value

    def xml(self) -> etree._Element:
        """The body as XML without comments; entities and external references are never resolved.

        Raises:
            Unavailable: it is no complete XML.
            AccountError: it declares a document type, which could stand for anything.
        """
        return self._xml

    @cached_property
    def _json(self) -> Any:
        return read_json(self.body, self.about, self.remarks)

    @cached_property
    def _xml(self) -> etree._Element:
        return read_xml(self.body, self.about)


@dataclass(frozen=True)
class Problem:
    """Why an answer is no success. `kind` None leaves the judgement to the HTTP status.

    `is_vendors_word`: the body has the vendor's own form of an error, or one that could be its own where nobody knows
    its form; a proxy's page and an empty body never are.
    """

    kind: Kind | None = None
    message: str = ""
    code: str = ""
    param: str = ""
    status: int = 0
    is_vendors_word: bool = False

    @property
    def said(self) -> str:
        parts = [part for part in (self.code, self.message) if part]
        return f" ({sentence(': '.join(parts), LONGEST_MESSAGE)})" if parts else ""


@dataclass(frozen=True)
class Hints:
    """The names of a vendor's own headers, which say more of an answer than its status; empty where it has none."""

    retry: str = ""
    """`true` or `false`: whether the same call may succeed later. A rate limit passes whatever it says."""
    replayed: str = ""
    """`true`: this is the stored answer to an earlier call with the same key, and will not change."""

    def may_retry(self, answer: Answer) -> bool | None:
        """What the vendor says about calling again, None where it says nothing."""
        return {"true": True, "false": False}.get(_word(answer, self.retry))

    def is_replayed(self, answer: Answer) -> bool:
        return _word(answer, self.replayed) == "true"


def _word(answer: Answer, header: str) -> str:
    return answer.headers.get(header, "").strip().lower() if header else ""


def describe(method: str, url: str) -> str:
    """`GET https://host/path`, without query, user or fragment."""
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    return f"{method} {parts.scheme}://{parts.hostname}{port}{parts.path}"


def problem_of(
    answer: Answer, read_problem: Callable[[Answer], Problem | None] | None, hints: Hints | None = None
) -> Problem | None:
    """The answer's problem, or None for a success. The vendor's own reading of a body comes first."""
    read = _read(answer, read_problem)
    if 200 <= answer.status < 300:
        if answer.is_html:
            said = "a web page instead of data: most likely a login page"
            return Problem("authentication", said, status=answer.status)
        if read is None:
            return None if answer.status in WHOLE else _without_whole_body(answer.status)
    if read_problem is not None and _says_nothing(read) and answer.body.lstrip(_BLANK).startswith(b"{"):
        answer.remarks.unread[answer.status] += 1
    known = read or Problem(message="" if answer.is_html else excerpt(answer.body))
    kind = known.kind or _kind_of(answer, (hints or Hints()).may_retry(answer))
    message = known.message
    if answer.status == 406:
        message = f"the vendor does not accept the language or format asked for. {message}".strip()
    own = read is not None or (read_problem is None and not answer.is_html and bool(answer.body.strip()))
    return Problem(kind, message, known.code, known.param, answer.status, own)


def _says_nothing(read: Problem | None) -> bool:
    """Whether the vendor's own reading of an error has found none of its words."""
    return read is None or not (read.kind or read.code or read.message)


def _without_whole_body(status: int) -> Problem:
    """204 and 205 have no body, 206 has a part of one, and the rest speak of something else than was asked."""
    return Problem("unavailable", "a success without a whole answer, which was not asked for", status=status)


def _read(answer: Answer, read_problem: Callable[[Answer], Problem | None] | None) -> Problem | None:
    if read_problem is None:
        return None
    try:
        return read_problem(answer)
    except (Unavailable, AccountError, ValueError, TypeError, LookupError, AttributeError):
        # An error in a shape of its own, or cut short: the status is left to judge by.
        return None


def _kind_of(answer: Answer, may_retry: bool | None) -> Kind:
    status = answer.status
    if status == 429:
        # Whatever else the answer says: some vendors mark rate limits as not to be tried again, and they pass.
        return "throttled"
    if may_retry is None:
        may_retry = status in {408, 409, 425} or status >= 500
    if may_retry:
        return "unavailable"
    if status in {401, 403}:
        return "authentication"
    return "missing" if status in {404, 410} else "refused"


_SECONDS = re.compile(r"[0-9]{1,9}(?:\.[0-9]+)?").fullmatch


def retry_after(answer: Answer, now: datetime) -> float | None:
    """Seconds to wait by the Retry-After header, given in seconds or as a date; None without a readable one.

    A date is counted from the vendor's own Date where it sends one: its clock and ours may differ.
    """
    value = answer.headers.get("Retry-After", "").strip()
    if _SECONDS(value):
        return float(value)
    until = _moment(value)
    if until is None:
        return None
    return max(0.0, (until - (_moment(answer.headers.get("Date", "")) or now)).total_seconds())


def _moment(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError, OverflowError):
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=timezone.utc)


def excerpt(body: bytes) -> str:
    """The start of an unexpected body, on one line; secrets are masked before it is cut."""
    start = body[:EXCERPT_FROM].decode("utf-8", "replace")
    if len(body) > EXCERPT_FROM:
        # What stands at this cut may be the beginning of a secret: only a word that has ended is shown.
        start = start.rpartition(" ")[0]
    return sentence(start, EXCERPT_LENGTH)
