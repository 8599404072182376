"""Reads an account's invoices into columns: for the stream `invoices`, and for what hangs on invoices."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tap_billing_reports.core.about import About
from tap_billing_reports.core.errors import DeclarationError, Unreadable
from tap_billing_reports.declare import PerInvoice
from tap_billing_reports.declare.client import HttpSourceClient, map_fields
from tap_billing_reports.declare.paths import fill, value_at
from tap_billing_reports.declare.settings import value_of
from tap_billing_reports.http.sent import FileRequest
from tap_billing_reports.reports.per_invoice import Bounds
from tap_billing_reports.singer.invoices.list_memory import ListContents
from tap_billing_reports.singer.invoices.shared_numbers import SharedNumbers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tap_billing_reports.config.settings import Settings
    from tap_billing_reports.declare import Account, Endpoint, InvoiceApi, Query, Record, Source
    from tap_billing_reports.singer.check import Check


# So many invoices of one list that cannot be read are not single ones: the vendor's format has changed.
UNREADABLE = 10


class Brief(NamedTuple):
    """What documents and report lines need of an invoice; amounts as exact decimal text, dates as text."""

    account_id: str
    invoice_id: str
    invoice_date: str | None
    specification_available: bool | None
    currency: str | None
    net_amount: str | None
    tax_amount: str | None
    total_amount: str | None
    shared_number: str | None = None
    issued_by: str | None = None

    @classmethod
    def of(cls, columns: Mapping[str, Any]) -> Brief:
        """The brief of an invoice's columns."""
        return cls._make(map(columns.get, cls._fields))

    @property
    def number(self) -> str:
        """What the vendor knows it by: its id, unless another issuer's invoice has that."""
        return self.shared_number or self.invoice_id

    @property
    def contents(self) -> tuple[str | None, ...]:
        """What must be equal where one invoice is listed twice."""
        return (self.invoice_date, self.currency, self.net_amount, self.tax_amount, self.total_amount)


@dataclass(frozen=True)
class Documents:
    """How the PDFs of an account's invoices are asked for."""

    client: HttpSourceClient
    account: Account
    api: InvoiceApi
    endpoint: Endpoint

    @property
    def source(self) -> str:
        """The source's name."""
        return self.client.source.name

    def request(self, brief: Brief) -> FileRequest:
        """The request of one invoice's PDF."""
        names = {"account_id": self.account.account_id, **self.api.path(self.account), "invoice_id": brief.number}
        return FileRequest(
            self.endpoint.host,
            fill(self.endpoint.path, names),
            headers={"Accept": self.endpoint.accept, **self.account.headers},
            account=self.account.account_id,
        )


# Before the first reading: no day has been read from on.
_NOTHING_READ: Final[tuple[date, list[Brief]]] = (date.max, [])


