"""Asking about a period that the vendor may not have yet."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from tap_billing_reports.core.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_billing_reports.declare import ReportApi
    from tap_billing_reports.http.responses import Answer


@contextmanager
def told_apart(api: ReportApi) -> Iterator[None]:
    """Within it the vendor is asked about one period; a refusal that says `not yet` becomes `NotYet`."""
    try:
        yield
    except Refused as error:
        if api.not_yet is not None:
            api.not_yet.raise_for(error)
        raise


def look(api: ReportApi, answer: Answer) -> None:
    """Raises NotYet where a success says it in its body."""
    if api.not_yet is not None:
        api.not_yet.raise_in(answer)
