"""Keeps every known secret out of whatever leaves the process: logs, exceptions, messages for people, records.

Vendors echo what they were sent, in whatever form it stands in their answer, and cut it where they like. So a secret
is looked for letter by letter, each letter in any of the forms that encoders give it, and the beginning and the end
of a secret are masked as well as the whole of it.
"""

from __future__ import annotations

import base64
import logging
import re
import sys
import threading
import traceback
from dataclasses import dataclass
from functools import lru_cache
from html.entities import codepoint2name
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

MASK = "[redacted]"

# A shorter text would mask ordinary words; no vendor hands out credentials this short.
SHORTEST_SECRET = 4
# Beginnings and ends from this length on are masked. Vendors show less on purpose: their own messages have a key's
# prefix, of about eight letters, and its last four.
PART = 12
SHORTEST_PART = 8
# What may be an ordinary word is masked where something is talked about, but never within data.
SHORTEST_IN_RECORDS = 16
# Of secrets that pass: those of some links that are followed one after the other.
MOST_PASSING = 40


class Redactor:
    """Replaces secrets by a mask in the forms in which they travel: see `_Form`."""

    def __init__(self) -> None:
        self._secrets: dict[str, bool] = {}
        self._passing: list[str] = []
        self._forms = self._in_records = _Forms(())

    def add(self, *secrets: str | None, records: bool = True) -> None:
        """Learn more secrets; empty ones and ones too short to mask safely are ignored.

        Args:
            secrets: as they are given to the vendor.
            records: they are masked in records, too; not for values that a record may hold by right.
        """
        known = dict(self._secrets)
        for secret in secrets:
            if secret and len(secret) >= SHORTEST_SECRET:
                known[secret] = records or known.get(secret, False)
        if known == self._secrets:
            return
        self._secrets = known
        self._forms = _Forms(known)
        self._in_records = _Forms(secret for secret, too in known.items() if too and _is_unlike_words(secret))

    def add_passing(self, *secrets: str) -> None:
        """Learn secrets that are good for a short time, such as signatures of links.

        The last `MOST_PASSING` are known, and masked in messages alone: there may be one for each of many files.
        """
        fresh = [secret for secret in secrets if secret not in self._secrets]
        self._passing = [*self._passing, *fresh]
        for old in self._passing[:-MOST_PASSING]:
            self._secrets = {secret: records for secret, records in self._secrets.items() if secret != old}
        self._passing = self._passing[-MOST_PASSING:]
        self.add(*fresh, records=False)

    def __call__(self, text: str) -> str:
        """The text with every known secret masked; the same object where there is none."""
        return _masked(text, self._forms)

    def data(self, text: str) -> str:
        """The text with those secrets masked that no data holds by chance; the same object where there is none."""
        return _masked(text, self._in_records)

    def record(self, record: dict[str, Any]) -> dict[str, Any]:
        """The record with all its texts as by `data`; the same object where that changes nothing."""
        whole = "\n".join([value for value in record.values() if type(value) is str])
        if self.data(whole) is whole:
            return record
        return {name: self.data(value) if isinstance(value, str) else value for name, value in record.items()}


@dataclass(frozen=True)
class _Form:
    """A secret as it is or in Base64; a text may hold each of its letters in any of the ways that encoders write it.

    Attributes:
        letters: the secret.
        least: a beginning or an end of so many letters is masked.
        head, tail: a run of letters and digits within the first and the last of these, in small letters. No encoder
            changes such a run, so that a text which has neither has nothing to mask. Without a tail its end alone
            is not looked for.
    """

    letters: str
    least: int
    head: str
    tail: str | None = None

    def spans(self, text: str, small: str) -> Iterator[tuple[int, int]]:
        """Where it, its beginning or its end stands in a text, of which `small` is the one in small letters."""
        if self.head in small:
            for found in _pattern(self.letters[: self.least]).finditer(text):
                ends = {found.end()}
                for letter in self.letters[self.least :]:
                    # As `&` alone or with the `amp;` behind it: what comes next tells which of them it is.
                    ways = _letter(letter)
                    longer = {match.end() for end in ends for way in ways if (match := way.match(text, end))}
                    if not longer:
                        break
                    ends = longer
                yield found.start(), _padded(text, max(ends))
        if self.tail is not None and self.tail in small:
            for found in _pattern(self.letters[-self.least :]).finditer(text):
                start = found.start()
                for letter in reversed(self.letters[: -self.least]):
                    more = _pattern(letter, last=True).search(text, max(0, start - LONGEST_LETTER), start)
                    if more is None:
                        break
                    start = more.start()
                yield start, _padded(text, found.end())


