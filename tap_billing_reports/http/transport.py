"""Sends single requests of one source: to its own hosts only, signed for the first, each within its limits."""

from __future__ import annotations

import ssl
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urljoin

import requests
from requests import exceptions as requests_errors
from urllib3 import exceptions as urllib3_errors
from urllib3.util import Url, parse_url

from tap_billing_reports.core.errors import AccountError, BillingError, Unavailable, Unreadable
from tap_billing_reports.core.redaction import redact, sentence
from tap_billing_reports.http.auth import Authenticator
from tap_billing_reports.http.deadlines import PunctualAdapter

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Mapping

    from tap_billing_reports.core.about import About
    from tap_billing_reports.core.clock import Clock

Origin = tuple[str | None, str | None, int | None]
"""Scheme, host and port."""

CHUNK_BYTES = 1 << 16
REDIRECTS = 5
REDIRECT_STATUSES = frozenset({301, 302, 303, 307, 308})
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1", "[::1]"})
# All that another host of the same source gets to see on a redirect.
_IMPERSONAL = frozenset({"accept", "accept-encoding", "accept-language", "user-agent"})
# Encodings that nobody asked for and that cannot be undone here; anything else that is not gzip is no encoding.
_UNREADABLE = frozenset({"br", "zstd", "compress", "x-compress"})


@dataclass(frozen=True)
class Limits:
    """How long and how often a call may be tried. Seconds, bytes, counts."""

    connect_seconds: float = 10
    read_seconds: float = 60
    """Longest silence of a server that is already answering."""
    answer_seconds: float = 120
    """Longest time for one whole header and one whole body: one that drips never trips the read time-out."""
    download_seconds: float = 3600
    slowest_bytes_per_second: int = 50_000
    """A download of known size gets `answer_seconds` plus its size at this speed, not `download_seconds`."""
    answer_bytes: int = 1 << 29
    tries: int = 6
    retry_budget: float = 20
    """Retries that all calls together have; see `RetryBudget`."""
    waiting_seconds: float = 600
    """Longest sum of waits between the tries of one call."""
    asks_the_absent_again: bool = True
    """Whether a host that no call has reached is tried anew by each further call; not where a person waits."""


def checked_base(url: str) -> str:
    """The base URL without a final slash.

    Raises:
        ValueError: it is not https (http on loopback), or holds more than a host and a path.
    """
    parts = _parsed(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.host in LOOPBACK):
        raise ValueError("must be an https URL (http on loopback only)")
    if not parts.host or parts.auth or parts.query is not None or parts.fragment is not None or "\\" in url:
        raise ValueError("must be a URL of host and path alone, without user, query or fragment")
    return url.rstrip("/")


def origin(url: str) -> Origin:
    """Scheme, host and port, as the library that connects reads them: other parsers read some URLs differently.

    Raises:
        ValueError: it is no URL.
    """
    parts = _parsed(url)
    return parts.scheme, parts.host, parts.port or {"https": 443, "http": 80}.get(parts.scheme or "")


def _parsed(url: str) -> Url:
    try:
        return parse_url(url)
    except urllib3_errors.LocationParseError:
        raise ValueError("is no URL") from None


