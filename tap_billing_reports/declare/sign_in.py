"""A sign-in that asks for a token, as most vendors have it."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from tap_billing_reports.core.errors import Unreadable
from tap_billing_reports.declare.paths import value_at
from tap_billing_reports.http.sign_in import SignedIn, SignIn, SignInCall

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from tap_billing_reports.declare.endpoints import Endpoint, Query
    from tap_billing_reports.http.responses import Answer

# What a header's value can hold (RFC 6750 allows less).
_is_token: Final = re.compile(r"[\x21-\x7e]+").fullmatch
_seconds: Final = re.compile(r"[0-9]{1,9}(?:\.[0-9]+)?").fullmatch


@dataclass(frozen=True)
class TokenSignIn(SignIn):
    """Asks for a token; every call then has `Authorization: Bearer` with it.

    It is asked for when the first call needs it, before it expires, and once after a 401; a second 401 is a failure.
    """

    endpoint: Endpoint
    """Where to ask; its path has no names to fill."""
    secrets: tuple[str, ...]
    """What of the credentials must never be shown."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Of that request."""
    basic: tuple[str, str] | None = None
    """User and password, sent with it as HTTP Basic."""
    form: Query | None = None
    json: Mapping[str, Any] | None = None
    """Its body as JSON, instead of a form. Neither: an empty body."""
    token: str = "access_token"  # noqa: S105 - a place, no token
    """Where the answer has the token (keys joined by a dot)."""
    expires_in: str = "expires_in"
    """Where it says for how many seconds the token is good; where it does not, the token is kept until a 401."""
    sent: Mapping[str, str] = field(default_factory=dict)
    """Headers that go along with every other call, beside the token."""

    def __post_init__(self) -> None:
        if self.form is not None and self.json is not None:
            raise ValueError("form and json: a request has one body")
        if self.basic is not None:
            object.__setattr__(self, "secrets", (*self.secrets, self.basic[1], _encoded(self.basic)))

    def flow(self) -> Generator[SignInCall, Answer, SignedIn]:
        signed = {} if self.basic is None else {"Authorization": f"Basic {_encoded(self.basic)}"}
        asked = {"Accept": self.endpoint.accept, **self.headers, **signed}
        endpoint = self.endpoint
        answer = yield SignInCall(endpoint.host, endpoint.path, endpoint.method, asked, self.form, self.json)
        whole = answer.record()
        token, seconds = value_at(whole, self.token), value_at(whole, self.expires_in)
        # Never the value itself: it may be a token all the same.
        if not isinstance(token, str) or not _is_token(token):
            raise Unreadable(f"the answer has no token at {self.token}", about=answer.about)
        if seconds is not None and (isinstance(seconds, bool) or not _seconds(str(seconds))):
            raise Unreadable(f"the answer has no number of seconds at {self.expires_in}", about=answer.about)
        headers = {**self.sent, "Authorization": f"Bearer {token}"}
        return SignedIn(headers, (token,), None if seconds is None else float(seconds))


def _encoded(user_and_password: tuple[str, str]) -> str:
    """As a header of HTTP Basic has them."""
    return base64.b64encode(":".join(user_and_password).encode()).decode()