class _Forms:
    """All forms of some secrets, and the runs of letters of which a text has one if it holds any of them."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self.all = tuple(form for secret in secrets for form in _forms(secret))
        # Most texts hold none, and this is all that is done about them.
        self.runs = tuple({run for form in self.all for run in (form.head, form.tail) if run is not None})


def _masked(text: str, forms: _Forms) -> str:
    small = text.lower()
    if not any(run in small for run in forms.runs):
        return text
    spans = sorted(span for form in forms.all for span in form.spans(text, small))
    if not spans:
        return text
    parts, done = [], -1
    for start, end in spans:
        if start > done:
            parts += [text[max(done, 0) : start], MASK]
        done = max(done, end)
    return "".join((*parts, text[done:]))


def _forms(secret: str) -> Iterator[_Form]:
    least = len(secret)
    # The beginning of an address, or of a user's name before a password, is no secret.
    if ":" not in secret:
        least = min(least, PART, max(SHORTEST_PART, least * 3 // 4))
    parts = least < len(secret)
    yield _Form(secret, least, _run(secret[:least]), _run(secret[-least:]) if parts else None)
    raw = secret.encode("utf-8", "surrogatepass")
    # As it is, and as the user's name of HTTP Basic with an empty password, which is how some keys are sent.
    texts = [base64.b64encode(form).decode().rstrip("=") for form in (raw, raw + b":")]
    # Behind one or two other letters, as a password: without the letters of Base64 that hold bits of those beside it.
    last = [None, -1, -1]
    texts += [
        base64.b64encode(b"?" * before + raw).decode().rstrip("=")[cut : last[(before + len(raw)) % 3]]
        for before, cut in ((1, 2), (2, 3))
    ]
    for text in texts:
        if len(text) >= SHORTEST_SECRET:
            length = min(len(text), PART) if parts else len(text)
            yield _Form(text, length, _run(text[:length]))


def _is_unlike_words(secret: str) -> bool:
    return len(secret) >= SHORTEST_IN_RECORDS and not any(letter.isspace() for letter in secret)


def _run(text: str) -> str:
    return str(max(re.findall("[A-Za-z0-9]+", text), key=len, default="")).lower()


# -- how encoders write a letter -----------------------------------------------------------------------

# Of one letter in any of these ways, encoded several times over.
LONGEST_LETTER = 80
# Encoders on a text's way, one after the other.
MOST_TIMES = 5
_BACKSLASHES = r"\\{1,8}"
# Letters that others stand for: in URL-safe Base64, in forms, in texts of one line.
_STAND_IN = {
    "+": r"[ \-]",
    "/": "_",
    " ": r"\+|%(?:25)*2B|\s",
    "\n": rf"{_BACKSLASHES}n|\s",
    "\r": rf"{_BACKSLASHES}r|\s",
}


@lru_cache(maxsize=4096)
def _pattern(letters: str, *, last: bool = False) -> re.Pattern[str]:
    """These letters in whatever ways; `last`: where the searched part of a text ends."""
    return re.compile("".join(map(_ways, letters)) + (r"\Z" if last else ""), re.IGNORECASE)


@lru_cache(maxsize=4096)
def _letter(letter: str) -> tuple[re.Pattern[str], ...]:
    """This letter as it is, and encoded once, twice and so on: a pattern for each, for where more than one may fit."""
    if letter.isascii() and letter.isalnum():
        return (_pattern(letter),)
    again = (re.compile(_ways(letter, f"{{{times}}}"), re.IGNORECASE) for times in range(MOST_TIMES))
    return (_pattern(letter), *again)


def _padded(text: str, end: int) -> int:
    """The end with what fills up Base64."""
    found = _PADDING.match(text, end)
    return found.end() if found else end


def _ways(letter: str, again: str = "") -> str:
    """A pattern of all ways to write a letter: percent-encoded, in HTML, in JSON, escaped; several times over, too.

    Args:
        letter: of a secret.
        again: so many times over, as a regular expression's quantifier; then the letter itself comes last. Without
            one any number of times, and the letter itself first.
    """
    if letter.isascii() and letter.isalnum():
        return letter
    number, over = ord(letter), again or "*"
    ways = [rf"\\{{0,8}}{re.escape(letter)}"]
    for encoding in ("utf-8", "latin-1"):
        try:
            written = letter.encode(encoding)
        except UnicodeEncodeError:
            continue
        ways.append("".join(f"%(?:25){over}{byte:02x}" for byte in written))
        ways.append("".join(f"{_BACKSLASHES}x{byte:02x}" for byte in written))
    units = letter.encode("utf-16-be", "surrogatepass")
    ways.append("".join(f"{_BACKSLASHES}u{units[at : at + 2].hex()}" for at in range(0, len(units), 2)))
    named = f"|{codepoint2name[number]}" if number in codepoint2name else ""
    # Without its semicolon it is read as well: so an echo may be cut.
    ways.append(f"&(?:amp;){over}(?:#0*{number}(?![0-9])|#x0*{number:x}(?![0-9a-f]){named});?")
    if letter in _STAND_IN:
        ways.append(_STAND_IN[letter])
    if again:
        ways = [*ways[1:], ways[0]]
    return f"(?:{'|'.join(ways)})"


_PADDING = re.compile(f"{_ways('=')}{{1,2}}", re.IGNORECASE)


redact = Redactor()
"""The process's one redactor: settings, authenticators and the log all share it."""


