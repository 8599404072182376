"""One door a source: every request passes here, with its retries, deadlines and limits on where it may go."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass
from typing import IO, Any
from urllib.parse import urljoin, urlsplit

import backoff
import requests
from requests import exceptions as requests_errors
from urllib3 import exceptions as urllib3_errors

from tap_billing_reports import __version__
from tap_billing_reports.answers import Answer, Problem, describe, problem_of, retry_after
from tap_billing_reports.auth import Authenticator
from tap_billing_reports.clock import Clock
from tap_billing_reports.errors import (
    AccountError,
    AuthenticationFailed,
    ConfigError,
    NotFound,
    Refused,
    RetryableError,
    Throttled,
    Unavailable,
)
from tap_billing_reports.redaction import redact

USER_AGENT = f"tap-billing-reports/{__version__}"
CHUNK_BYTES = 1 << 16
REDIRECTS = 5
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
# Bring throttles identical requests (15/s in an older text, no number in the newer): stay well below.
IDENTICAL_GET_SECONDS = 0.2


@dataclass(frozen=True)
class Limits:
    """How long and how often a call may be tried. Seconds, bytes, counts."""

    connect_seconds: float = 10
    read_seconds: float = 60
    """Longest silence of a server that is already answering."""
    answer_seconds: float = 120
    """Longest time for one whole answer: a body that drips never trips the read time-out."""
    download_seconds: float = 3600
    slowest_bytes_per_second: int = 50_000
    """A download of known size gets `answer_seconds` plus its size at this speed, not `download_seconds`."""
    answer_bytes: int = 1 << 29
    tries: int = 6
    waiting_seconds: float = 600
    """Longest sum of waits between the tries of one call."""


class RetryBudget:
    """Lets a vendor stumble, not lie dead: retries cost, successes pay back, an empty purse fails at once."""

    COST = 1.0
    REFUND = 0.5

    def __init__(self, capacity: float = 20.0) -> None:
        self._capacity = self._purse = capacity

    def spend(self) -> bool:
        """Take one retry; False when none is left."""
        if self._purse < self.COST:
            return False
        self._purse -= self.COST
        return True

    def refund(self) -> None:
        self._purse = min(self._capacity, self._purse + self.REFUND)


@dataclass(frozen=True)
class Download:
    """What arrived on disk: its length in bytes, its SHA-256 in hex, its content type as sent."""

    size: int
    sha256: str
    content_type: str


class Door:
    """All HTTP of one source, signed by one authenticator.

    Args:
        source: the source's name, for messages.
        account: the account or key that the credentials belong to, for messages.
        hosts: host name of the declaration -> base URL. Nothing else is ever asked, and nothing else ever
            sees a credential. https only, http on loopback.
        authenticator: signs every request.
        headers: sent with every request.
        remedy: what to do about refused credentials: the settings to look at.
        read_problem: reads a vendor's error body into a `Problem`; None when the body holds none.
        clock: tells the time and waits.
    """

    def __init__(
        self,
        *,
        source: str,
        account: str,
        hosts: Mapping[str, str],
        authenticator: Authenticator,
        headers: Mapping[str, str],
        remedy: str,
        read_problem: Callable[[Answer], Problem | None] | None = None,
        clock: Clock | None = None,
        limits: Limits | None = None,
        budget: RetryBudget | None = None,
    ) -> None:
        self.source = source
        self.account = account
        self.clock = clock or Clock()
        self._hosts = {name: _checked_base(source, url) for name, url in hosts.items()}
        self._origins = {_origin(url) for url in self._hosts.values()}
        self._auth = authenticator
        self._headers = {"User-Agent": USER_AGENT, "Accept-Encoding": "identity", **headers}
        self._remedy = remedy
        self._read_problem = read_problem
        self._limits = limits or Limits()
        self._budget = budget or RetryBudget()
        self._session = requests.Session()
        self._last_get: dict[str, float] = {}
        redact.add(*authenticator.secrets)

    def __repr__(self) -> str:
        return f"Door({self.source}, {self.account})"

    def call(
        self,
        method: str,
        host: str,
        path: str,
        *,
        params: Iterable[tuple[str, str]] = (),
        form: Iterable[tuple[str, str]] | None = None,
        headers: Mapping[str, str] | None = None,
        safe: bool = True,
        wait_when_throttled: bool = True,
    ) -> Answer:
        """Ask and return the whole answer, a 2xx with a body that is no login page and no error.

        Args:
            method: GET or POST.
            host: a name from `hosts`.
            path: below the host's base URL, already percent-encoded (`fill` does that).
            params: the query.
            form: the body, form-encoded.
            headers: for this call only.
            safe: may be sent again when it is unknown whether it had its effect.
            wait_when_throttled: try again after a 429; False hands it to the caller at once, who waits for
                runs of its own instead.

        Raises:
            AuthenticationFailed, NotFound, Refused: for good.
            Throttled, Unavailable: after the retries that `safe` and the budget allow. An unsafe call is
                only tried again while the vendor was certainly not reached.
        """
        url = self._hosts[host] + path

        def once() -> Answer:
            with self._open(method, url, params=params, form=form, headers=headers) as response:
                body = self._read_whole(response)
            return self._judged(Answer(describe(method, url), response.status_code, response.headers, body))

        answer: Answer = self._with_retries(once, safe=safe, wait_when_throttled=wait_when_throttled)
        return answer

    def download(
        self,
        host: str,
        path: str,
        to: IO[bytes],
        *,
        size: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Download:
        """Stream a file's bytes to `to`, from its start on every try; memory stays flat.

        Raises as `call`; a body that ends early is `Unavailable`, a login page `AuthenticationFailed`.
        """
        url = self._hosts[host] + path

        def once() -> Download:
            to.seek(0)
            to.truncate()
            digest, count = hashlib.sha256(), 0
            with self._open("GET", url, params=(), form=None, headers=headers) as response:
                about = describe("GET", url)
                if response.status_code != 200 or "html" in response.headers.get("Content-Type", ""):
                    body = self._read_whole(response)
                    self._judged(Answer(about, response.status_code, response.headers, body))
                    raise self._error(Unavailable, f"{about}: HTTP {response.status_code} without a file")
                deadline = self._limits.download_seconds
                if size is not None:
                    deadline = self._limits.answer_seconds + size / self._limits.slowest_bytes_per_second
                for chunk in self._chunks(response, deadline, about):
                    to.write(chunk)
                    digest.update(chunk)
                    count += len(chunk)
            to.flush()
            return Download(count, digest.hexdigest(), response.headers.get("Content-Type", ""))

        result: Download = self._with_retries(once, safe=True)
        return result

    # -- one request -----------------------------------------------------------------------------------

    def _open(
        self,
        method: str,
        url: str,
        *,
        params: Iterable[tuple[str, str]],
        form: Iterable[tuple[str, str]] | None,
        headers: Mapping[str, str] | None,
    ) -> requests.Response:
        """Send, following redirects by hand: within the configured hosts only, and signed only for the first."""
        request = requests.Request(
            method,
            url,
            params=list(params),
            data=None if form is None else list(form),
            headers={**self._headers, **(headers or {})},
            auth=self._auth,
        )
        first, about = _origin(url), describe(method, url)
        for _ in range(REDIRECTS + 1):
            response = self._send(request, about)
            target = response.headers.get("Location") if response.status_code in {301, 302, 303, 307, 308} else None
            if target is None:
                return response
            response.close()
            target = urljoin(response.url, target)
            if method != "GET" or _origin(target) not in self._origins:
                raise self._error(
                    AccountError,
                    f"{about}: redirected to {urlsplit(target).scheme}://{urlsplit(target).hostname}, which is not a "
                    f"configured host; nothing was sent there",
                )
            request = requests.Request("GET", target, headers=dict(request.headers), auth=Authenticator())
            if _origin(target) == first:
                request.auth = self._auth
        raise self._error(AccountError, f"{about}: more than {REDIRECTS} redirects")

    def _send(self, request: requests.Request, about: str) -> requests.Response:
        prepared = self._session.prepare_request(request)
        if request.method == "GET":
            self._space_out(prepared.url or "")
        settings = self._session.merge_environment_settings(prepared.url, {}, True, None, None)
        timeout = (self._limits.connect_seconds, self._limits.read_seconds)
        try:
            return self._session.send(prepared, allow_redirects=False, timeout=timeout, **settings)
        except requests_errors.SSLError as error:
            raise self._error(AccountError, f"{about}: TLS failed ({_cause(error)}); nothing was sent") from None
        except (requests_errors.ConnectTimeout, requests_errors.ProxyError) as error:
            raise self._error(Unavailable, f"{about}: no connection ({_cause(error)})", sent=False) from None
        except requests_errors.ConnectionError as error:
            sent = not isinstance(getattr(error.args[0], "reason", None), urllib3_errors.NewConnectionError)
            raise self._error(Unavailable, f"{about}: connection failed ({_cause(error)})", sent=sent) from None
        except requests_errors.Timeout:
            raise self._error(Unavailable, f"{about}: no answer within {timeout[1]:g} s") from None
        except requests_errors.RequestException as error:
            raise self._error(AccountError, f"{about}: {type(error).__name__}") from None

    def _space_out(self, url: str) -> None:
        now = self.clock.monotonic()
        wait = self._last_get.get(url, -IDENTICAL_GET_SECONDS) + IDENTICAL_GET_SECONDS - now
        if wait > 0:
            self.clock.sleep(wait)
            now += wait
        if len(self._last_get) > 1000:
            self._last_get = {u: t for u, t in self._last_get.items() if now - t < IDENTICAL_GET_SECONDS}
        self._last_get[url] = now

    def _chunks(self, response: requests.Response, seconds: float, about: str) -> Generator[bytes, None, None]:
        """The body as it arrives: checked against its declared length and a deadline for the whole of it."""
        declared = response.headers.get("Content-Length")
        started, count = self.clock.monotonic(), 0
        try:
            while chunk := response.raw.read1(CHUNK_BYTES, decode_content=True):
                count += len(chunk)
                yield chunk
                if self.clock.monotonic() - started > seconds:
                    raise self._error(Unavailable, f"{about}: the answer took longer than {seconds:g} s")
        except (urllib3_errors.HTTPError, OSError) as error:
            raise self._error(Unavailable, f"{about}: broke off after {count} bytes ({_cause(error)})") from None
        encoded = response.headers.get("Content-Encoding", "identity") != "identity"
        if declared is not None and declared.isdigit() and not encoded and int(declared) != count:
            raise self._error(Unavailable, f"{about}: {count} of {declared} bytes arrived")

    def _read_whole(self, response: requests.Response) -> bytes:
        body = bytearray()
        about = describe(response.request.method or "", response.url)
        for chunk in self._chunks(response, self._limits.answer_seconds, about):
            body += chunk
            if len(body) > self._limits.answer_bytes:
                raise self._error(AccountError, f"{about}: more than {self._limits.answer_bytes} bytes")
        return bytes(body)

    # -- what an answer means --------------------------------------------------------------------------

    def _judged(self, answer: Answer) -> Answer:
        problem = problem_of(answer, self._read_problem)
        if problem is None:
            return answer
        status, code, param = problem.status, problem.code, problem.param
        said = f"{answer.about}: HTTP {answer.status}{problem.said}"
        if problem.kind == "authentication":
            raise self._refusal(AuthenticationFailed, f"{said}; check {self._remedy}", status, code, param)
        if problem.kind == "throttled":
            raise self._error(Throttled, said, retry_after=retry_after(answer, self.clock.now()))
        if problem.kind == "unavailable":
            replayed = answer.headers.get("Idempotent-Replayed", "").lower() == "true"
            wait = retry_after(answer, self.clock.now())
            raise self._error(Unavailable, said, retry_after=wait, replayed=replayed)
        kind = NotFound if problem.kind == "missing" else Refused
        raise self._refusal(kind, said, status, code, param)

    def _refusal(self, kind: type[Refused], text: str, status: int, code: str, param: str) -> Refused:
        return kind(self._sentence(text), status=status, code=code, param=param)

    def _error(self, kind: type[Any], text: str, **facts: Any) -> Any:
        return kind(self._sentence(text), **facts)

    def _sentence(self, text: str) -> str:
        return redact(f"{self.source} account {self.account}: {text}")

    # -- retries ---------------------------------------------------------------------------------------

    def _with_retries(self, once: Callable[[], Any], *, safe: bool, wait_when_throttled: bool = True) -> Any:
        def hopeless(error: Exception) -> bool:
            if isinstance(error, Unavailable):
                return error.replayed or (error.sent and not safe)
            return not wait_when_throttled

        attempt = backoff.on_exception(
            self._waits,
            RetryableError,
            max_tries=self._limits.tries,
            giveup=hopeless,  # type: ignore[arg-type]
            jitter=None,
            logger=None,
        )(once)
        result = attempt()
        self._budget.refund()
        return result

    def _waits(self) -> Generator[float, RetryableError, None]:
        """Full jitter, never before Retry-After; waits by the injected clock and gives up when out of budget."""
        error, spent, ceiling = (yield 0.0), 0.0, 1.0
        while self._budget.spend():
            # Jitter spreads load; it guards no secret.
            wait = random.uniform(0, ceiling)  # noqa: S311
            if error.retry_after is not None:
                wait += error.retry_after
            spent += wait
            if spent > self._limits.waiting_seconds:
                return
            self.clock.sleep(wait)
            ceiling = min(ceiling * 2, 30.0)
            error = yield 0.0


def _checked_base(source: str, url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK):
        return url.rstrip("/")
    raise ConfigError(f"{source}: every URL in the settings must be https (http on loopback only)")


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port


def _cause(error: BaseException) -> str:
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return type(reason if isinstance(reason, Exception) else error).__name__
