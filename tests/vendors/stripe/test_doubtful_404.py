"""A 404 says that a run or its file is gone only in Stripe's own words."""

from __future__ import annotations

from typing import Any

import pytest

from tests.vendors.stripe.emulated import SUMMARY

REPORT = {"report_type": SUMMARY, "window": "month"}
POLL, FILE = r"^/v1/reporting/report_runs/frr_", r"^/v1/files/.*/contents$"
_OTHER_MODE = (
    "No such report_run: 'frr_1'; a similar object exists in live mode, but a test mode key was used to make this "
    "request."
)
FORMS: dict[str, dict[str, Any]] = {
    "a proxy's page": {"body": "<html><body>404 Not Found</body></html>", "headers": {"Content-Type": "text/html"}},
    "no body": {"body": ""},
    "the other mode": {
        "body": {"error": {"code": "resource_missing", "type": "invalid_request_error", "message": _OTHER_MODE}}
    },
    "another's JSON": {"body": {"error": {"type": "invalid_request_error", "message": "Unrecognized request URL"}}},
}


def fault(stripe, form, path, times, status=404):
    stripe.control.fault({"status": status, **FORMS[form]}, {"method": "GET", "path": path}, times=times)


@pytest.mark.parametrize("path", [POLL, FILE], ids=["poll", "file"])
@pytest.mark.parametrize("form", FORMS)
def test_a_404_that_passes_orders_nothing(stripe, form, path):
    fault(stripe, form, path, 2)
    ended = stripe.sync(REPORT)
    assert (ended.code, stripe.ordered()) == (0, 1), ended.log


@pytest.mark.parametrize("path", [POLL, FILE], ids=["poll", "file"])
@pytest.mark.parametrize("status", [404, 410])
def test_a_404_that_lasts_is_a_failure_which_keeps_the_run(stripe, path, status):
    fault(stripe, "a proxy's page", path, None, status)
    state = None
    for _ in range(3):
        ended = stripe.sync(REPORT, state=state)
        state = ended.state
        assert ended.code == 1
        assert "no proof that it is gone" in ended.log
    stripe.control.clear_faults()
    ended = stripe.sync(REPORT, state=state)
    assert (ended.code, stripe.ordered()) == (0, 1), ended.log


@pytest.mark.parametrize("path", [POLL, FILE], ids=["poll", "file"])
def test_gone_in_the_vendors_words_is_ordered_again(stripe, path):
    error = {"code": "resource_missing", "type": "invalid_request_error", "message": "No such object: 'x'"}
    stripe.control.fault({"status": 404, "body": {"error": error}}, {"method": "GET", "path": path}, times=1)
    ended = stripe.sync(REPORT)
    assert (ended.code, stripe.ordered()) == (0, 2), ended.log


def test_a_pending_run_of_others_is_not_forgotten_for_a_page(stripe):
    """`report_runs` goes on asking about a foreign run until it ends, or is gone in the vendor's words."""
    stripe.control.options["stripe_run_rules"] = [{"do": {"seconds": 10**6}}]
    ended = stripe.sync(REPORT, run_deadline_minutes=1)
    stripe.control.options["stripe_run_rules"] = []
    # Runs of later seconds: else the list begins with the pending one, and nobody asks for it by its id.
    stripe.control.advance(5)
    other = {**REPORT, "name": "other", "window": "week"}
    first = stripe.sync(other, state=None)
    pending = {run["run_id"] for run in first.of("report_runs") if run["status"] == "pending"}
    assert ended.code == 1
    assert len(pending) == 1
    stripe.control.fault({"status": 404, **FORMS["a proxy's page"]}, {"path": f"/{next(iter(pending))}$"}, times=None)
    stripe.control.advance(40 * 86400)
    doubtful = stripe.sync(other, state=first.state)
    kept = doubtful.state["bookmarks"]["report_runs"]["listed"][0]
    assert set(kept["pending"]) == pending


@pytest.mark.parametrize("form", ["a proxy's page", "no body", "another's JSON"])
@pytest.mark.parametrize("status", [400, 403, 404])
def test_only_the_vendors_own_refusal_is_what_an_entry_calls_optional(stripe, form, status):
    stripe.control.fault(
        {"status": status, **FORMS[form]}, {"method": "POST", "path": r"^/v1/reporting/report_runs$"}, times=None
    )
    ended = stripe.sync({**REPORT, "optional": True})
    in_its_form = form == "another's JSON"
    assert ended.code == (0 if in_its_form else 1), ended.log
    assert ("refused, and optional" in ended.log) == in_its_form
