"""HTTP clients of scripted servers, with a clock that nobody waits for."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from tap_billing_reports.http.auth import Authenticator, BearerAuthenticator
from tap_billing_reports.http.client import HttpClient, Limits
from tests.fakes import FakeClock
from tests.http.account import KEY, REMEDY, Steps
from tests.http.faultserver import FaultServer, deaf_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def serve() -> Iterator[Callable[..., FaultServer]]:
    """Starts a server with a script; all end with the test."""
    with ExitStack() as stack:

        def start(*steps: Steps, **more: Any) -> FaultServer:
            return stack.enter_context(FaultServer(list(steps), **more))

        yield start


@pytest.fixture
def http(clock: FakeClock) -> Callable[..., HttpClient]:
    """A client whose hosts are the given servers or URLs."""

    def make(
        *hosts: FaultServer | str, authenticator: Authenticator | None = None, limits: Limits | None = None, **more: Any
    ) -> HttpClient:
        urls = {
            name: host if isinstance(host, str) else host.url
            for name, host in zip(("api", "files", "more"), hosts, strict=False)
        }
        return HttpClient(
            source="stripe",
            account="acct_1",
            hosts=urls,
            authenticator=authenticator or BearerAuthenticator(KEY, {"Stripe-Version": "v1"}),
            headers={"Accept-Language": "en"},
            remedy=REMEDY,
            clock=clock,
            limits=limits,
            **more,
        )

    return make


@pytest.fixture
def nobody() -> Iterator[int]:
    """A port that does not even refuse."""
    yield from deaf_port()


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever proxies the machine has, tests say themselves which there are."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture(autouse=True)
def full_jitter(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Jitter is its upper bound, and the bounds are written down."""
    bounds: list[float] = []

    def uniform(_low: float, high: float) -> float:
        bounds.append(high)
        return high

    monkeypatch.setattr("tap_billing_reports.http.retries.random.uniform", uniform)
    return bounds
