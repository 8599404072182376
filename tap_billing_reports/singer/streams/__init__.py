"""The streams: one module each. Here only which there are, and in which order they are synced."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_billing_reports.singer.streams.accounts import Accounts
from tap_billing_reports.singer.streams.invoice_documents import InvoiceDocuments
from tap_billing_reports.singer.streams.invoices import Invoices
from tap_billing_reports.singer.streams.reconciliations import Reconciliations
from tap_billing_reports.singer.streams.report_files import ReportFiles
from tap_billing_reports.singer.streams.report_rows import ReportRows
from tap_billing_reports.singer.streams.report_runs import ReportRuns
from tap_billing_reports.singer.streams.report_types import ReportTypes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from singer_sdk import Stream

    from tap_billing_reports.declare import Source
    from tap_billing_reports.singer.context import SyncContext

# Rows stand before files and reconciliations: those speak of what was read.
ORDER: tuple[type[Stream], ...] = (
    Accounts,
    ReportTypes,
    Invoices,
    InvoiceDocuments,
    ReportRuns,
    ReportRows,
    ReportFiles,
    Reconciliations,
)


def sync_rank(stream: Stream) -> int:
    """A stream's place in the sync."""
    return next(place for place, kind in enumerate(ORDER) if isinstance(stream, kind))


def core_streams(tap: SyncContext) -> Iterator[Stream]:
    """The streams that are there whatever is configured."""
    for kind in (Accounts, ReportTypes, Invoices, InvoiceDocuments, ReportRuns, ReportFiles, Reconciliations):
        yield kind(tap)


def is_ours(stream: str, sources: Iterable[Source]) -> bool:
    """Whether a STATE with this stream may be this tap's: reports come and go, the names of their sources stay."""
    core = {getattr(kind, "name", None) for kind in ORDER}
    return stream in core or any(stream.startswith(f"{source.name}_") for source in sources)


def row_streams(tap: SyncContext, sources: Iterable[Source]) -> Iterator[Stream]:
    """One stream for each configured report."""
    for source in sources:
        if source.reports is not None:
            for report in source.reports.configured(tap.config):
                yield ReportRows(tap, report, source.reports)