def sentence(text: str, longest: int | None = None) -> str:
    """The text for a message: without secrets, on one line, and without what would steer a terminal.

    Args:
        text: whatever a vendor or a person wrote.
        longest: cut to so many letters, after secrets are masked: a part of one is no longer known for one.
    """
    # Once more at the end: without what does not print, a secret may be whole again.
    line = redact(" ".join("".join(c if c.isprintable() else " " for c in redact(text)).split()))
    return line if longest is None else line[:longest]


def clipped(value: object, longest: int) -> str:
    """A value as `repr` writes it, for a message: without secrets, then cut."""
    return redact(repr(value))[:longest]


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


def _telling(show: Callable[[Any], object], text_of: Callable[[Any], str]) -> Callable[[Any], object]:
    """A hook that prints an error which nobody has caught: as ever where it holds no secret."""

    def hook(told: Any) -> None:
        text = text_of(told)
        masked = redact(text)
        if masked is text:
            show(told)
        else:
            sys.stderr.write(masked)

    hook.redacts = True  # type: ignore[attr-defined]
    return hook


def _traceback(told: Any) -> str:
    """The text of what Python hands to its hooks for threads and destructors."""
    return "".join(traceback.format_exception(told.exc_type, told.exc_value, told.exc_traceback))


def install() -> None:
    """Mask secrets in every log record, whichever library writes it, and in every error that nobody catches.

    Safe to call again.
    """
    current = logging.getLogRecordFactory()
    if not getattr(current, "redacts", False):
        logging.setLogRecordFactory(_redacting(current))
    if not getattr(sys.excepthook, "redacts", False):
        last = sys.excepthook
        uncaught = _telling(lambda told: last(*told), lambda told: "".join(traceback.format_exception(*told)))

        def excepthook(*told: Any) -> None:
            uncaught(told)

        excepthook.redacts = True  # type: ignore[attr-defined]
        sys.excepthook = excepthook
    if not getattr(threading.excepthook, "redacts", False):
        threading.excepthook = _telling(threading.excepthook, _traceback)
    if not getattr(sys.unraisablehook, "redacts", False):
        sys.unraisablehook = _telling(sys.unraisablehook, _traceback)
