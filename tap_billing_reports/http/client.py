"""One client a source: every request passes here, with its retries, deadlines and limits on where it may go."""

from __future__ import annotations

from contextlib import nullcontext
from functools import partial
from typing import IO, TYPE_CHECKING, Any, TypeVar

from tap_billing_reports import __version__
from tap_billing_reports.core.about import About
from tap_billing_reports.core.clock import Clock
from tap_billing_reports.core.errors import (
    AbsenceUnproven,
    AuthenticationFailed,
    BillingError,
    ConfigError,
    DeclarationError,
    NotFound,
    Refused,
    RetryableError,
    Throttled,
    Unavailable,
)
from tap_billing_reports.core.json_text import to_json
from tap_billing_reports.core.redaction import install, redact, sentence
from tap_billing_reports.http import received
from tap_billing_reports.http.auth import Authenticator, SharedAuthenticator
from tap_billing_reports.http.bodies import Remarks
from tap_billing_reports.http.links import LinkHosts, failure_of
from tap_billing_reports.http.received import Download
from tap_billing_reports.http.responses import Answer, Hints, Problem, describe, problem_of, retry_after
from tap_billing_reports.http.retries import Retries, RetryBudget
from tap_billing_reports.http.sent import Absence, FileRequest, Sent
from tap_billing_reports.http.sign_in import SharedSignIn, SignIn, SignInCall
from tap_billing_reports.http.transport import Limits, Transport, checked_base

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
    from contextlib import AbstractContextManager

    import requests

__all__ = ["USER_AGENT", "Download", "HttpClient", "Limits"]

_T = TypeVar("_T")

USER_AGENT = f"tap-billing-reports/{__version__}"
# An emulator names itself in it: what it answers is invented.
EMULATED_BY = "X-Emulated-By"


