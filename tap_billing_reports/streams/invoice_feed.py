"""Reads an account's invoices into columns: for the stream `invoices`, and for what hangs on invoices."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING, Any

from tap_billing_reports.declarations import Account, InvoiceApi, Record, Source
from tap_billing_reports.errors import AccountError
from tap_billing_reports.reading import OpenSource, map_fields

if TYPE_CHECKING:
    from tap_billing_reports.settings import Settings


class InvoiceFeed:
    """The invoices of one account of one source."""

    def __init__(self, asker: OpenSource, account: Account, settings: Settings) -> None:
        api = asker.source.invoices
        assert api is not None
        self.api: InvoiceApi = api
        self.source: Source = asker.source
        self._asker = asker
        self.account = account
        self._settings = settings
        self._fields = api.fields(asker.values)

    def read(self, since: date, until: date) -> Iterator[tuple[dict[str, Any], Record]]:
        """Each invoice dated from..to (inclusive, the source's zone) once: its columns and the vendor's object.

        An invoice without a date is never left out.
        """
        seen: set[tuple[str, str]] = set()
        endpoint = self.api.endpoint(self._asker.values)
        for query in self.api.queries(self._asker, self.account, since, until):
            records = self._asker.records(
                endpoint, path=self.api.path(self.account), params=query, account=self.account
            )
            for record in records:
                columns = self.columns(record)
                key = (columns["account_id"], columns["invoice_id"])
                day = columns.get("invoice_date")
                if key in seen or (day is not None and not self._is_wanted(day)):
                    continue
                seen.add(key)
                yield columns, record

    def read_one(self, invoice_id: str) -> tuple[dict[str, Any], Record]:
        """One invoice by its id; NotFound when the vendor no longer has it."""
        assert self.api.by_id is not None
        answer = self._asker.ask(self.api.by_id, path={"invoice_id": invoice_id}, account=self.account)
        record = answer.json()
        return self.columns(record), record

    def columns(self, record: Record) -> dict[str, Any]:
        """The invoice's columns.

        Raises:
            AccountError: a value cannot be trusted; none of this account's invoices may be called complete.
        """
        try:
            columns = map_fields(self._fields, record)
        except ValueError as error:
            named = record.get("invoiceNumber") or record.get("id")
            raise AccountError(
                f"{self.source.name} account {self.account.account_id}: invoice {named} cannot be read: {error}"
            ) from None
        asked = self.account.account_id
        columns["source"] = self.source.name
        columns["account_id"] = columns.get("account_id") or asked
        columns["requested_account_id"] = asked
        return columns

    def _is_wanted(self, day: str) -> bool:
        first, end = self._settings.start_date, self._settings.end_date
        return day >= first.isoformat() and (end is None or day < end.isoformat())
