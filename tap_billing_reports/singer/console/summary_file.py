"""What the closing lines tell a person, as one JSON object for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tap_billing_reports import __version__
from tap_billing_reports.core.money import decimal_text
from tap_billing_reports.core.redaction import redact
from tap_billing_reports.reports.jobs import ENDS, Step
from tap_billing_reports.singer.outcome import Place, Verdict

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterable, Mapping

    from tap_billing_reports.core.failure import Failure
    from tap_billing_reports.singer.check import Check
    from tap_billing_reports.singer.console.progress import Board
    from tap_billing_reports.singer.outcome import Summary

# Of the object's layout. Keys may be added within a version; none is taken away or changes its meaning.
VERSION: Final = 1


def summary_object(facts: Mapping[str, Any], summary: Summary, board: Board | None) -> dict[str, Any]:
    """The object, without secrets.

    Args:
        facts: what the caller knows: exit status, times, the job, what was loaded.
        summary: failures, notes, rows and checks.
        board: where the periods ended; None where the sync never began.
    """
    ends = {} if board is None else board.ends()
    checks = summary.checks
    places = sorted({*summary.rows, *ends, *(place for place, _verdict in checks.counted)})
    whole = {
        "version": VERSION,
        "program": {"name": "tap-billing-reports", "version": __version__},
        **facts,
        "records": dict(sorted(summary.records.items())),
        "streams": [_stream(place, summary, ends.get(place)) for place in places],
        "failures": [_failure(failure, streams) for failure, streams in summary.failures.items()],
        "deferred": [] if board is None else _deferred(board),
        "failed_checks": [{"stream": stream or None, **_check(check)} for stream, check in checks.failed],
        "notes": [*summary.notes],
        "remarks": summary.remarks,
    }
    clean: dict[str, Any] = _without_secrets(whole)
    return clean


def _stream(place: Place, summary: Summary, ends: Counter[Step | None] | None) -> dict[str, Any]:
    counted = summary.checks.counted
    found: dict[str, Any] = {
        "source": place.source,
        "account": place.account,
        "stream": place.stream or None,
        "rows": summary.rows[place],
        "checks": {verdict.value: counted[place, verdict] for verdict in Verdict},
    }
    if ends is not None:
        by_name = {step.value: ends[step] for step in sorted(ENDS)}
        found["periods"] = {"due": ends.total(), **by_name, "unfinished": ends[None]}
    freshness = summary.checks.freshness.get(place)
    if freshness is not None:
        found["freshness"] = {
            "hours": _text(freshness.actual),
            "most_hours": _text(freshness.expected),
            "ok": freshness.ok,
            "reason": freshness.reason,
        }
    return found


def _failure(failure: Failure, streams: Iterable[str]) -> dict[str, Any]:
    """Its facts; those that it has not are null."""
    named = [failure.stream] if failure.stream else [*streams]
    facts = (
        ("source", failure.source),
        ("account", failure.account),
        ("period", failure.period),
        ("run", failure.run),
        ("call", failure.call),
        ("said", failure.said),
        ("remedy", failure.remedy),
    )
    return {"streams": named, **{name: value or None for name, value in facts}}


def _deferred(board: Board) -> list[dict[str, Any]]:
    """Periods that are due and were not read, by report, account and reason."""
    return [
        {
            "stream": stream,
            "account": account,
            "kind": step.value,
            "reason": reason,
            "periods": len(periods),
            "first": periods[0],
            "last": periods[-1],
        }
        for (stream, account, step, reason), periods in sorted(board.left.items())
    ]


def _check(check: Check) -> dict[str, Any]:
    record = check.record("")
    del record["checked_at"], record["ok"]
    return record


def _text(number: Any) -> str | None:
    return None if number is None else decimal_text(number)


def _without_secrets(value: Any) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {redact(name): _without_secrets(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_without_secrets(inner) for inner in value]
    return value
