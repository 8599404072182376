"""Whether this version can go on from a given STATE; each part is checked beside the code that writes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tap_billing_reports.core.errors import StateError
from tap_billing_reports.reports.state import ledger
from tap_billing_reports.singer import column_memory, run_memory
from tap_billing_reports.singer.invoices import document_state
from tap_billing_reports.singer.streams import invoices, is_ours

if TYPE_CHECKING:
    from tap_billing_reports.declare import Source


def check_whole_state(state: Mapping[str, Any], sources: tuple[Source, ...]) -> None:
    """Refuse a STATE before any goes out.

    Raises:
        StateError: it is foreign, cut, or written by a newer version.
    """
    if state and "bookmarks" not in state:
        # A whole sync would be ordered anew without a word.
        whole = "it holds a whole STATE message, of which only the value is the state"
        raise StateError(
            f"the state has no bookmarks: {whole if 'value' in state else 'it is not from this tap'}; "
            f"for a full refresh leave it out"
        )
    bookmarks = state.get("bookmarks", {})
    if not isinstance(bookmarks, Mapping):
        raise StateError("the state's bookmarks are no object: restore an older state, or run a full refresh")
    if bookmarks and not any(is_ours(stream, sources) for stream in bookmarks):
        raise StateError(
            f"the state is another tap's: it has bookmarks of {', '.join(sorted(bookmarks)[:3])}; give this tap's own, "
            f"or none for a full refresh"
        )
    for stream, bookmark in bookmarks.items():
        if not isinstance(bookmark, Mapping):
            raise StateError.of(stream, "is no object")
        ledger.check_state(stream, bookmark)
        document_state.check_state(stream, bookmark)
        invoices.check_state(stream, bookmark)
        column_memory.check_state(stream, bookmark)
        run_memory.check_state(stream, bookmark)
