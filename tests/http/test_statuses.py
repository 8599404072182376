"""Which statuses are an answer, and which answer it is."""

from __future__ import annotations

import io

import pytest

from tap_billing_reports.core.errors import Refused, Unavailable
from tap_billing_reports.http.client import Limits
from tap_billing_reports.http.sent import FileRequest
from tests.http.faultserver import head, kept_alive, raw, reply

PATIENT = Limits(tries=2)


@pytest.mark.parametrize("interim", [100, 102, 103, 199])
def test_an_interim_answer_is_not_the_answer(serve, http, interim):
    """103 comes with hints for browsers; http.client takes any but 100 for the answer."""
    hint = f"HTTP/1.1 {interim} X\r\nLink: </style.css>\r\n\r\n".encode()
    body = b'{"a": 1}'
    for count in (1, 3):
        server = serve(raw(hint * count + head(200, {"Content-Length": str(len(body))}) + body))
        assert http(server, limits=PATIENT).call("GET", "api", "/x", parse=True).json() == {"a": 1}
        assert len(server.requests) == 1


def test_interim_answers_without_end_are_no_answer(serve, http):
    server = serve(raw(b"HTTP/1.1 103 X\r\n\r\n" * 1000 + head(200)))
    with pytest.raises(Unavailable):
        http(server, limits=PATIENT).call("GET", "api", "/x")


def test_the_answer_after_an_interim_one_is_not_taken_for_that_to_the_next_question(serve, http):
    """On one connection: with 103 taken for the answer, each question would get the answer to the one before."""

    def answer(request):
        body = f'{{"path": "{request.path}"}}'.encode()
        return b"HTTP/1.1 103 X\r\n\r\nHTTP/1.1 200 X\r\n" + f"Content-Length: {len(body)}\r\n\r\n".encode() + body

    server = serve(kept_alive(answer))
    asked = http(server, limits=PATIENT)
    for path in ("/a", "/b", "/c"):
        assert asked.call("GET", "api", path, parse=True).json() == {"path": path}


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (101, b"", Refused),
        (204, b"", Unavailable),
        (205, b"", Unavailable),
        (206, b'{"id": "frr_1", "status": "succeeded"}', Unavailable),
        (207, b"{}", Unavailable),
        (226, b"{}", Unavailable),
        (299, b"{}", Unavailable),
        (300, b"{}", Refused),
        (301, b"{}", Refused),
        (302, b"{}", Refused),
        (304, b"", Refused),
        (305, b"{}", Refused),
        (399, b"{}", Refused),
        (418, b"{}", Refused),
        (499, b"{}", Refused),
        (511, b"{}", Unavailable),
        (599, b"{}", Unavailable),
        (700, b"{}", Unavailable),
        (999, b"{}", Unavailable),
    ],
)
@pytest.mark.parametrize(
    "ask",
    [
        lambda http: http.call("GET", "api", "/x", parse=True),
        lambda http: http.download(FileRequest("api", "/x"), io.BytesIO()),
        lambda http: http.peek(FileRequest("api", "/x")),
    ],
)
def test_an_unusual_status_is_no_answer_whatever_its_body(serve, http, status, body, error, ask):
    asked = http(serve(reply(status, body)), limits=PATIENT)
    with pytest.raises(error, match=f"HTTP {status}"):
        ask(asked)


@pytest.mark.parametrize("status", [200, 201, 202, 203])
def test_usual_successes_are_answers(serve, http, status):
    assert http(serve(reply(status, b'{"a": 1}')), limits=PATIENT).call("GET", "api", "/x").json() == {"a": 1}
