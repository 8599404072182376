"""Certificates: one that is not to be trusted ends the call before anything is sent."""

from __future__ import annotations

import socket
import ssl
import threading
from datetime import datetime, timedelta, timezone

import pytest
import trustme

from tap_billing_reports.core.errors import AccountError, Unavailable
from tap_billing_reports.http.client import Limits
from tests.http.account import KEY
from tests.http.faultserver import reply
from tests.waiting import HANG_SECONDS

PAST = datetime.now(timezone.utc) - timedelta(days=1)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def trusted(authority, tmp_path, monkeypatch) -> trustme.CA:
    """An authority that the environment's bundle holds."""
    bundle = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(bundle))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))
    return authority


def shown(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


def test_a_trusted_certificate(serve, http, trusted):
    server = serve(reply(), tls=shown(trusted.issue_cert("localhost")))
    http(server).call("GET", "api", "/x")
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize(
    ("fault", "said"), [("self-signed", "certificate"), ("wrong host", "mismatch|match"), ("expired", "expired")]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_nothing_is_sent_to_one_that_is_not(serve, http, trusted, clock, fault, said, method):
    certificate = {
        "self-signed": lambda: trustme.CA().issue_cert("localhost"),
        "wrong host": lambda: trusted.issue_cert("vendor.example"),
        "expired": lambda: trusted.issue_cert("localhost", not_before=PAST - timedelta(days=1), not_after=PAST),
    }[fault]()
    server = serve(reply(), tls=shown(certificate))
    with pytest.raises(AccountError, match=rf"(?i)certificate is not trusted .*({said}).*nothing was sent"):
        http(server).call(method, "api", "/x", form=[("a", "1")] if method == "POST" else None)
    assert server.requests == []
    assert clock.slept == [], "nor is it tried again"


def test_the_systems_own_authorities_are_asked_without_a_bundle(serve, http, authority):
    server = serve(reply(), tls=shown(authority.issue_cert("localhost")))
    with pytest.raises(AccountError, match="not trusted"):
        http(server).call("GET", "api", "/x")
    assert server.requests == []


def test_a_missing_bundle_is_told(serve, http, authority, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/ca.pem")
    server = serve(reply(), tls=shown(authority.issue_cert("localhost")))
    with pytest.raises(AccountError, match=r"/nowhere/ca\.pem.*nothing was sent"):
        http(server).call("GET", "api", "/x")


def test_a_handshake_that_breaks_off_may_pass(http, trusted, clock):
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def hang_up() -> None:
            for _ in range(2):
                connection, _ = listener.accept()
                connection.recv(10)
                connection.close()

        thread = threading.Thread(target=hang_up, daemon=True)
        thread.start()
        with pytest.raises(Unavailable, match="connection failed"):
            http(f"https://localhost:{listener.getsockname()[1]}", limits=Limits(tries=2)).call("GET", "api", "/x")
        thread.join(HANG_SECONDS)
    assert clock.slept[-1] == 1
