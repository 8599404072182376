"""Sign-ins that ask: a flow of requests through the client, whose result goes along with every other call."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

from tap_billing_reports.core.errors import (
    AccountError,
    AuthenticationFailed,
    BillingError,
    Refused,
    Throttled,
    Unavailable,
    Unreadable,
    understood,
)
from tap_billing_reports.core.redaction import redact
from tap_billing_reports.http.auth import Authenticator

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

    from requests import PreparedRequest

    from tap_billing_reports.core.clock import Clock
    from tap_billing_reports.http.responses import Answer

_T = TypeVar("_T")

# A token is renewed so many seconds before it expires, or after nine tenths of its time if that is later.
EARLY_SECONDS: Final = 60.0
EARLY_PART: Final = 0.1


@dataclass(frozen=True)
class SignInCall:
    """One request of a sign-in. It carries the credentials that stand here, and no others."""

    host: str
    """A name of the declaration's hosts: nothing else is asked."""
    path: str
    method: Literal["GET", "POST"] = "POST"
    headers: Mapping[str, str] = field(default_factory=dict)
    form: list[tuple[str, str]] | None = None
    json: Mapping[str, Any] | None = None
    """The body as JSON, instead of a form. Neither: an empty body."""
    secrets: tuple[str, ...] = ()
    """What of it was learned from an answer before, and must never be shown."""


@dataclass(frozen=True)
class SignedIn:
    """What a sign-in brings.

    Attributes:
        headers: of every call from now on.
        secrets: what of them must never be shown.
        seconds: how long they are good for; None: until the vendor refuses them.
    """

    headers: Mapping[str, str]
    secrets: tuple[str, ...]
    seconds: float | None = None


class SignIn:
    """How a vendor is signed in to. The client goes through the flow when it needs to, one thread at a time."""

    secrets: tuple[str, ...] = ()
    """What must never be shown; given to the redactor when a client is made."""

    def flow(self) -> Generator[SignInCall, Answer, SignedIn]:
        """Yields each request, is sent its whole answer, returns what they come to.

        A refusal, a failure of the network and the like end the flow: they are the client's affair.

        Raises:
            Unreadable: an answer has not the form that the declaration says.
        """
        raise NotImplementedError


class SharedSignIn(Authenticator):
    """One sign-in for several clients: asked for once, kept until it expires or is refused.

    A refused sign-in is not asked again: some vendors lock an account after a few.
    """

    def __init__(self, sign_in: SignIn) -> None:
        self._sign_in = sign_in
        self._lock = threading.Lock()
        self._now: _Valid | None = None
        self._refusal: Refused | None = None
        self._was_in_vain = False
        self.secrets = sign_in.secrets

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        if self._now is not None:
            request.headers.update(self._now.headers)
        return request

    def around(self, once: Callable[[], _T], ask: Callable[[SignInCall], Answer], clock: Clock, remedy: str) -> _T:
        """The result of a call, signed in for it; after a 401 the call is made once more, newly signed in.

        Args:
            once: makes the call.
            ask: makes one request of the sign-in.
            clock: tells when what was got expires.
            remedy: the settings to look at when the sign-in is refused.

        Raises:
            AuthenticationFailed: the sign-in is refused.
            Unavailable: it has no answer; `sent` is False, as the call itself was never made.
            Throttled, Unreadable, AccountError: likewise, each with words that name the sign-in.
        """

        def renewed(old: _Valid | None) -> _Valid:
            try:
                return self._renewed(old, ask, clock)
            except BillingError as error:
                failure = _told(error, remedy)
            # Outside the handler: the formatters print an error's context, too.
            raise failure

        used = self._now
        if used is None or used.is_over(clock):
            used = renewed(used)
        try:
            result = once()
        except Refused as error:
            # A new token that was refused as well says that tokens are not what is wrong.
            if error.status != 401 or (self._was_in_vain and used is self._now):
                raise
        else:
            self._was_in_vain = False
            return result
        renewed(used)
        try:
            result = once()
        except Refused as error:
            self._was_in_vain = error.status == 401
            raise
        self._was_in_vain = False
        return result

    def _renewed(self, old: _Valid | None, ask: Callable[[SignInCall], Answer], clock: Clock) -> _Valid:
        """What another thread has got since `old`, or what is got now."""
        with self._lock:
            if self._now is not None and self._now is not old:
                return self._now
            if self._refusal is not None:
                raise self._refusal.with_traceback(None)
            began = clock.monotonic()
            try:
                found = _through(self._sign_in.flow(), ask)
            except Refused as error:
                self._refusal = error
                raise
            redact.add(*found.secrets)
            early = None if found.seconds is None else found.seconds - min(EARLY_SECONDS, found.seconds * EARLY_PART)
            self._now = _Valid(found.headers, None if early is None else began + early)
            return self._now


@dataclass(frozen=True, eq=False)
class _Valid:
    """Headers, and when they are to be renewed, by the monotonic clock."""

    headers: Mapping[str, str]
    until: float | None

    def is_over(self, clock: Clock) -> bool:
        return self.until is not None and clock.monotonic() >= self.until


def _through(flow: Generator[SignInCall, Answer, SignedIn], ask: Callable[[SignInCall], Answer]) -> SignedIn:
    """What a flow comes to."""
    answer: Answer | None = None
    try:
        call = next(flow)
        while True:
            redact.add(*call.secrets)
            answer = ask(call)
            with understood("the answer", Unreadable, answer.about):
                call = flow.send(answer)
    except StopIteration as end:
        found: SignedIn = end.value
        return found


def _told(error: BillingError, remedy: str) -> BillingError:
    """The same failure in words that say that it is the sign-in's, as a kind that says nothing about the call.

    A 404 of a sign-in, for example, does not mean that a run is gone, or that a period is not there yet.
    """
    said = f"the sign-in failed: {error.message}"
    told: BillingError
    if isinstance(error, Refused):
        more = "" if isinstance(error, AuthenticationFailed) else f"; check {remedy}"
        return AuthenticationFailed(
            f"{said}{more}",
            about=error.about,
            status=error.status,
            code=error.code,
            param=error.param,
            said=error.said,
            # It is, but not about the call: nobody may read there what the call's own refusal would mean.
            is_vendors_word=False,
        )
    if isinstance(error, Throttled):
        return Throttled(said, about=error.about, retry_after=error.retry_after)
    if isinstance(error, Unavailable):
        told = Unavailable(said, about=error.about, retry_after=error.retry_after, sent=False)
    elif isinstance(error, AccountError):
        told = type(error)(said, about=error.about)
    else:
        return error
    told.remedy = error.remedy
    return told