class Transport:
    """One source's connections.

    Args:
        bases: checked base URLs; nothing else is ever asked.
        authenticator: signs requests to the host that was asked first, and no others.
        remedy: the settings to look at when a request cannot be written or is led elsewhere.
        same_get_seconds: the least time between two GETs of one URL.
        links: where a signed link may be led on to.
    """

    def __init__(
        self,
        bases: Iterable[str],
        *,
        authenticator: Authenticator,
        remedy: str,
        clock: Clock,
        limits: Limits,
        same_get_seconds: float = 0,
        links: Callable[[Origin], bool] = lambda _origin: False,
    ) -> None:
        self._origins = {origin(base) for base in bases}
        self._links = links
        self._auth = authenticator
        self._remedy = remedy
        self._clock = clock
        self._limits = limits
        # For the environment's proxies and CA bundles. Its own `send` is not used: that one keeps cookies, and
        # reads a redirect's body without a limit.
        self._session = requests.Session()
        self._adapter = PunctualAdapter(limits.answer_seconds)
        self._same_get_seconds = same_get_seconds
        self._last_get: dict[str, float] = {}
        self._found: dict[Origin, tuple[bool | str, dict[str, str]]] = {}

    def open(
        self,
        method: str,
        url: str,
        *,
        about: About,
        params: Iterable[tuple[str, str]] = (),
        body: list[tuple[str, str]] | bytes | None = None,
        headers: Mapping[str, str],
        signed: bool = True,
        link: bool = False,
    ) -> requests.Response:
        """The answer's header, its body still to be read; redirects of a GET are followed among the source's hosts.

        `body` is a form's fields, or bytes as they are. Without `signed` the authenticator has no part in it; of
        a `link` nothing goes along that is anybody's.

        Raises:
            Unavailable: no answer. `sent` is False when the request certainly never reached the vendor.
            AccountError: it must not be asked: a certificate that is not trusted, a redirect that leads elsewhere.
        """
        auth = self._auth if signed and not link else Authenticator()
        if link:
            headers = _impersonal(headers)
        request = requests.Request(
            method,
            url,
            params=list(params),
            data=body,
            headers=dict(headers),
            auth=auth,
        )
        for _ in range(REDIRECTS + 1):
            response = self._send(request, about)
            location = response.headers.get("Location")
            if response.status_code not in REDIRECT_STATUSES or location is None:
                return response
            response.close()
            request = self._redirected(request, response.url, location, (origin(url), auth), about, link=link)
        raise AccountError(f"more than {REDIRECTS} redirects; check {self._remedy}", about=about)

    def _redirected(
        self,
        request: requests.Request,
        asked: str,
        location: str,
        first: tuple[Origin, Authenticator],
        about: About,
        *,
        link: bool,
    ) -> requests.Request:
        """The request that a redirect asks for, if it may be sent; `first`: whom was asked, and what signs for it."""
        try:
            target = urljoin(asked, location)
            there = origin(target)
        except ValueError:
            raise AccountError(
                f"redirected to what is no URL; nothing was sent there; check {self._remedy}", about=about
            ) from None
        where = sentence(f"{there[0]}://{there[1]}")
        if request.method != "GET":
            raise AccountError(
                f"redirected to {where}, but a {request.method} is never sent on; check {self._remedy}", about=about
            )
        if not (self._links(there) if link else there in self._origins):
            raise AccountError(
                f"redirected to {where}, which is no host of the settings (a login page, perhaps); "
                f"nothing was sent there; check {self._remedy}",
                about=about,
            )
        if there == first[0]:
            return requests.Request("GET", target, headers=request.headers, auth=first[1])
        # A link has no credentials but its own, which it may take along.
        if not link and redact(target) != target:
            raise AccountError(
                f"redirected to {where} with a credential; nothing was sent there; check {self._remedy}", about=about
            )
        return requests.Request("GET", target, headers=_impersonal(request.headers), auth=Authenticator())

    def _send(self, request: requests.Request, about: About) -> requests.Response:
        failure: BillingError
        try:
            prepared = self._session.prepare_request(request)
            assert prepared.url is not None
            if request.method == "GET":
                self._space_out(prepared.url)
            verify, proxies = self._environments(prepared.url)
            return self._adapter.send(
                prepared,
                stream=True,
                timeout=(self._limits.connect_seconds, self._limits.read_seconds),
                verify=verify,
                proxies=proxies,
            )
        except requests_errors.RequestException as error:
            failure = _failure(error, about)
        except OSError as error:
            # The file of REQUESTS_CA_BUNDLE is missing, for example.
            failure = AccountError(
                f"the request cannot be made ({sentence(str(error))}); nothing was sent", about=about
            )
        except ValueError:
            # http.client refuses a header's value, which may be a key, and shows it.
            failure = AccountError(f"cannot be written as an HTTP request; check {self._remedy}", about=about)
        # Outside the handler: the library's error holds the URL with its key, and formatters print an error's context.
        raise failure

    def _environments(self, url: str) -> tuple[bool | str, dict[str, str]]:
        """The environment's CA bundle, but never no verification, and its proxies for a URL; read once a host."""
        place = origin(url)
        if place not in self._found:
            found = self._session.merge_environment_settings(url, {}, True, None, None)
            proxies = {} if place[1] in LOOPBACK else dict(found["proxies"])
            self._found[place] = (found["verify"] or True, proxies)
        return self._found[place]

    def _space_out(self, url: str) -> None:
        apart = self._same_get_seconds
        if not apart:
            return
        now = self._clock.monotonic()
        wait = self._last_get.get(url, -apart) + apart - now
        if wait > 0:
            self._clock.sleep(wait)
            now += wait
        if len(self._last_get) > 1000:
            self._last_get = {u: t for u, t in self._last_get.items() if now - t < apart}
        self._last_get[url] = now

    # -- bodies ----------------------------------------------------------------------------------------

    def whole(self, response: requests.Response, about: About) -> bytes:
        """The body in memory; raises as `chunks`, and AccountError for one beyond the limit."""
        body = bytearray()
        for chunk in self.chunks(response, seconds=self._limits.answer_seconds, about=about):
            body += chunk
            if len(body) > self._limits.answer_bytes:
                raise Unreadable(f"the answer is longer than {self._limits.answer_bytes} bytes", about=about)
        return bytes(body)

    def chunks(self, response: requests.Response, *, seconds: float, about: About) -> Iterator[bytes]:
        """The body as it arrives, unpacked if it is gzip although nobody asked for that.

        Raises:
            Unavailable: it ended before its declared length or its gzip's end, broke off, or took too long.
            AccountError: it is packed in a way that was not asked for.
        """
        encoding = response.headers.get("Content-Encoding", "").strip().lower()
        if encoding in _UNREADABLE:
            raise Unreadable(f"the answer is packed as {encoding}, which was not asked for", about=about)
        raw = self._raw_chunks(response, seconds, about)
        return _unpacked(raw, about) if encoding in {"gzip", "x-gzip", "deflate"} else raw

    def _raw_chunks(self, response: requests.Response, seconds: float, about: About) -> Generator[bytes, None, None]:
        started, count = self._clock.monotonic(), 0
        failure = None
        while True:
            try:
                chunk = response.raw.read1(CHUNK_BYTES, decode_content=False)
            except (urllib3_errors.HTTPError, OSError, ValueError) as error:
                failure = Unavailable(f"broke off after {count} bytes ({_root(error)})", about=about)
            # Outside the handler, as in `_send`.
            if failure is not None:
                raise failure
            if not chunk:
                break
            count += len(chunk)
            yield chunk
            if self._clock.monotonic() - started > seconds:
                raise Unavailable(f"the answer took longer than {seconds:g} s", about=about)