class InvoiceFeed:
    """The invoices of one account of one source.

    The account's list is asked for once a sync: the first reader passes it on whole, and what hangs on
    invoices (`briefs`) takes what that reading has left behind.

    Attributes:
        clashes: invoices that the last reading listed twice under one number with different contents.
        unreadable: why invoices of the last reading could not be read, each by itself; the others are complete.
        contents: which fields and how many invoices a day the last reading had, and `since` which day it began with.
        told: the checks of the list that have been passed on, by whichever reader was first.
        shared: the numbers that several issuers have used.
        apart: the invoices of the last reading whose ids are not their numbers, because of that.
        listed: how many records the last reading had, and `distinct` how many numbers.
    """

    def __init__(
        self, client: HttpSourceClient, account: Account, settings: Settings, shared: SharedNumbers | None = None
    ) -> None:
        api = client.source.invoices
        if api is None:
            raise DeclarationError(f"nothing says how invoices of {client.source.name} are listed")
        self.api: InvoiceApi = api
        self.source: Source = client.source
        self.account = account
        self.clashes: list[Brief] = []
        self.unreadable: list[Unreadable] = []
        memory: dict[str, Any] = {}
        self.shared = shared or SharedNumbers(lambda: memory)
        self.apart: dict[tuple[str, str], Brief] = {}
        self.listed = self.distinct = 0
        self._client = client
        self._settings = settings
        self._fields = api.fields_by(client.values)
        self._left = _NOTHING_READ
        self.contents, self.since = ListContents(self._fields, api.deletable), settings.start_date
        self.told: set[Check] = set()

    @property
    def documents(self) -> Documents | None:
        """How each invoice's PDF is asked for; None where they are not to be fetched."""
        endpoint = self.api.document
        if endpoint is None or not value_of(self.api.wants_documents, self._client.values):
            return None
        return Documents(self._client, self.account, self.api, endpoint)

    @property
    def names_account(self) -> bool:
        """Whether an invoice says whose it is, so that two requested accounts may list the same one."""
        return any(column.name == "account_id" for column in self._fields)

    @property
    def bounds(self) -> Bounds:
        """From which day on what hangs on the invoices has them listed."""
        return Bounds(
            start_date=self._settings.start_date,
            today=self._client.today(),
            lookback_days=value_of(self.api.lookback, self._settings.values) if self.api.lookback is not None else 0,
            horizon_days=self.api.horizon_days,
        )

    @property
    def remembered_days(self) -> int:
        """Of how many days before the newest invoice's the list is held against the next one."""
        return self.api.remembered_days if self.api.lookback is None else self.bounds.lookback_days

    def _is_shared(self) -> bool:
        reports = self.source.reports
        per_invoice = reports is not None and any(
            isinstance(report.cadence, PerInvoice) for report in reports.configured(self._client.values)
        )
        return self.documents is not None or per_invoice

    def until(self) -> date:
        """The last day to ask for, inclusive: today in the source's zone, or the day before `end_date`."""
        today, end = self._client.today(), self._settings.end_date
        return today if end is None else min(today, end - timedelta(days=1))

    def read(self, since: date) -> Iterator[tuple[dict[str, Any], Record]]:
        """Each invoice dated from `since` on (inclusive, the source's zone): columns, the vendor's object.

        An invoice without a date is never left out. One that is listed again comes again only if its status has
        changed meanwhile: the later answer is the newer one.
        """
        self._left, self.clashes, self.unreadable, self.listed = _NOTHING_READ, [], [], 0
        self.contents, self.since = ListContents(self._fields, self.api.deletable), since
        self.apart = {}
        left: list[Brief] = []
        shared = self._is_shared()
        # Hashes, not contents: a list may hold a million invoices.
        seen: dict[tuple[str, str], tuple[int, int]] = {}
        endpoint, until = self.api.endpoint_by(self._client.values), self.until()
        for query in self.api.queries(self._client, self.account, since, until) if since <= until else ():
            records = self._client.records(
                endpoint, path=self.api.path(self.account), params=query, account=self.account
            )
            for columns, number, record in self._told_apart(records):
                if not self._is_wanted(columns.get("invoice_date")):
                    continue
                shared_number = None if columns["invoice_id"] == number else number
                issuer = None if self.api.told_apart_by is None else columns.get(self.api.told_apart_by)
                brief = Brief.of({**columns, "shared_number": shared_number, "issued_by": issuer})
                key = (brief.account_id, brief.invoice_id)
                hashes = hash(brief.contents), hash(tuple(columns.values()))
                self.listed += 1
                if shared_number is not None:
                    self.apart[key] = brief
                known = seen.setdefault(key, hashes)
                if known is hashes:
                    self.contents.note(columns, record)
                    if shared:
                        left.append(brief)
                elif known[0] != hashes[0]:
                    self.clashes.append(brief)
                    continue
                elif known == hashes:
                    continue
                seen[key] = hashes
                yield columns, record
        self._left, self.distinct = (since, left), len(seen)

    def _told_apart(self, records: Iterable[Record]) -> Iterator[tuple[dict[str, Any], str, Record]]:
        """The columns of each record that can be read, the number that the vendor knows it by, the record."""
        column = self.api.told_apart_by
        if column is None:
            for columns, record in self._all_readable(records):
                yield columns, columns["invoice_id"], record
            return
        # The whole list: the older one may come last.
        found = [(columns, columns["invoice_id"], record) for columns, record in self._all_readable(records)]
        self.unreadable += self.shared.rename([columns for columns, _number, _record in found], column)
        yield from (one for one in found if one[0]["invoice_id"])

    def _all_readable(self, records: Iterable[Record]) -> Iterator[tuple[dict[str, Any], Record]]:
        for record in records:
            columns = None if self.api.is_deleted(record) else self._readable(record)
            if columns is not None:
                yield columns, record

    def briefs(self, since: date) -> list[Brief]:
        """The invoices dated from `since` on, without asking again for what this sync has read already."""
        if since < self._left[0]:
            for _ in self.read(since):
                pass
        day = since.isoformat()
        return [brief for brief in self._left[1] if brief.invoice_date is None or brief.invoice_date >= day]

    def read_again(self, query: Query) -> Iterator[tuple[dict[str, Any], Record]]:
        """The invoices that another query of the same list has."""
        records = self._client.records(
            self.api.endpoint_by(self._client.values),
            path=self.api.path(self.account),
            params=query,
            account=self.account,
        )
        for record in records:
            if not self.api.is_deleted(record):
                columns = self.columns(record)
                if self._is_wanted(columns.get("invoice_date")):
                    yield columns, record

    def read_one(self, invoice_id: str) -> tuple[dict[str, Any], Record] | None:
        """One invoice by its id; None: the vendor has answered with what is left of a deleted one.

        Raises:
            NotFound: it is gone, in the vendor's own words.
            AbsenceUnproven: a 404 that says nothing about it.
            Unreadable: the answer is another invoice, or cannot be trusted.
        """
        assert self.api.by_id is not None
        answer = self._client.ask(self.api.by_id.of_known, path={"invoice_id": invoice_id}, account=self.account)
        record = answer.record()
        if self._key_in(record) != invoice_id:
            raise Unreadable(f"the answer is another invoice than {invoice_id}", about=answer.about)
        return None if self.api.is_deleted(record) else (self.columns(record), record)

    def _key_in(self, record: Record) -> Any:
        """What the vendor's object has where the declaration finds the invoice's id."""
        return value_at(record, next(column.path for column in self._fields if column.name == "invoice_id"))

    def _readable(self, record: Record) -> dict[str, Any] | None:
        """The invoice's columns; None, and noted, where they cannot be read.

        Raises:
            Unreadable: so many cannot that they are not single ones.
        """
        try:
            return self.columns(record)
        except Unreadable as error:
            self.unreadable.append(error)
            if len(self.unreadable) >= UNREADABLE:
                raise
            return None

    def columns(self, record: Record) -> dict[str, Any]:
        """The invoice's columns.

        Raises:
            Unreadable: a value cannot be trusted. That invoice fails by itself, and is listed again until it can be
                read.
        """
        about = About(self.source.name, self.account.account_id)
        try:
            columns = map_fields(self._fields, record)
        except ValueError as error:
            raise Unreadable(f"invoice {self._key_in(record)} cannot be read: {error}", about=about) from None
        if not columns.get("invoice_id"):
            raise Unreadable(
                f"invoice of {columns.get('invoice_date')} has no number: it could not be told apart from others",
                about=about,
            )
        asked = self.account.account_id
        columns["source"] = self.source.name
        columns["account_id"] = columns.get("account_id") or asked
        columns["requested_account_id"] = asked
        return columns

    def _is_wanted(self, day: str | None) -> bool:
        if day is None:
            return True
        first, end = self._settings.start_date, self._settings.end_date
        return day >= first.isoformat() and (end is None or day < end.isoformat())
