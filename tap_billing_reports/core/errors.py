"""Exceptions, named for the recovery they ask for.

Every message is one line that names the source, the account, the thing and the remedy, and never a secret.
"""

from __future__ import annotations

import re
import traceback
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tap_billing_reports.core.about import About


class BillingError(Exception):
    """Base of all errors that the tap raises on purpose.

    Attributes:
        message: what went wrong.
        about: whose data it is about and which call failed, where that is known; the text begins with it.
        remedy: what a person can do about this kind; empty where the message says it.
    """

    remedy = ""

    def __init__(self, message: str, *, about: About | None = None) -> None:
        super().__init__(message if about is None else f"{about}: {message}")
        self.message = message
        self.about = about


class RetryableError(BillingError):
    """The same call may succeed if it is made again later; raised to callers once the retries are used up.

    Attributes:
        retry_after: seconds that the vendor asked to wait, or None when it did not say.
    """

    remedy = "sync again later: it goes on where this one stopped"

    def __init__(self, message: str, *, about: About | None = None, retry_after: float | None = None) -> None:
        super().__init__(message, about=about)
        self.retry_after = retry_after


class AccountError(BillingError):
    """Fatal for one account or one report; the others go on and the sync exits non-zero."""


class Unreadable(AccountError):  # noqa: N818 - named for what the answer is
    """An answer is whole, but has not the form that the vendor declared: asking again gives the same."""

    remedy = "update the tap; if that does not help, report it with this line"


class LinkRefused(AccountError):  # noqa: N818 - named for what the vendor does
    """A link that was signed for a time does not open its file (any more): the vendor is asked for another one."""

    remedy = "sync again: the vendor is asked for a new link"


class DeclarationError(AccountError):
    """A function of a source's declaration has made a mistake; the message names it. What it was called for ends."""

    remedy = "update the tap, or the package that brings this source; else report this line to its author"


class ReportError(AccountError):
    """A run, its file or its rows are at fault: that period ends, no bookmark moves."""

    remedy = "sync again: the period is still due; if it fails again, ask the vendor's support about the run"


class NotYet(AccountError):  # noqa: N818 - named for what the vendor says
    """What was asked for is not there yet, in the vendor's own words: the period is left to a later sync, unharmed."""

    remedy = "sync again later"


class FileError(ReportError):
    """A report file is not what the vendor declared, or not what its reader can trust.

    Attributes:
        line: the line of the file (from 1) where reading stopped, or None when the whole file is refused.
        remedy: where another one than that of its kind helps.
    """

    def __init__(
        self, message: str, *, about: About | None = None, line: int | None = None, remedy: str | None = None
    ) -> None:
        super().__init__(message if line is None else f"line {line}: {message}", about=about)
        self.line = line
        if remedy is not None:
            self.remedy = remedy


class Mismatch(ReportError):  # noqa: N818 - named for what the file has
    """The rows of a file do not add up to what is known of them.

    Attributes:
        checks: the names of the reconciliations that do not hold.
    """

    def __init__(self, checks: Sequence[str]) -> None:
        super().__init__(f"reconciliation {', '.join(checks)} does not hold; see the stream reconciliations")
        self.checks = checks


class SyncError(BillingError):
    """Fatal for the whole run: wrong settings, foreign state, a bug; nothing more is asked of any vendor."""


def not_spooled(what: str, error: OSError) -> SyncError:
    """The temporary folder does not take `what` is being written; that is no vendor's fault."""
    return SyncError(f"{what}: {error.strerror or type(error).__name__}: make room, or set TMPDIR")


class FirstFailure(SyncError):  # noqa: N818 - named for what ends the sync
    """`fail_fast` is set and something has failed; what it was stands among the sync's failures already."""


class ConfigError(SyncError):
    """A setting is missing or wrong; the message names the setting and never its value."""


class StateError(SyncError):
    """The given STATE is foreign, truncated or from a newer version; refused before any STATE goes out."""

    @classmethod
    def of(cls, stream: str, problem: str) -> StateError:
        """The part of one stream cannot be used, with what can be done about it."""
        advice = "restore an older state, or run a full refresh of that stream"
        return cls(f"the state of {stream} {problem}: {advice}")

    @classmethod
    def newer(cls, stream: str, found: object, read: int) -> StateError:
        """The part of one stream has another version than those that this tap reads."""
        return cls.of(stream, f"has version {found!r}, this tap reads version {read}: update the tap")