class HttpClient:
    """All HTTP of one source, signed by one authenticator. Used by one thread.

    Args:
        source: the source's name, for messages.
        account: the account or key that the credentials belong to, for messages.
        hosts: host name of the declaration -> base URL. Nothing else is ever asked, and nothing else ever
            sees a credential. https only, http on loopback.
        authenticator: signs every request; a `SignIn` asks for what to sign with, through this client.
        headers: sent with every request.
        remedy: what to do about refused credentials: the settings to look at.
        read_problem: reads a vendor's error body into a `Problem`; None when the body holds none.
        hints: the vendor's own headers that say whether to try again.
        gone: whether a 404 or 410 is the vendor's own word that the thing is gone.
        same_get_seconds: the least time between two GETs of one URL.
        link_hosts: where signed links to files may lead, beside the hosts; see `LinkHosts`.
        clock: tells the time and waits.

    Attributes:
        remarks: what was odd about the answers so far.
        is_emulated: whether an emulator has answered, by its own word.

    Raises:
        ConfigError: a host is no URL to send credentials to.
    """

    def __init__(
        self,
        *,
        source: str,
        account: str,
        hosts: Mapping[str, str],
        authenticator: Authenticator | SignIn,
        headers: Mapping[str, str],
        remedy: str,
        read_problem: Callable[[Answer], Problem | None] | None = None,
        hints: Hints | None = None,
        gone: Callable[[NotFound], bool] = lambda _error: True,
        same_get_seconds: float = 0,
        link_hosts: Collection[str] = (),
        clock: Clock | None = None,
        limits: Limits | None = None,
    ) -> None:
        install()
        if isinstance(authenticator, SignIn):
            authenticator = SharedSignIn(authenticator)
        elif not isinstance(authenticator, SharedAuthenticator | SharedSignIn):
            authenticator = SharedAuthenticator(authenticator)
        self._sign_in = authenticator if isinstance(authenticator, SharedSignIn) else None
        redact.add(*authenticator.secrets)
        self._another = partial(
            HttpClient,
            source=source,
            account=account,
            hosts=hosts,
            authenticator=authenticator,
            headers=headers,
            remedy=remedy,
            read_problem=read_problem,
            hints=hints,
            gone=gone,
            same_get_seconds=same_get_seconds,
            link_hosts=link_hosts,
            clock=clock,
            limits=limits,
        )
        self.source = source
        self.account = account
        self.clock = clock or Clock()
        try:
            self._hosts = {name: checked_base(url) for name, url in hosts.items()}
        except ValueError as error:
            raise ConfigError(f"{source}: a host in the settings {error}") from None
        self.remarks = Remarks()
        self.is_emulated = False
        self._headers = {"User-Agent": USER_AGENT, "Accept-Encoding": "identity", **headers}
        self._remedy = remedy
        self._read_problem = read_problem
        self._hints = hints or Hints()
        self._gone = gone
        self._limits = limits or Limits()
        self._links = LinkHosts(link_hosts, self._hosts.values())
        self._absent: dict[str, str] = {}  # host that could not be reached -> why
        self._transport = Transport(
            self._hosts.values(),
            authenticator=authenticator,
            remedy=remedy,
            clock=self.clock,
            limits=self._limits,
            same_get_seconds=same_get_seconds,
            links=self._links.allows,
        )
        self._retries = Retries(
            self.clock,
            RetryBudget(self._limits.retry_budget),
            tries=self._limits.tries,
            waiting_seconds=self._limits.waiting_seconds,
        )

    def another(self) -> HttpClient:
        """A client of the same hosts for another thread, with connections and a retry budget of its own."""
        return self._another()

    @property
    def about(self) -> About:
        """The source and the account, as messages name them."""
        return About(self.source, sentence(self.account))

    def __repr__(self) -> str:
        return f"HttpClient({self.source}, {self.account})"

    def call(
        self,
        method: str,
        host: str,
        path: str,
        *,
        params: Iterable[tuple[str, str]] = (),
        form: Iterable[tuple[str, str]] | None = None,
        json: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        account: str | None = None,
        safe: bool = True,
        parse: bool = False,
        judge: Callable[[Answer], None] = lambda _answer: None,
        wait_when_throttled: bool = True,
        absence: Absence = Absence.BELIEVED,
        guard: Callable[[], AbstractContextManager[object]] = nullcontext,
    ) -> Answer:
        """Ask and return the whole answer, a 2xx with a body that is no login page and no error.

        Args:
            method: GET or POST.
            host: a name from `hosts`.
            path: below the host's base URL, already percent-encoded (`fill` does that).
            params: the query.
            form: the body, form-encoded.
            json: the body as JSON, instead of a form.
            headers: for this call only.
            account: whose data is asked for, for messages; unset: the client's own.
            safe: may be sent again when it is unknown whether it had its effect.
            parse: the body must be complete JSON or XML; one that is not is asked for again.
            judge: raises `Misplaced` for an answer to another question, which is asked for again as well.
            wait_when_throttled: try again after a 429; False hands it to the caller at once, who waits for
                runs of its own instead.
            absence: how far a 404 or 410 is believed.
            guard: entered around each try, but not around the waits between them.

        Raises:
            AuthenticationFailed, NotFound, Refused: for good.
            AccountError: the vendor's host cannot be trusted with the call, or its answer cannot.
            AbsenceUnproven: a 404 that is not believed, after the retries.
            Throttled, Unavailable: after the retries that `safe` and the budget allow. An unsafe call is
                only tried again while the vendor was certainly not reached.
        """
        url, about = self._place(method, host, path, account)
        query, body_form = list(params), None if form is None else list(form)
        body = body_form if json is None else to_json(json).encode()
        kind = {} if json is None else {"Content-Type": "application/json"}

        asked = Sent(
            method,
            host,
            path,
            dict(query),
            None if body_form is None else dict(body_form),
            json,
            account or "",
            absence,
        )

        def once() -> Answer:
            whole = {**self._headers, **kind, **(headers or {})}
            with (
                guard(),
                self._transport.open(method, url, about=about, params=query, body=body, headers=whole) as response,
            ):
                answer = self._answer(response, about, asked)
            if parse:
                answer.parsed()
            judge(answer)
            return answer

        def hopeless(error: RetryableError) -> bool:
            if isinstance(error, Unavailable):
                return error.replayed or (error.sent and not safe)
            return not wait_when_throttled

        if host in self._absent and not self._limits.asks_the_absent_again:
            raise Unavailable(self._absent[host], sent=False, about=about)
        try:
            return self._tried(once, hopeless)
        except Unavailable as error:
            if not error.sent:
                self._absent[host] = error.message
            raise

    def download(self, wanted: FileRequest, to: IO[bytes]) -> Download:
        """Stream a file's bytes to `to`, from its start on every try; memory stays flat.

        Raises:
            LinkRefused: the link does not open its file. Unreadable: it leads to no declared host.
            Unavailable: no whole file arrived, after the tries.
            AuthenticationFailed: a login page, by its declared type or its first bytes.
            SyncError: `to` cannot take it: the disk is full.
            Otherwise as `call`.
        """
        seconds = self._limits.download_seconds
        if wanted.size is not None:
            seconds = self._limits.answer_seconds + wanted.size / self._limits.slowest_bytes_per_second

        def take(response: requests.Response, about: About) -> Download:
            first, chunks = self._begun(response, seconds, about, wanted)
            count, sha256 = received.write(to, first, chunks, about)
            return Download(count, sha256, response.headers.get("Content-Type", ""))

        return self._of_file(wanted, take)

    def peek(self, wanted: FileRequest) -> None:
        """Ask for a file and leave all of it but its first bytes: whether it may be had. Raises as `download`."""

        def look(response: requests.Response, about: About) -> None:
            self._begun(response, self._limits.answer_seconds, about, wanted)

        self._of_file(wanted, look)

    def _of_file(self, wanted: FileRequest, take: Callable[[requests.Response, About], _T]) -> _T:
        """What is taken of a file's answer, after the retries. A link is signed by itself: nobody signs in for it."""
        if link := wanted.link:
            url, about = link, self._links.enter(link, About(self.source, sentence(wanted.account or self.account)))
        else:
            url, about = self._place("GET", wanted.host, wanted.path, wanted.account)
        query, headers = list(wanted.params), {**self._headers, **wanted.headers}

        def once() -> _T:
            with self._transport.open(
                "GET", url, about=about, params=query, headers=headers, link=bool(link)
            ) as response:
                return take(response, about)

        return self._retries(once, hopeless=_is_replayed) if link else self._tried(once, _is_replayed)

    def _tried(self, once: Callable[[], _T], hopeless: Callable[[RetryableError], bool]) -> _T:
        """The result of a call, signed in for it, after the retries; the sign-in's own failures cost retries, too."""
        if (sign_in := self._sign_in) is None:
            return self._retries(once, hopeless=hopeless)
        return self._retries(
            lambda: sign_in.around(once, self._ask_to_sign_in, self.clock, self._remedy), hopeless=hopeless
        )

    def _ask_to_sign_in(self, call: SignInCall) -> Answer:
        """The whole answer to one request of a sign-in. Raises as `call`, without its retries."""
        if call.host not in self._hosts:
            raise DeclarationError(f"the host {call.host} of the sign-in is not declared", about=self.about)
        url, about = self._place(call.method, call.host, call.path, None)
        kind = {} if call.json is None else {"Content-Type": "application/json"}
        body = call.form if call.json is None else to_json(call.json).encode()
        whole = {**self._headers, **kind, **call.headers}
        with self._transport.open(call.method, url, about=about, body=body, headers=whole, signed=False) as response:
            return self._answer(response, about, Sent())

    def _begun(
        self, response: requests.Response, seconds: float, about: About, wanted: FileRequest
    ) -> tuple[bytes, Iterator[bytes]]:
        """A file's first bytes and the rest of it, once it is known to be no page and no error."""
        if response.status_code != 200:
            if wanted.link:
                wait = retry_after(Answer(about, response.status_code, response.headers, b""), self.clock.now())
                raise failure_of(response.status_code, about, wait)
            self._answer(response, about, wanted.sent)
            raise Unavailable(f"HTTP {response.status_code} without a file", about=about)
        chunks = self._transport.chunks(response, seconds=seconds, about=about)
        # A prefix is enough to tell a page from a file; a page declared as one never becomes a file.
        first = next(chunks, b"")
        declared = response.headers.get("Content-Type", "").strip().lower().startswith("text/html")
        self._judge(Answer(about, 200, response.headers, b"<html" if declared else first))
        return first, chunks

    def _place(self, method: str, host: str, path: str, account: str | None) -> tuple[str, About]:
        """The URL, and what messages call it."""
        url = self._hosts[host] + path
        return url, About(self.source, sentence(account or self.account), sentence(describe(method, url)))

    # -- what an answer means --------------------------------------------------------------------------

    def _answer(self, response: requests.Response, about: About, asked: Sent) -> Answer:
        body = self._transport.whole(response, about)
        self.is_emulated = self.is_emulated or EMULATED_BY in response.headers
        answer = Answer(about, response.status_code, response.headers, body, self.remarks, asked)
        self._judge(answer)
        return answer

    def _judge(self, answer: Answer) -> None:
        """Raise what the answer's problem is, if it has one."""
        problem = problem_of(answer, self._read_problem, self._hints)
        if problem is None:
            return
        about, said = answer.about, sentence(f"HTTP {answer.status}{problem.said}")
        wait = retry_after(answer, self.clock.now())
        error: BillingError
        if problem.kind == "throttled":
            error = Throttled(said, about=about, retry_after=wait)
        elif problem.kind == "unavailable":
            error = Unavailable(said, about=about, retry_after=wait, replayed=self._hints.is_replayed(answer))
        else:
            kind: type[Refused] = NotFound if problem.kind == "missing" else Refused
            if problem.kind == "authentication":
                kind, said = AuthenticationFailed, f"{said}; check {self._remedy}"
            error = kind(
                said,
                about=about,
                status=problem.status,
                code=problem.code,
                param=problem.param,
                said=sentence(problem.message),
                is_vendors_word=problem.is_vendors_word,
            )
            is_doubted = answer.sent.absence is Absence.PROVEN
            if is_doubted and isinstance(error, NotFound) and not self._gone(error):
                error = AbsenceUnproven(f"{said}: no proof that it is gone", about=about, retry_after=wait)
        raise error


def _is_replayed(error: RetryableError) -> bool:
    return isinstance(error, Unavailable) and error.replayed
