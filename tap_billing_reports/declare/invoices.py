"""How a vendor's invoices are read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import date

    from tap_billing_reports.core.errors import NotFound
    from tap_billing_reports.declare.endpoints import Account, Endpoint, Field, Query, Record, SourceClient
    from tap_billing_reports.declare.settings import FromSettings, Values


@dataclass(frozen=True)
class InvoiceApi:
    """How an account's invoices are read."""

    endpoint: Endpoint | Callable[[Values], Endpoint]
    queries: Callable[[SourceClient, Account, date, date], Iterable[Query]]
    """The requests for invoices dated from..to, both inclusive, in the source's zone."""
    fields: tuple[Field, ...] | Callable[[Values], tuple[Field, ...]]
    lookback: FromSettings[int] | None
    """Days before the bookmark that are read again; None: the vendor has no date filter, all is read."""
    remembered_days: int = 65
    """Without a date filter: of so many days before the newest invoice's the next list is held against this one
    (`still_listed`). It bounds the bookmark, where a day takes at most some 70 letters."""
    path: Callable[[Account], Mapping[str, str]] = lambda _account: {}
    """What the endpoint's names stand for."""
    horizon_days: int | None = None
    """The vendor keeps no more than this; what lies beyond is named, not silently missed."""
    by_id: Endpoint | None = None
    """Reads one invoice by `{invoice_id}`: for those remembered as unsettled beyond the look-back."""
    unsettled: frozenset[str] = frozenset()
    """Statuses (ours) whose invoices are remembered until they settle."""
    by_status: Callable[[str, date, date], Query] | None = None
    """The request of `endpoint` for invoices of one of the statuses `unsettled` that are dated from..to, both
    inclusive; None: there is no such list, and each is asked for by its id."""
    deletable: frozenset[str] = frozenset()
    """Statuses (ours) whose invoices the vendor lets be deleted. A deletion of any other is never believed."""
    is_deleted: Callable[[Record], bool] = lambda _record: False
    """Whether an object is only what is left of a deleted invoice."""
    hidden: frozenset[str] = frozenset()
    """Fields left out of `source_record`: links and secrets that open the document to anybody."""
    document: Endpoint | None = None
    """The invoice's PDF, by the names of `path` and `{invoice_id}`."""
    document_missing: Callable[[NotFound], bool] = lambda _error: False
    """Whether a 404 or 410 for a document is the vendor's own word that there is none. Any other is a failure."""
    wants_documents: FromSettings[bool] = lambda _values: True
    """Whether the settings ask for the PDFs."""
    told_apart_by: str | None = None
    """The column that tells two invoices of one number apart, where the vendor's key is a number that may not be
    unique. What is asked of the vendor is the number alone. Not together with `by_id`."""
    lists_all: Callable[[Values], bool] = lambda _values: True
    """Whether the settings have all invoices listed; else one may leave the list without anything being wrong."""

    def __post_init__(self) -> None:
        if self.told_apart_by is not None and self.by_id is not None:
            raise ValueError("told_apart_by and by_id: what an id of ours names, the vendor would not know")

    def endpoint_by(self, values: Values) -> Endpoint:
        """The list of invoices, as the settings want it."""
        return self.endpoint(values) if callable(self.endpoint) else self.endpoint

    def fields_by(self, values: Values) -> tuple[Field, ...]:
        """The columns, as the settings want them."""
        return self.fields(values) if callable(self.fields) else self.fields