class Unavailable(RetryableError):  # noqa: N818 - named for what the vendor is, as its callers speak of it
    """The vendor did not answer, answered 5xx, or broke off; the call may or may not have had its effect.

    Attributes:
        replayed: the vendor said that this is its stored answer to an earlier call with the same key,
            so that the same call can never succeed.
        sent: False when the request certainly never reached the vendor.
    """

    def __init__(
        self,
        message: str,
        *,
        about: About | None = None,
        retry_after: float | None = None,
        replayed: bool = False,
        sent: bool = True,
    ) -> None:
        super().__init__(message, about=about, retry_after=retry_after)
        self.replayed = replayed
        self.sent = sent
        if not sent:
            self.remedy = f"check the network, a proxy and the host in the settings; then {RetryableError.remedy}"


class ListMoved(Unavailable):
    """A list has changed while it was read, so that what was read of it is not whole: read again, it may be."""


class AbsenceUnproven(Unavailable):
    """HTTP 404 or 410, but not in the vendor's own words: a proxy's page, or another mode's key, answers so, too."""

    remedy = "sync again later; if it goes on, check the host in the settings and any proxy on the way"


class Misplaced(Unavailable):
    """A whole answer shows that it is one to another question: another id, account, period or mode than asked."""

    remedy = f"{RetryableError.remedy}; if it stays so, check the credentials and ask the vendor's support"

    @classmethod
    def of(cls, about: About, objection: str) -> Misplaced:
        """What names the call, what came and what was asked."""
        return cls(f"the answer is to another question: {objection}", about=about)

    @classmethod
    def shared(cls, accounts: tuple[str, str], what: str, header: str) -> Misplaced:
        """What can belong to one account alone is listed under two; `header` tells the vendor which one is asked."""
        first, second = accounts
        both = f"account {first} and account {second} both list {what}, which can belong to one of them alone"
        error = cls(f"the answer is to another question: {both}")
        if header:
            error.remedy = f"see that no proxy on the way drops the request header {header}; then sync again"
        return error


class Throttled(RetryableError):  # noqa: N818 - named for what the vendor does
    """The vendor refused the call for now (HTTP 429); it had no effect."""

    remedy = "sync again later, with fewer syncs at a time on the same credentials"


class Refused(AccountError):  # noqa: N818 - named for what the vendor does
    """The vendor refused the call for good.

    Attributes:
        status: the HTTP status.
        code: the vendor's error code, or an empty text.
        param: the parameter that the vendor objects to, or an empty text.
        said: the vendor's own message, or an empty text.
        is_vendors_word: it came in the vendor's own form, not as a proxy's page or an empty body.
    """

    remedy = "see what the vendor objects to, and correct the settings if it is one of them"

    def __init__(
        self,
        message: str,
        *,
        status: int,
        about: About | None = None,
        code: str = "",
        param: str = "",
        said: str = "",
        is_vendors_word: bool = True,
    ) -> None:
        super().__init__(message, about=about)
        self.status = status
        self.code = code
        self.param = param
        self.said = said
        self.is_vendors_word = is_vendors_word


class NotFound(Refused):
    """The thing is not there, or no longer (HTTP 404 or 410); see `Source.gone` for how far that is believed."""

    remedy = "check that the account, the report type or the invoice exists and that its name is right"


class Outdated(NotFound):
    """A run is there, but it is not what would be ordered today: as good as gone."""


class AuthenticationFailed(Refused):
    """Wrong, missing or insufficient credentials (401, 403, or a login page with status 200)."""

    remedy = "`billing-reports check` shows which credential or right is missing"


_is_engine: Final = re.compile(r"tap_billing_reports\.(?!vendors\.)").match

UNDERSTOOD = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError)
"""What a function that reads a vendor's answer stumbles with where that answer has another shape than declared."""


@contextmanager
def understood(what: str, kind: type[BillingError], about: About | None = None) -> Iterator[None]:
    """Within it a declaration reads an answer; where it stumbles, that is an error of this kind about `what`."""
    try:
        yield
    except UNDERSTOOD as error:
        where = place_of(error)
        raise kind(f"{what} has an unknown shape or status ({error}{where and f', {where}'})", about=about) from None


def place_of(error: BaseException) -> str:
    """File and line of the declaration that an error was raised in, or that called what raised it.

    Empty where no function of a declaration was called.
    """
    frames = [
        (frame.f_code.co_filename, line)
        for frame, line in traceback.walk_tb(error.__traceback__)
        if not _is_engine(frame.f_globals.get("__name__", ""))
    ]
    if not frames:
        return ""
    # What it calls in turn, such as the standard library, is no part of it.
    file, line = [one for one in frames if one[0] == frames[0][0]][-1]
    return f"{Path(file).name}, line {line}"


ISOLATED = (AccountError, RetryableError)
"""What ends one account, report or period and leaves the others running; anything else ends the sync."""


def remedy_of(error: BaseException) -> str:
    """What a person can do about an error; empty where its message says it or nothing is known."""
    return error.remedy if isinstance(error, BillingError) else ""