def _impersonal(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() in _IMPERSONAL}


def _unpacked(packed: Iterator[bytes], about: About) -> Generator[bytes, None, None]:
    """The content of one or more gzip (or zlib) streams; urllib3 takes one that is cut for a whole one."""
    stream = zlib.decompressobj(wbits=47)
    try:
        for data in packed:
            while data:
                if stream.eof:
                    stream = zlib.decompressobj(wbits=47)
                piece = stream.decompress(data, CHUNK_BYTES)
                if piece:
                    yield piece
                data = stream.unconsumed_tail or stream.unused_data  # noqa: PLW2901 - what is left of it
    except zlib.error:
        raise Unavailable("the packed answer cannot be unpacked", about=about) from None
    if not stream.eof:
        raise Unavailable("the packed answer ended early", about=about)


def _failure(error: requests_errors.RequestException, about: About) -> BillingError:
    """What a failed request means; nothing of the library's own text, which holds the URL with its key."""
    cause = _root_of(error)
    if isinstance(cause, ssl.SSLCertVerificationError):
        return AccountError(
            f"the server's certificate is not trusted ({sentence(cause.verify_message)}); nothing was sent; "
            f"if a proxy of your own stands between, name its certificate in REQUESTS_CA_BUNDLE",
            about=about,
        )
    if isinstance(error, requests_errors.ConnectTimeout | requests_errors.ProxyError):
        return Unavailable(f"no connection ({_root(error)})", sent=False, about=about)
    if isinstance(error, requests_errors.Timeout):
        return Unavailable("no answer in time", about=about)
    if isinstance(error, requests_errors.ConnectionError):
        sent = not isinstance(cause, urllib3_errors.NewConnectionError)
        return Unavailable(f"connection failed ({_root(error)})", sent=sent, about=about)
    return AccountError(
        f"the request cannot be made ({type(error).__name__}); check the settings and the proxy's", about=about
    )


_MEANS = {
    "NewConnectionError": "no service listens there, or the network is down",
    "ConnectionRefusedError": "no service listens there",
    "NameResolutionError": "the host name cannot be resolved",
    "ConnectTimeoutError": "no server answers there",
    "ConnectionResetError": "the server closed the connection",
    "RemoteDisconnected": "the server closed the connection",
    "ProxyError": "the proxy refused the connection",
}


def _root(error: BaseException) -> str:
    """The name of what is behind a library's error, and what it means."""
    name = type(_root_of(error)).__name__
    return f"{name}: {_MEANS[name]}" if name in _MEANS else name


def _root_of(error: BaseException) -> BaseException:
    """The innermost of the exceptions that requests and urllib3 wrap into each other."""
    while True:
        inner = getattr(error, "reason", None)
        if not isinstance(inner, Exception):
            inner = next((argument for argument in error.args if isinstance(argument, Exception)), None)
        if inner is None:
            return error
        error = inner
