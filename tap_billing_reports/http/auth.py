"""Authenticators: each is one object that signs a request and knows which of its values are secret."""

from __future__ import annotations

import base64
import threading
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode, urlsplit

from requests.auth import AuthBase

from tap_billing_reports.core.redaction import redact

if TYPE_CHECKING:
    from collections.abc import Mapping

    from requests import PreparedRequest


class Authenticator(AuthBase):
    """Signs requests. Having one set, even this empty one, keeps `requests` from reading a netrc file."""

    secrets: tuple[str, ...] = ()
    """What must never be shown; given to the redactor when a client is made."""

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        return request


class SharedAuthenticator(Authenticator):
    """One for several clients: a thread at a time, so that one which renews its token renews it once.

    What it adds to its secrets meanwhile, such as a renewed token, is never shown either.
    """

    def __init__(self, signer: AuthBase) -> None:
        self._signer = signer
        self._lock = threading.Lock()
        self.secrets = getattr(signer, "secrets", ())

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        with self._lock:
            signed: PreparedRequest = self._signer(request)
            secrets = getattr(self._signer, "secrets", ())
            if secrets != self.secrets:
                self.secrets = secrets
                redact.add(*secrets)
            return signed


class HeaderAuthenticator(Authenticator):
    """Sends fixed headers with every request (Bring's three, Stripe's bearer and version)."""

    def __init__(self, headers: Mapping[str, str], *, secrets: tuple[str, ...]) -> None:
        self._headers = dict(headers)
        self.secrets = secrets

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        request.headers.update(self._headers)
        return request


class BearerAuthenticator(HeaderAuthenticator):
    """Sends `Authorization: Bearer <token>` and whatever headers go with it."""

    def __init__(self, token: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__({"Authorization": f"Bearer {token}", **(headers or {})}, secrets=(token,))


class QueryKeyAuthenticator(Authenticator):
    """Adds a key to the query of every request (BRP's `apikey`) and, if given, HTTP Basic credentials."""

    def __init__(self, parameter: str, key: str, *, username: str = "", password: str = "") -> None:
        self._parameter = parameter
        self._query = urlencode({parameter: key})
        self._basic = ""
        if username:
            self._basic = base64.b64encode(f"{username}:{password}".encode()).decode()
        self.secrets = tuple(secret for secret in (key, password, self._basic) if secret)

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        assert request.url is not None
        # A redirect within the host may repeat the query that it was asked with, the key included.
        there = {name for name, _ in parse_qsl(urlsplit(request.url).query, keep_blank_values=True)}
        if self._parameter not in there:
            request.url += ("&" if "?" in request.url else "?") + self._query
        if self._basic:
            request.headers["Authorization"] = f"Basic {self._basic}"
        return request
